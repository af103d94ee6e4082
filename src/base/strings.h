// Small text helpers that the standard library lacks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace saker {

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

// The whole text as a number; "0x" prefix means hexadecimal. Nothing when any byte is left over.
std::optional<int64_t> parse_int(std::string_view text);
std::optional<uint64_t> parse_uint(std::string_view text);

// The candidate nearest to `word` by edit distance, when near enough to be a likely misspelling.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

// Bytes as text: invalid UTF-8 becomes U+FFFD, one for each maximal bad part.
std::string sanitize_utf8(std::string_view text);
bool is_utf8(std::string_view text);

// fnmatch(3) of a whole string with no flags: * ? [...] and backslash; '*' matches '/' too.
bool glob_match(std::string_view pattern, std::string_view text, bool fold_case = false);

}  // namespace saker
