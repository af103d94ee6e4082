// The text operators that the standard library lacks. None allocates; all take time linear in the
// text for a given pattern.
#pragma once

#include <string>
#include <string_view>

namespace saker::filter {

// ASCII case-insensitive substring.
bool contains_ignoring_case(std::string_view text, std::string_view part);

// fnmatch(3) of the whole text with no flags in the C locale: * ? [...] and backslash; '*' matches
// '/' too. Unlike fnmatch, several '*' cost no exponential time, and bytes of any value are
// allowed.
bool matches_glob(std::string_view pattern, std::string_view text, bool fold_case = false);

// Whether the pattern's path components are a prefix of the text's: /var/lib matches /var/lib/x and
// not /var/library. Empty components do not count; a component of the pattern may be a glob.
bool matches_path_prefix(std::string_view pattern, std::string_view text);

// Lower and upper case of ASCII letters; other bytes stay.
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

}  // namespace saker::filter
