// Socket addresses: reading them out of events, their text, and which are this machine's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "event/snapshot.h"
#include "state/thread.h"

namespace saker::state {

using Ip = std::array<uint8_t, 16>;

// A tuple or an address parameter. `family` is 0 when there is none or it is cut short.
struct SocketAddress {
  uint8_t family = 0;  // kUnix, kInet, kInet6
  Ip source_ip{}, dest_ip{};
  uint16_t source_port = 0, dest_port = 0;
  uint64_t unix_source = 0, unix_dest = 0;
  std::string_view path;
};
inline constexpr uint8_t kUnix = 1;
inline constexpr uint8_t kInet = 2;
inline constexpr uint8_t kInet6 = 10;
inline constexpr uint32_t kNetlink = 16;

// Both ends of a connection. IPv4 addresses in IPv6 form become IPv4.
SocketAddress parse_tuple(Bytes bytes);
// One address, as the destination.
SocketAddress parse_address(Bytes bytes);

bool is_zero(const Ip& ip);

void append_ip(const Ip& ip, bool v6, std::string& out);

// The machine's own addresses.
class Interfaces {
 public:
  void add(const event::InterfaceEntry& entry);
  [[nodiscard]] bool is_local(const Ip& ip, bool v6) const;
  // The address that this machine most likely uses to talk to `peer`; zero when unknown.
  [[nodiscard]] Ip local_for(const Ip& peer, bool v6) const;

 private:
  struct Entry {
    Ip address{}, netmask{};
    bool v6 = false;
  };
  std::vector<Entry> entries_;
};

}  // namespace saker::state
