// Where an address is: which others are near it, and whether it can be inside of a cluster.
#pragma once

#include <cstdint>
#include <string_view>

namespace saker::audit {

struct Place {
  // Of the addresses that are likely the same site: the /16 of a private IPv4 address (pods and
  // nodes move within it), the /24 of a public one, the /64 of IPv6.
  uint64_t neighbourhood = 0;
  bool is_public = false;
};

// What is no address is a place of its own.
Place place_of(std::string_view address);

}  // namespace saker::audit
