#include "formats/json_text.h"

#include <charconv>
#include <cstdint>

#include "base/text_builder.h"

namespace saker::formats::json_text {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

constexpr size_t kNone = std::string_view::npos;

// Behind the string that starts at `at`, or kNone.
size_t string_end(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return kNone;
}

// Behind the value that starts at `at`, or kNone. Brackets are only counted: what is inside is
// looked at when somebody asks for it.
size_t value_end(std::string_view text, size_t at) {
  size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      if (at == kNone) return kNone;
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return kNone;
      --depth;
      ++at;
    } else if (depth == 0) {
      const size_t start = at;
      while (at < text.size() && !is_blank(text[at]) && text[at] != ',' && text[at] != ':' &&
             text[at] != '}' && text[at] != ']')
        ++at;
      return at == start ? kNone : at;
    } else {
      ++at;
    }
    if (depth == 0) return at;
  }
  return kNone;
}

// Takes a value off the front of `rest`; false when there is none.
bool take_value(std::string_view& rest, Token& value) {
  const size_t start = skip_blanks(rest, 0);
  const size_t end = start < rest.size() ? value_end(rest, start) : kNone;
  if (end == kNone) return false;
  value = rest.substr(start, end - start);
  rest.remove_prefix(end);
  return true;
}

// Takes `c` off the front of `rest`, blanks before it included.
bool take(std::string_view& rest, char c) {
  const size_t at = skip_blanks(rest, 0);
  if (at >= rest.size() || rest[at] != c) return false;
  rest.remove_prefix(at + 1);
  return true;
}

void append_utf8(uint32_t code, TextBuilder& out) {
  const auto byte = [&](uint32_t b) { out << static_cast<char>(b); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3f));
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

constexpr uint32_t kReplacement = 0xfffd;

bool read_hex4(std::string_view text, size_t at, uint32_t& code) {
  if (at + 4 > text.size()) return false;
  const char* end = text.data() + at + 4;
  auto [stopped, error] = std::from_chars(text.data() + at, end, code, 16);
  return error == std::errc() && stopped == end;
}

// The character of a \u escape whose digits start at `at`; moves `at` to its last digit. Half a
// surrogate pair becomes U+FFFD.
uint32_t read_unicode(std::string_view text, size_t& at) {
  uint32_t code = 0;
  if (!read_hex4(text, at, code)) return kReplacement;
  at += 3;
  if (code < 0xd800 || code > 0xdfff) return code;
  uint32_t low = 0;
  const bool pair = code < 0xdc00 && text.substr(at + 1).starts_with("\\u") &&
                    read_hex4(text, at + 3, low) && low >= 0xdc00 && low <= 0xdfff;
  if (!pair) return kReplacement;
  at += 6;
  return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

std::string_view unescape(std::string_view text, Arena& arena) {
  size_t at = text.find('\\');
  if (at == std::string_view::npos) return text;
  TextBuilder out(arena, text.size() + 4);
  out << text.substr(0, at);
  for (; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 >= text.size()) {
      out << text[at];
      continue;
    }
    switch (text[++at]) {
      case 'b': out << '\b'; break;
      case 'f': out << '\f'; break;
      case 'n': out << '\n'; break;
      case 'r': out << '\r'; break;
      case 't': out << '\t'; break;
      case 'u': append_utf8(read_unicode(text, ++at), out); break;
      default: out << text[at]; break;
    }
  }
  return out.view();
}

std::string_view content(Token string) {
  return string.size() >= 2 ? string.substr(1, string.size() - 2) : std::string_view();
}

// Whether a key (a string token) is the next part of a pointer.
bool key_is(Token key, std::string_view part) {
  char buffer[512];
  std::string_view name = content(key);
  if (name.find('\\') != std::string_view::npos) {
    Arena arena(1024);
    name = unescape(name, arena).substr(0, sizeof buffer);
    std::memcpy(buffer, name.data(), name.size());
    name = {buffer, name.size()};
  }
  return names(part, name);
}

std::optional<Token> member(Token object, std::string_view part) {
  std::optional<Token> found;
  for_each_member(object, [&](Token key, Token value) {
    if (key_is(key, part)) found = value;
    return !found;
  });
  return found;
}

void new_line(TextBuilder& out, size_t depth) {
  out << '\n';
  for (size_t i = 0; i < depth; ++i) out << "  ";
}

}  // namespace

