// Parameter values written as text, as bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "event/schema.h"

namespace saker::cases {

using Buffer = std::basic_string<uint8_t>;

// The wire form of `text` for a parameter: numbers, names of flags joined by |, addresses
// ("1.2.3.4:80", a unix path), tuples ("1.2.3.4:5->6.7.8.9:80"), words (NUL separated lists), text.
// "<NA>" is an empty parameter.
Result<Buffer> encode_value(std::string_view text, const event::ParamInfo& param);

// The wire form of a parameter that a line does not mention.
Buffer default_value(const event::ParamInfo& param);

// "a 'b c'" as NUL separated words, each with its NUL.
std::string nul_separated(std::string_view text);

}  // namespace saker::cases
