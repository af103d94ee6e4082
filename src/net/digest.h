// SHA-256 and base64. Facade over OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace saker::net {

std::string sha256_hex(std::string_view data);
std::string base64(std::string_view data);

}  // namespace saker::net
