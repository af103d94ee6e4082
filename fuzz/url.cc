// Any bytes as an address of a server: what is taken apart has no byte that could end a header.
// parser: src/net/url.cc
#include "net/url.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

void require_clean(std::string_view text) {
  const bool clean =
      std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  if (!clean) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace saker;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<net::Url> url = net::parse_url(text); url.ok()) {
    if (url->host.empty() || url->port == 0 || !url->target.starts_with('/')) std::abort();
    require_clean(url->host);
    require_clean(url->target);
    net::is_loopback(url->host);
  }
  if (const Result<net::HostPort> place = net::parse_host_port(text); place.ok()) {
    require_clean(place->host);
    net::is_loopback(place->host);
  }
  return 0;
}
