#include "cases/values.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "cases/case_file.h"
#include "filter/value.h"

namespace saker::cases {

using event::ParamType;

namespace {

constexpr uint8_t kUnix = 1, kInet = 2, kInet6 = 10;

Error bad(std::string message) {
  return Error{.code = Code::invalid, .message = std::move(message)};
}

std::optional<int64_t> errno_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  for (int i = 1; i < 134; ++i)
    if (event::errno_name(i) == text) return -i;
  return std::nullopt;
}

std::optional<uint64_t> special_number(std::string_view text, const event::ParamInfo& param) {
  if (text == "AT_FDCWD") return static_cast<uint64_t>(int64_t{-100});
  switch (param.type) {
    case ParamType::Errno:
    case ParamType::Fd:
    case ParamType::Pid:
    case ParamType::Int64:
      if (std::optional<int64_t> number = errno_number(text)) return static_cast<uint64_t>(*number);
      return std::nullopt;
    case ParamType::SigType:
      for (uint64_t i = 1; i < 32; ++i)
        if (event::signal_name(static_cast<int>(i)) == text) return i;
      return std::nullopt;
    case ParamType::SyscallId: return event::portable_code_of_name(text);
    default: return std::nullopt;
  }
}

// A number, or names of the parameter's table joined by |.
Result<uint64_t> to_number(std::string_view text, const event::ParamInfo& param) {
  if (std::optional<uint64_t> number = parse_uint(text)) return *number;
  if (std::optional<int64_t> number = parse_int(text)) return static_cast<uint64_t>(*number);
  if (std::optional<uint64_t> number = special_number(text, param)) return *number;
  uint64_t bits = 0;
  for (std::string_view name : split(text, '|')) {
    auto row = std::ranges::find(param.flags, name, &event::FlagName::name);
    if (row == param.flags.end())
      return bad("'" + std::string(name) + "' is no value of " + std::string(param.name));
    bits |= row->value;
  }
  return bits;
}

struct Endpoint {
  filter::IpAddress ip;
  uint16_t port = 0;
};

Result<Endpoint> parse_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return bad("'" + std::string(text) + "' is not ADDRESS:PORT");
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']'))
    address = address.substr(1, address.size() - 2);
  const std::optional<uint64_t> port = parse_uint(text.substr(colon + 1));
  if (!port || *port > 65535) return bad("'" + std::string(text) + "' has no port");
  return Endpoint{SAKER_TRY(filter::parse_ip(address)), static_cast<uint16_t>(*port)};
}

void append_text(std::string_view text, Buffer& out) {
  out.append(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

void append_endpoint(const Endpoint& endpoint, Buffer& out) {
  out.append(endpoint.ip.bytes.data(), endpoint.ip.v6 ? 16 : 4);
  out.push_back(static_cast<uint8_t>(endpoint.port & 0xff));
  out.push_back(static_cast<uint8_t>(endpoint.port >> 8));
}

Buffer encode_unix(std::string_view path, size_t pointers) {
  Buffer out(1, kUnix);
  out.append(pointers * 8, 0);
  append_text(path, out);
  out.push_back(0);
  return out;
}

Result<Buffer> encode_sockaddr(std::string_view text) {
  if (text.starts_with('/')) return encode_unix(text, 0);
  const Endpoint endpoint = SAKER_TRY(parse_endpoint(text));
  Buffer out(1, endpoint.ip.v6 ? kInet6 : kInet);
  append_endpoint(endpoint, out);
  return out;
}

Result<Buffer> encode_tuple(std::string_view text) {
  if (text.starts_with('/')) return encode_unix(text, 2);
  const size_t arrow = text.find("->");
  if (arrow == std::string_view::npos)
    return bad("'" + std::string(text) + "' is not SOURCE->DESTINATION");
  const Endpoint source = SAKER_TRY(parse_endpoint(text.substr(0, arrow)));
  const Endpoint destination = SAKER_TRY(parse_endpoint(text.substr(arrow + 2)));
  Buffer out(1, source.ip.v6 ? kInet6 : kInet);
  append_endpoint(source, out);
  append_endpoint(destination, out);
  return out;
}

Buffer number_bytes(uint64_t number, size_t size) {
  Buffer out;
  for (size_t i = 0; i < size; ++i) out.push_back(static_cast<uint8_t>(number >> (8 * i)));
  return out;
}

}  // namespace

std::string nul_separated(std::string_view text) {
  std::string out;
  for (const std::string& word : split_words(text)) {
    out += word;
    out += '\0';
  }
  return out;
}

Result<Buffer> encode_value(std::string_view text, const event::ParamInfo& param) {
  if (text == "<NA>") return Buffer{};
  Buffer out;
  switch (param.type) {
    case ParamType::CharBuf:
    case ParamType::FsPath:
    case ParamType::FsRelPath:
      append_text(text, out);
      out.push_back(0);
      return out;
    case ParamType::ByteBuf:
      append_text(param.name == "args" || param.name == "env" || param.name == "cgroups"
                      ? nul_separated(text)
                      : std::string(text),
                  out);
      return out;
    case ParamType::SockAddr: return encode_sockaddr(text);
    case ParamType::SockTuple: return encode_tuple(text);
    case ParamType::Dyn: {  // a kind byte, then a 64-bit number
      const uint64_t number = SAKER_TRY(to_number(text, param));
      out.push_back(0);
      return out + number_bytes(number, 8);
    }
    default: break;
  }
  const size_t size = event::fixed_size(param.type);
  if (size == 0) return bad(std::string(param.name) + " can't be written as text");
  return number_bytes(SAKER_TRY(to_number(text, param)), size);
}

Buffer default_value(const event::ParamInfo& param) {
  if (param.name == "dirfd" || param.name.ends_with("dirfd") || param.name == "olddir" ||
      param.name == "newdir")
    return number_bytes(static_cast<uint64_t>(int64_t{-100}), 8);
  return Buffer(event::fixed_size(param.type), 0);
}

}  // namespace saker::cases
