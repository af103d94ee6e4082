#include "filter/escape.h"

#include <algorithm>

#include "filter/ast.h"

namespace saker::filter {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error escape_error(std::string_view what, size_t offset) {
  return Error{.message = std::string(what), .position = {.offset = offset}};
}

}  // namespace

Result<std::string> unescape(std::string_view quoted) {
  if (quoted.size() < 2 || (quoted[0] != '"' && quoted[0] != '\'') || quoted.back() != quoted[0])
    return escape_error("expected a quoted string", 0);
  const char quote = quoted[0];
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  std::string out;
  out.reserve(inner.size());
  for (size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] != '\\') {
      // A quote after a backslash does not end a string, even where that backslash is an escaped
      // one.
      if (inner[i] == quote && (i == 0 || inner[i - 1] != '\\'))
        return escape_error("unescaped quote inside a string", i + 1);
      out += inner[i];
      continue;
    }
    const size_t start = i + 1;
    if (++i >= inner.size()) return escape_error("string ends in a backslash", start);
    switch (inner[i]) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case ' ':  // historic: a backslash before a blank stands for itself and takes the blank
      case '\\': out += '\\'; break;
      case '/': out += '/'; break;
      case 'x': {
        const int high = i + 1 < inner.size() ? hex_digit(inner[i + 1]) : -1;
        const int low = i + 2 < inner.size() ? hex_digit(inner[i + 2]) : -1;
        if (high < 0 || low < 0)
          return escape_error("invalid \\x escape: expected two hex digits", start);
        out += static_cast<char>(high * 16 + low);
        i += 2;
        break;
      }
      default:
        if (inner[i] != quote)
          return escape_error(std::string("invalid escape sequence '\\") + inner[i] + "'", start);
        out += quote;
    }
  }
  return out;
}

void append_quoted(std::string_view value, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"') {
      out += "\\\"";
    } else if (c == '\\' && i + 1 < value.size()) {
      out += "\\\\";
    } else if (byte < 0x20 || byte == 0x7f || c == '\\') {
      // A last backslash too: the quote after "\\" would not end the string.
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_value(std::string_view value, std::string& out) {
  const auto needs_quotes = [](char c) {
    return !is_bare(c) || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  };
  if (value.empty() || std::ranges::any_of(value, needs_quotes)) {
    append_quoted(value, out);
  } else {
    out += value;
  }
}

}  // namespace saker::filter
