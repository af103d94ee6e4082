// Bytes of a tuple: u8 family, then inet: ip[4] u16 port ip[4] u16 port; inet6 the same with
// ip[16]; unix: u64 u64 path NUL. Of an address: u8 family, then ip and port, or the path. Ports in
// host order.
#include "state/addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "state/state.h"

namespace saker::state {

namespace {

constexpr size_t kMaxInterfaces = 4096;

Ip read_ip(const uint8_t* from, size_t size) {
  Ip ip{};
  std::memcpy(ip.data(), from, size);
  return ip;
}

bool is_mapped(const Ip& ip) {
  constexpr uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(ip.data(), kPrefix, sizeof kPrefix) == 0;
}

void unmap(Ip& ip) {
  ip = read_ip(ip.data() + 12, 4);
}

// IPv4 in IPv6 clothes: then both ends are, but for one that is not known yet.
void simplify(SocketAddress& address) {
  const bool source = is_mapped(address.source_ip);
  const bool dest = is_mapped(address.dest_ip);
  if (!(source || dest) || !(source || is_zero(address.source_ip)) ||
      !(dest || is_zero(address.dest_ip)))
    return;
  if (source) unmap(address.source_ip);
  if (dest) unmap(address.dest_ip);
  address.family = kInet;
}

void append_number(uint64_t value, int base, std::string& out) {
  char text[20];
  out.append(text, std::to_chars(text, text + sizeof text, value, base).ptr);
}

}  // namespace

bool is_zero(const Ip& ip) {
  return std::ranges::all_of(ip, [](uint8_t byte) { return byte == 0; });
}

SocketAddress parse_tuple(Bytes bytes) {
  SocketAddress address;
  if (bytes.empty()) return address;
  const uint8_t* at = bytes.data() + 1;
  const uint8_t family = bytes[0];
  const size_t size = bytes.size() - 1;
  if (family == kUnix && size >= 16) {
    address.unix_source = load<uint64_t>(at);
    address.unix_dest = load<uint64_t>(at + 8);
    address.path = as_c_string(bytes.subspan(17));
  } else if ((family == kInet && size >= 12) || (family == kInet6 && size >= 36)) {
    const size_t width = family == kInet ? 4 : 16;
    address.source_ip = read_ip(at, width);
    address.source_port = load<uint16_t>(at + width);
    address.dest_ip = read_ip(at + width + 2, width);
    address.dest_port = load<uint16_t>(at + 2 * width + 2);
  } else {
    return address;
  }
  address.family = family;
  if (family == kInet6) simplify(address);
  return address;
}

SocketAddress parse_address(Bytes bytes) {
  SocketAddress address;
  if (bytes.empty()) return address;
  const uint8_t family = bytes[0];
  if (family == kUnix) {
    address.path = as_c_string(bytes.subspan(1));
  } else if ((family == kInet && bytes.size() >= 7) || (family == kInet6 && bytes.size() >= 19)) {
    const size_t width = family == kInet ? 4 : 16;
    address.dest_ip = read_ip(bytes.data() + 1, width);
    address.dest_port = load<uint16_t>(bytes.data() + 1 + width);
  } else {
    return address;
  }
  address.family = family;
  if (family == kInet6) simplify(address);
  return address;
}

void append_ip(const Ip& ip, bool v6, std::string& out) {
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(v6 ? AF_INET6 : AF_INET, ip.data(), text, sizeof text) != nullptr) out.append(text);
}

void append_tuple_text(const Fd& fd, std::string& out) {
  const bool v6 = fd.is_ipv6();
  const bool ports = fd.l4 != event::L4Proto::icmp && fd.l4 != event::L4Proto::raw;
  auto end = [&](const Ip& ip, uint16_t port) {
    append_ip(ip, v6, out);
    if (!ports && !fd.is_inet_server()) return;
    out.push_back(':');
    append_number(port, 10, out);
  };
  if (fd.type == event::FdType::unix_socket) {
    append_number(fd.unix_source, 16, out);
    out.append("->");
    append_number(fd.unix_dest, 16, out);
    return;
  }
  if (!fd.is_inet()) return;
  if (!fd.is_inet_server()) {
    end(fd.source_ip, fd.source_port);
    out.append("->");
  }
  end(fd.dest_ip, fd.dest_port);
}

void Interfaces::add(const event::InterfaceEntry& entry) {
  if (entries_.size() < kMaxInterfaces)
    entries_.push_back({entry.address, entry.netmask, entry.is_ipv6});
}

bool Interfaces::is_local(const Ip& ip, bool v6) const {
  if (!v6 && ip[0] == 127) return true;
  if (v6 && ip[15] == 1 && std::all_of(ip.begin(), ip.end() - 1, [](uint8_t b) { return b == 0; }))
    return true;
  return std::ranges::any_of(
      entries_, [&](const Entry& entry) { return entry.v6 == v6 && entry.address == ip; });
}

Ip Interfaces::local_for(const Ip& peer, bool v6) const {
  auto same_net = [&](const Entry& entry) {
    for (size_t i = 0; i < peer.size(); ++i)
      if (((entry.address[i] ^ peer[i]) & entry.netmask[i]) != 0) return false;
    return true;
  };
  for (const Entry& entry : entries_)
    if (entry.v6 == v6 && same_net(entry)) return entry.address;
  for (const Entry& entry : entries_) {
    const bool loopback =
        v6 ? is_zero(entry.netmask) || entry.address[0] == 0 : entry.address[0] == 127;
    if (entry.v6 == v6 && !loopback) return entry.address;
  }
  return {};
}

}  // namespace saker::state
