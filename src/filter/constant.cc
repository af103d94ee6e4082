#include "filter/constant.h"

#include <fmt/core.h>
#include <netdb.h>

#include <algorithm>
#include <unordered_set>

#include "base/strings.h"
#include "event/schema.h"
#include "filter/host_names.h"

namespace saker::filter {

namespace {

constexpr size_t kLongestConstant = 255;

Error bad_number(std::string_view text, Type type) {
  return Error{.message =
                   fmt::format("'{}' is not a valid number for type {}", text, to_string(type))};
}

// The number of a service, or nothing.
std::optional<uint16_t> service_port(const std::string& name) {
  servent entry{};
  servent* found = nullptr;
  std::array<char, 4096> buffer{};
  if (::getservbyname_r(name.c_str(), nullptr, &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr)
    return std::nullopt;
  return ntohs(static_cast<uint16_t>(found->s_port));
}

Status parse_port(std::string_view text, Constant& out) {
  out.unsigned_integer = 0;
  if (text.empty()) return {};
  if (const std::optional<uint64_t> number = parse_uint(text)) {
    if (*number > 0xffff)
      return Error{.message = fmt::format("port number '{}' is out of range", text)};
    out.unsigned_integer = *number;
    return {};
  }
  const std::optional<uint16_t> port = service_port(std::string(text));
  if (!port) return Error{.message = fmt::format("unrecognized protocol {}", text)};
  out.unsigned_integer = *port;
  return {};
}

Status parse_number(std::string_view text, Type type, Constant& out) {
  switch (type) {
    case Type::int16:
    case Type::int32:
    case Type::int64:
    case Type::real: {
      const std::optional<int64_t> number = parse_int(text);
      if (!number) return bad_number(text, type);
      if (type == Type::real) {
        out.real = static_cast<double>(*number);
      } else {
        out.integer = *number;
      }
      return {};
    }
    case Type::port: return parse_port(text, out);
    default: break;
  }
  if (const std::optional<uint64_t> number = parse_uint(text)) {
    out.unsigned_integer = *number;
    return {};
  }
  const std::optional<int64_t> negative = parse_int(text);
  if (!negative) return bad_number(text, type);
  // A negative number stands for the unsigned one of the same bits: -1 is "no user".
  const auto bits = static_cast<uint64_t>(*negative);
  switch (type) {
    case Type::uint8: out.unsigned_integer = bits & 0xff; break;
    case Type::uint16: out.unsigned_integer = bits & 0xffff; break;
    case Type::uint32: out.unsigned_integer = bits & 0xffffffff; break;
    default: out.unsigned_integer = bits;
  }
  return {};
}

Status parse_boolean(std::string_view text, Constant& out) {
  if (text != "true" && text != "false")
    return Error{.message = fmt::format("filter error: unrecognized boolean value {}", text),
                 .hint = "write true or false"};
  out.unsigned_integer = text == "true" ? 1 : 0;
  return {};
}

Status add_address(std::string_view text, Check& check) {
  const IpAddress address = SAKER_TRY(parse_ip(text));
  check.networks.push_back({address, static_cast<uint8_t>(address.v6 ? 128 : 32)});
  return {};
}

Status add_network(std::string_view text, Check& check) {
  check.networks.push_back(SAKER_TRY(parse_network(text)));
  return {};
}

Status parse_hex_bytes(std::string_view text, std::string& out) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  const Error error{.message = "bcontains and bstartswith operator support hex strings only"};
  if (text.size() % 2 != 0) return error;
  out.clear();
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return error;
    out += static_cast<char>(high * 16 + low);
  }
  return {};
}

const std::unordered_set<std::string_view>& event_names() {
  static const std::unordered_set<std::string_view> names = [] {
    std::unordered_set<std::string_view> all;
    for (const event::EventInfo& info : event::all_events())
      if (info.name != "NA") all.insert(info.name);
    for (const event::SyscallInfo& syscall : event::all_syscalls()) all.insert(syscall.name);
    return all;
  }();
  return names;
}

}  // namespace

bool is_event_name(std::string_view name) {
  return event_names().contains(name);
}

std::string event_name_hint(std::string_view name) {
  std::vector<std::string> names(event_names().begin(), event_names().end());
  std::ranges::sort(names);
  const std::optional<std::string> near = nearest(name, names);
  return near ? fmt::format("did you mean {}?", *near) : "";
}

Status add_constant(std::string_view text, Check& check) {
  if (text.size() > kLongestConstant) {
    constexpr size_t kShown = 32;
    return Error{.message = fmt::format("filter parameter too long: \"{}...\" has {} bytes, at "
                                        "most {} are allowed",
                                        text.substr(0, kShown), text.size(), kLongestConstant)};
  }
  Constant& out = check.constants.emplace_back();
  out.text = text;
  const Type type = check.left.type;
  if (type == Type::bytes)
    return check.op == Op::bcontains || check.op == Op::bstartswith
               ? parse_hex_bytes(text, out.text)
               : Status();
  if (text.contains('\0')) return Error{.message = "filter value must not contain a NUL byte"};
  if (is_number(type)) return parse_number(text, type, out);
  switch (type) {
    case Type::boolean: return parse_boolean(text, out);
    case Type::ip: return add_address(text, check);
    case Type::net: return add_network(text, check);
    case Type::hostname: check.hosts.push_back(host_name(text)); return {};
    default: return {};
  }
}

}  // namespace saker::filter
