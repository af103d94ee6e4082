#include "filter/regex.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include "base/strings.h"

namespace saker::filter {

Result<std::shared_ptr<const re2::RE2>> compile_regex(std::string_view pattern) {
  constexpr int64_t kProgramBytes = 4 << 20;  // a program that needs more is refused
  re2::RE2::Options options(re2::RE2::POSIX);
  options.set_log_errors(false);
  options.set_max_mem(kProgramBytes);
  auto regex =
      std::make_shared<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!regex->ok())
    return Error{.message =
                     fmt::format("invalid regex pattern \"{}\": {}", pattern, regex->error())};
  return std::shared_ptr<const re2::RE2>(std::move(regex));
}

bool matches_regex(const re2::RE2& regex, std::string_view value) {
  const auto matches = [&](std::string_view text) {
    return regex.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                       re2::RE2::ANCHOR_BOTH, nullptr, 0);
  };
  return is_utf8(value) ? matches(value) : matches(sanitize_utf8(value));
}

bool is_trivial_regex(std::string_view pattern) {
  static constexpr std::string_view kWildcards[] = {".*", ".+", ".?"};
  if (pattern.starts_with('^')) pattern.remove_prefix(1);
  if (pattern.ends_with('$')) pattern.remove_suffix(1);
  for (std::string_view wildcard : kWildcards) {
    if (!pattern.starts_with(wildcard)) continue;
    pattern.remove_prefix(wildcard.size());
    break;
  }
  for (std::string_view wildcard : kWildcards) {
    if (!pattern.ends_with(wildcard)) continue;
    pattern.remove_suffix(wildcard.size());
    break;
  }
  return pattern.find_first_of(".[]{}()*+?|^$\\") == std::string_view::npos;
}

}  // namespace saker::filter
