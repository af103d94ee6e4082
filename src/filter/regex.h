// The regex operator: POSIX syntax, the whole value must match.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace saker::filter {

// Fails when the pattern is no regular expression, or would be too large a program.
Result<std::shared_ptr<const re2::RE2>> compile_regex(std::string_view pattern);

// Linear in the value. Bytes that are no UTF-8 count as U+FFFD.
bool matches_regex(const re2::RE2& regex, std::string_view value);

// Whether a plain operator would do: a word with at most anchors and wildcards at its ends.
bool is_trivial_regex(std::string_view pattern);

}  // namespace saker::filter