bool names(std::string_view part, std::string_view key) {
  if (part.find('~') == std::string_view::npos) return part == key;
  size_t at = 0;
  for (size_t i = 0; i < part.size(); ++i, ++at) {
    char c = part[i];
    if (c == '~') {
      // Nothing else may follow a tilde.
      if (++i >= part.size() || (part[i] != '0' && part[i] != '1')) return false;
      c = part[i] == '0' ? '~' : '/';
    }
    if (at >= key.size() || key[at] != c) return false;
  }
  return at == key.size();
}

bool is_string(Token token) {
  return token.starts_with('"');
}
bool is_array(Token token) {
  return token.starts_with('[');
}
bool is_object(Token token) {
  return token.starts_with('{');
}

bool for_each_element(Token array, FunctionRef<bool(Token element)> visit) {
  std::string_view rest = array;
  if (!take(rest, '[')) return false;
  if (take(rest, ']')) return true;
  Token value;
  do {
    if (!take_value(rest, value)) return false;
    if (!visit(value)) return true;
  } while (take(rest, ','));
  return take(rest, ']');
}

bool for_each_member(Token object, FunctionRef<bool(Token key, Token value)> visit) {
  std::string_view rest = object;
  if (!take(rest, '{')) return false;
  if (take(rest, '}')) return true;
  Token key, value;
  do {
    if (!take_value(rest, key) || !is_string(key) || !take(rest, ':') || !take_value(rest, value))
      return false;
    if (!visit(key, value)) return true;
  } while (take(rest, ','));
  return take(rest, '}');
}

std::optional<Token> element(Token array, size_t index) {
  std::optional<Token> found;
  for_each_element(array, [&](Token value) {
    if (index-- == 0) found = value;
    return !found;
  });
  return found;
}

std::optional<Token> find(Token value, std::string_view pointer) {
  std::string_view whole = value;
  if (!take_value(whole, value)) return std::nullopt;
  if (pointer.starts_with('/'))
    pointer.remove_prefix(1);
  else if (pointer.empty())
    return value;
  for (;;) {
    const size_t slash = pointer.find('/');
    const std::string_view part = pointer.substr(0, slash);
    std::optional<Token> next;
    if (is_object(value)) {
      next = member(value, part);
    } else if (is_array(value)) {
      size_t index = 0;
      auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (error == std::errc() && end == part.data() + part.size()) next = element(value, index);
    }
    if (!next) return std::nullopt;
    value = *next;
    if (slash == std::string_view::npos) return value;
    pointer.remove_prefix(slash + 1);
  }
}

std::string_view to_text(Token token, Arena& arena) {
  if (is_string(token)) return unescape(content(token), arena);
  size_t at = 0;
  while (at < token.size() && !is_blank(token[at])) {
    if (token[at] != '"') {
      ++at;
      continue;
    }
    at = string_end(token, at);
    if (at == kNone) return token;
  }
  if (at == token.size()) return token;
  TextBuilder out(arena, token.size());
  for (at = 0; at < token.size();) {
    const size_t end = token[at] == '"' ? string_end(token, at) : at + 1;
    if (end == kNone) break;
    if (!is_blank(token[at])) out << token.substr(at, end - at);
    at = end;
  }
  return out.view();
}

std::string_view to_pretty_text(Token token, Arena& arena) {
  // What nests deeper is shown without more indentation, so that the text stays linear in size.
  constexpr size_t kDeepestIndent = 64;
  TextBuilder out(arena, token.size() * 2);
  size_t depth = 0;
  for (size_t at = skip_blanks(token, 0); at < token.size(); at = skip_blanks(token, at)) {
    const char c = token[at];
    size_t end = c == '"' ? string_end(token, at) : at + 1;
    if (end == kNone) end = token.size();
    if (c == '}' || c == ']') {
      depth -= depth > 0 ? 1 : 0;
      new_line(out, std::min(depth, kDeepestIndent));
    }
    out << token.substr(at, end - at);
    at = end;
    if (c == '{' || c == '[') {
      const size_t next = skip_blanks(token, at);
      if (next < token.size() && (token[next] == '}' || token[next] == ']')) {
        out << token[next];
        at = next + 1;
        continue;
      }
      ++depth;
    }
    if (c == '{' || c == '[' || c == ',') new_line(out, std::min(depth, kDeepestIndent));
    if (c == ':') out << ' ';
  }
  return out.view();
}

}  // namespace saker::formats::json_text
