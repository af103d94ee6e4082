// See place.h.
#include "audit/place.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hash.h"

namespace saker::audit {

namespace {

using Octets = std::array<uint8_t, 16>;

// Private, shared between carriers, link-local and loopback addresses.
bool is_private_v4(const uint8_t* ip) {
  return ip[0] == 10 || ip[0] == 127 || (ip[0] == 172 && ip[1] / 16 == 1) ||
         (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && ip[1] / 64 == 1) ||
         (ip[0] == 169 && ip[1] == 254);
}

bool is_private_v6(const Octets& ip) {
  const Octets loopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return ip[0] / 2 == 0xfc / 2 || (ip[0] == 0xfe && ip[1] / 64 == 2) || ip == loopback;
}

uint64_t hash_of(const uint8_t* octets, size_t count) {
  return hash_bytes({reinterpret_cast<const char*>(octets), count});
}

Place place_of_v4(const uint8_t* ip) {
  const bool is_private = is_private_v4(ip);
  return {.neighbourhood = hash_of(ip, is_private ? 2 : 3), .is_public = !is_private};
}

}  // namespace

Place place_of(std::string_view address) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char text[INET6_ADDRSTRLEN] = {};
  if (address.size() >= sizeof text) return {.neighbourhood = hash_bytes(address)};
  std::memcpy(text, address.data(), address.size());
  Octets ip;
  if (::inet_pton(AF_INET, text, ip.data()) == 1) return place_of_v4(ip.data());
  if (::inet_pton(AF_INET6, text, ip.data()) != 1) return {.neighbourhood = hash_bytes(address)};
  if (std::equal(kMapped.begin(), kMapped.end(), ip.begin()))
    return place_of_v4(ip.data() + kMapped.size());
  return {.neighbourhood = hash_of(ip.data(), 8), .is_public = !is_private_v6(ip)};
}

}  // namespace saker::audit
