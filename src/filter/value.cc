// Types of values, and addresses from and to text.
#include "filter/value.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace saker::filter {

bool is_number(Type type) {
  switch (type) {
    case Type::int16:
    case Type::int32:
    case Type::int64:
    case Type::uint8:
    case Type::uint16:
    case Type::uint32:
    case Type::uint64:
    case Type::real:
    case Type::port:
    case Type::reltime:
    case Type::abstime: return true;
    default: return false;
  }
}

bool is_text(Type type) {
  return type == Type::text || type == Type::path;
}

std::string_view to_string(Type type) {
  switch (type) {
    case Type::boolean: return "bool";
    case Type::int16: return "int16";
    case Type::int32: return "int32";
    case Type::int64: return "int64";
    case Type::uint8: return "uint8";
    case Type::uint16: return "uint16";
    case Type::uint32: return "uint32";
    case Type::uint64: return "uint64";
    case Type::real: return "double";
    case Type::port: return "port";
    case Type::reltime: return "reltime";
    case Type::abstime: return "abstime";
    case Type::text: return "string";
    case Type::path: return "path";
    case Type::bytes: return "bytebuf";
    case Type::ip: return "ipaddr";
    case Type::net: return "ipnet";
    case Type::hostname: return "hostname";
    case Type::uid: return "uid";
  }
  return "unknown";
}

Result<IpAddress> parse_ip(std::string_view text) {
  // The longest text of an address is shorter than this; what is longer is none.
  char buffer[INET6_ADDRSTRLEN];
  IpAddress address;
  address.v6 = text.contains(':');
  if (!text.empty() && text.size() < sizeof buffer && !text.contains('\0')) {
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
    if (::inet_pton(address.v6 ? AF_INET6 : AF_INET, buffer, address.bytes.data()) == 1)
      return address;
  }
  return Error{.message = "unrecognized IP address: " + std::string(text)};
}

std::string to_text(const IpAddress& address) {
  char buffer[INET6_ADDRSTRLEN];
  const char* text =
      ::inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), buffer, sizeof buffer);
  return text != nullptr ? text : "";
}

bool IpNetwork::contains(const IpAddress& ip) const {
  if (ip.v6 != address.v6) return false;
  const size_t whole = prefix / 8;
  if (std::memcmp(ip.bytes.data(), address.bytes.data(), whole) != 0) return false;
  const int rest = prefix % 8;
  if (rest == 0) return true;
  const int mask = (0xff << (8 - rest)) & 0xff;
  return ((ip.bytes[whole] ^ address.bytes[whole]) & mask) == 0;
}

Result<IpNetwork> parse_network(std::string_view text) {
  const Error error{.message = "unrecognized IP network: " + std::string(text),
                    .hint = "write it with its mask, as 10.0.0.0/8 or 2001:db8::/32"};
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return error;
  Result<IpAddress> address = parse_ip(text.substr(0, slash));
  if (!address) return error;
  const std::string_view digits = text.substr(slash + 1);
  uint8_t prefix = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (status != std::errc{} || end != digits.data() + digits.size()) return error;
  if (prefix > (address->v6 ? 128 : 32)) return error;
  return IpNetwork{*address, prefix};
}

}  // namespace saker::filter
