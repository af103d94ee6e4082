// Absolute http and https addresses, taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace saker::net {

struct Url {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  uint16_t port = 0;
  std::string target = "/";  // path and query
  std::string user, password;
};

// Refuses other schemes, missing hosts, control characters and blanks. The fragment is dropped.
Result<Url> parse_url(std::string_view text);

struct HostPort {
  std::string host;
  uint16_t port = 0;
};

// "127.0.0.1:8765", "[::1]:8765", "localhost:8765", ":8765" (all addresses). Port 0 is any port.
Result<HostPort> parse_host_port(std::string_view text);

// True for 127.0.0.0/8, ::1 and localhost: addresses that other machines can't reach.
bool is_loopback(std::string_view host);

}  // namespace saker::net
