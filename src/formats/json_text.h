// JSON text looked into without building a tree: elements, members, values by pointer. For the few
// values of an audit event that a rule asks for. Malformed text gives nothing; it is never read
// beyond its end, however deep it nests.
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"
#include "base/function_ref.h"

namespace saker::formats::json_text {

// Pieces of text that hold one JSON value, without blanks around it.
using Token = std::string_view;

bool is_string(Token token);
bool is_array(Token token);
bool is_object(Token token);

// Calls back for each element of an array as long as it says true. False when `array` is none.
bool for_each_element(Token array, FunctionRef<bool(Token element)> visit);

// The same for the members of an object; `key` is a string token.
bool for_each_member(Token object, FunctionRef<bool(Token key, Token value)> visit);

// Element `index` of an array.
std::optional<Token> element(Token array, size_t index);

// Whether a part of an RFC 6901 pointer, in which ~1 is "/" and ~0 "~", names a key without
// escapes.
bool names(std::string_view part, std::string_view key);

// The value that an RFC 6901 pointer names ("/a/b/0"; ~1 is "/", ~0 is "~"; the first slash may be
// missing). "" is the value itself.
std::optional<Token> find(Token value, std::string_view pointer);

// A string without quotes and escapes; any other value as it is, without blanks.
std::string_view to_text(Token token, Arena& arena);

// Over several lines, two blanks a level.
std::string_view to_pretty_text(Token token, Arena& arena);

}  // namespace saker::formats::json_text
