// Includes cpp-httplib the one way that fits the packaged library. Only for .cc files of this room.
#pragma once

#define CPPHTTPLIB_OPENSSL_SUPPORT
#include <httplib.h>
