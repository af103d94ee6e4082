// Giving up what a running watcher no longer needs.
#pragma once

#include "base/result.h"

namespace saker::agent {

// Keeps only the capabilities that reading the ring buffers, changing the demand and looking into
// /proc take, and makes sure that no exec can regain others. Call once everything is attached and
// opened; for the whole process, before threads that must obey it are started (capabilities are per
// thread).
Status drop_privileges();

}  // namespace saker::agent
