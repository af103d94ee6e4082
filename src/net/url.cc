#include "net/url.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/strings.h"

namespace saker::net {

namespace {

Error bad_url(std::string_view text, std::string_view why) {
  return Error{.code = Code::invalid,
               .message = "'" + sanitize_utf8(text) + "' is no http address: " + std::string(why)};
}

Result<uint16_t> parse_port(std::string_view text) {
  const auto port = parse_uint(text);
  if (!port || *port > 65535 || text.starts_with("0x"))
    return Error{.message = "'" + sanitize_utf8(text) + "' is no port"};
  return static_cast<uint16_t>(*port);
}

bool has_blank_or_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f;
  });
}

// "host", "host:port", "[v6]", "[v6]:port"; the port is 0 when it is not there.
Result<HostPort> split_authority(std::string_view text) {
  HostPort result;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return Error{.message = "missing ']'"};
    result.host = text.substr(1, end - 1);
    in6_addr address{};
    if (::inet_pton(AF_INET6, result.host.c_str(), &address) != 1)
      return Error{.message = "'" + sanitize_utf8(result.host) + "' is no IPv6 address"};
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return Error{.message = "expected ':' after ']'"};
  } else {
    const size_t colon = text.rfind(':');
    if (colon != text.find(':')) return Error{.message = "an IPv6 address needs [ and ]"};
    result.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (!port.empty()) result.port = SAKER_TRY(parse_port(port.substr(1)));
  return result;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (has_blank_or_control(text)) return bad_url(text, "blanks are not allowed in it");
  const std::string_view whole = text;
  Url url;
  const std::string start = to_lower(text.substr(0, 8));
  if (start.starts_with("https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (start.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return bad_url(whole, "it must start with http:// or https://");
  }
  text = text.substr(0, text.find('#'));
  const size_t end = text.find_first_of("/?");
  std::string_view authority = text.substr(0, end);
  if (end != std::string_view::npos) {
    url.target = text.substr(end);
    if (url.target.front() == '?') url.target.insert(0, "/");
  }
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    const size_t colon = login.find(':');
    url.user = login.substr(0, colon);
    if (colon != std::string_view::npos) url.password = login.substr(colon + 1);
    authority.remove_prefix(at + 1);
  }
  Result<HostPort> place = split_authority(authority);
  if (!place.ok()) return bad_url(whole, place.error().message);
  if (place->host.empty()) return bad_url(whole, "the host is missing");
  url.host = std::move(place->host);
  url.port = place->port != 0 ? place->port : (url.tls ? uint16_t{443} : uint16_t{80});
  return url;
}

Result<HostPort> parse_host_port(std::string_view text) {
  if (text.find(':') == std::string_view::npos || text.ends_with(':') || text.ends_with(']') ||
      has_blank_or_control(text)) {
    return Error{.code = Code::invalid,
                 .message = "'" + sanitize_utf8(text) + "' is no address to listen on",
                 .hint = "write it as 127.0.0.1:8765"};
  }
  HostPort place = SAKER_TRY(split_authority(text));
  if (place.host.empty()) place.host = "0.0.0.0";
  return place;
}

bool is_loopback(std::string_view host) {
  if (to_lower(host) == "localhost" || host == "::1") return true;
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) return false;
  return (ntohl(address.s_addr) >> 24) == 127;
}

}  // namespace saker::net
