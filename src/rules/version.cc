// Reading and comparing versions. See version.h.
#include "rules/version.h"

#include <algorithm>
#include <tuple>

#include "base/strings.h"

namespace saker::rules {

static bool all_digits(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<Version> parse_version(std::string_view text) {
  const size_t extra = text.find_first_of("-+");
  if (extra != std::string_view::npos) {
    if (extra + 1 == text.size()) return std::nullopt;
    text = text.substr(0, extra);
  }
  const auto parts = split(text, '.');
  if (parts.size() != 3 || !std::all_of(parts.begin(), parts.end(), all_digits))
    return std::nullopt;
  return Version{*parse_uint(parts[0]), *parse_uint(parts[1]), *parse_uint(parts[2])};
}

std::string to_text(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch);
}

bool is_compatible(const Version& ours, const Version& required) {
  return ours.major == required.major &&
         std::tie(ours.minor, ours.patch) >= std::tie(required.minor, required.patch);
}

}  // namespace saker::rules
