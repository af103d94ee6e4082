#include "fields/render_address.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace saker::fields {

namespace {

constexpr uint8_t kUnix = 1, kInet = 2, kInet6 = 10;

bool is_mapped_ipv4(Bytes bytes) {
  static constexpr std::array<uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return bytes.size() == 16 && std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin());
}

// Address and port, `size` + 2 bytes.
void append_end(Bytes bytes, size_t size, TextBuilder& out) {
  append_ip(bytes.first(size), out);
  out << ':';
  out.decimal(uint64_t{load<uint16_t>(bytes.data() + size)});
}

void append_family(uint8_t family, TextBuilder& out) {
  out << "family ";
  out.decimal(uint64_t{family});
}

}  // namespace

void append_ip(Bytes bytes, TextBuilder& out) {
  if (is_mapped_ipv4(bytes)) bytes = bytes.subspan(12);
  char text[INET6_ADDRSTRLEN];
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (inet_ntop(family, bytes.data(), text, sizeof text) != nullptr) out << text;
}

std::string_view render_ip(const filter::EvalContext& context, Bytes bytes) {
  TextBuilder out(*context.scratch, 48);
  append_ip(bytes, out);
  return out.view();
}

std::string_view render_sockaddr(const filter::EvalContext& context, Bytes bytes) {
  const uint8_t family = bytes[0];
  const Bytes rest = bytes.subspan(1);
  if (family == kUnix) return as_c_string(rest);
  TextBuilder out(*context.scratch, 64);
  if (family == kInet || family == kInet6) {
    const size_t size = family == kInet ? 4 : 16;
    if (rest.size() != size + 2) return family == kInet ? "INVALID IPv4" : "INVALID IPv6";
    append_end(rest, size, out);
  } else {
    append_family(family, out);
  }
  return out.view();
}

std::string_view render_socktuple(const filter::EvalContext& context, Bytes bytes) {
  const uint8_t family = bytes[0];
  const Bytes rest = bytes.subspan(1);
  TextBuilder out(*context.scratch);
  if (family == kInet || family == kInet6) {
    const size_t size = family == kInet ? 4 : 16;
    if (rest.size() != 2 * (size + 2)) return family == kInet ? "INVALID IPv4" : "INVALID IPv6";
    append_end(rest.first(size + 2), size, out);
    out << "->";
    append_end(rest.subspan(size + 2), size, out);
  } else if (family == kUnix && rest.size() >= 16) {
    out.lower_hex(load<uint64_t>(rest.data()));
    out << "->";
    out.lower_hex(load<uint64_t>(rest.data() + 8));
    out << ' ' << as_c_string(rest.subspan(16));
  } else {
    append_family(family, out);
  }
  return out.view();
}

}  // namespace saker::fields
