// Writing values of conditions as text; the reverse, unescape(), is in ast.h.
#pragma once

#include <string>
#include <string_view>

namespace saker::filter {

// Blank in a condition.
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n';
}

// May be part of a value without quotes.
constexpr bool is_bare(char c) {
  return !is_blank(c) && c != '(' && c != ')' && c != '"' && c != '\'' && c != '=' && c != ',';
}

// Appends the value in double quotes, escaped so that unescape() gives it back.
void append_quoted(std::string_view value, std::string& out);

// Appends the value, with quotes only when it needs them.
void append_value(std::string_view value, std::string& out);

}  // namespace saker::filter
