#include "formats/yaml_write.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "formats/json.h"

namespace saker::formats {

namespace {

using Style = YamlSpan::Style;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Written without quotes it can't be taken for anything else.
bool plain_is_safe(std::string_view text, bool in_flow) {
  constexpr std::string_view kMarks = "_./=@%+,:-";
  if (text.empty() || plain_is_no_text(text) || text.back() == ':') return false;
  const bool flag = text.size() > 2 && text.starts_with("--") && is_letter(text[2]);
  if (!is_letter(text[0]) && text[0] != '/' && !flag) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_digit(c) || is_letter(c) || (kMarks.contains(c) && !(in_flow && c == ','));
  });
}

std::string in_double_quotes(std::string_view text) {
  std::string out;
  append_json_text(text, out);
  return out;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

std::string in_single_quotes(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string write_key(std::string_view key, bool in_flow, bool json) {
  return !json && plain_is_safe(key, in_flow) ? std::string(key) : in_double_quotes(key);
}

void append_list(const std::vector<YamlNode>& items, size_t column, const YamlLayout& layout,
                 std::string& out) {
  for (const YamlNode& item : items)
    out += layout.line_break +
           write_block_item(item, std::string(column, ' ') + "- ", Style::plain, layout);
}

void append_entries(const std::vector<YamlEntry>& entries, size_t column, const YamlLayout& layout,
                    std::string& out) {
  bool first = true;
  for (const YamlEntry& entry : entries) {
    const std::string text = write_block_entry(entry.first.text, entry.second, column, layout);
    if (first) {
      out += std::string_view(text).substr(column);
    } else {
      out += layout.line_break + text;
    }
    first = false;
  }
}

}  // namespace

bool plain_is_no_text(std::string_view text) {
  constexpr std::array<std::string_view, 11> kWords = {"~",  "null", "true", "false", "yes", "no",
                                                       "on", "off",  "y",    "n",     "="};
  if (text.empty() || text == "<<") return true;
  if (std::find(kWords.begin(), kWords.end(), to_lower(text)) != kWords.end()) return true;
  if (is_digit(text[0]) || text[0] == '+' || text[0] == '.') return true;
  return text[0] == '-' && text.size() > 1 && (is_digit(text[1]) || text[1] == '.');
}

bool same_value(const YamlNode& left, const YamlNode& right) {
  if (left.kind != right.kind || left.text != right.text ||
      left.items.size() != right.items.size() || left.entries.size() != right.entries.size())
    return false;
  if (left.is_scalar() && left.quoted != right.quoted && plain_is_no_text(left.text)) return false;
  for (size_t i = 0; i < left.items.size(); ++i)
    if (!same_value(left.items[i], right.items[i])) return false;
  for (size_t i = 0; i < left.entries.size(); ++i)
    if (!same_value(left.entries[i].first, right.entries[i].first) ||
        !same_value(left.entries[i].second, right.entries[i].second))
      return false;
  return true;
}

std::string write_scalar(const YamlNode& scalar, Style style, bool in_flow) {
  const std::string& text = scalar.text;
  if (!scalar.quoted) return text;
  if (style == Style::single && is_printable(text)) return in_single_quotes(text);
  const bool quotes = style == Style::quoted || style == Style::single;
  return !quotes && plain_is_safe(text, in_flow) ? text : in_double_quotes(text);
}

std::string write_flow(const YamlNode& value, Style style, bool json) {
  if (value.is_null()) return "null";
  if (value.is_scalar()) return write_scalar(value, json ? Style::quoted : style, true);
  std::string out;
  for (const YamlNode& item : value.items)
    out += (out.empty() ? "" : ", ") + write_flow(item, style, json);
  if (value.is_sequence()) return "[" + out + "]";
  for (const YamlEntry& entry : value.entries)
    out += (out.empty() ? "" : ", ") + write_key(entry.first.text, true, json) + ": " +
           write_flow(entry.second, style, json);
  return "{" + out + "}";
}

std::string write_block_item(const YamlNode& item, std::string_view prefix, Style style,
                             const YamlLayout& layout) {
  std::string out(prefix);
  if (item.is_map() && !item.entries.empty()) {
    append_entries(item.entries, prefix.size(), layout, out);
  } else if (item.is_scalar()) {
    out += write_scalar(item, style, false);
  } else {
    out += write_flow(item, style, false);
  }
  return out;
}

std::string write_block_entry(std::string_view key, const YamlNode& value, size_t column,
                              const YamlLayout& layout) {
  std::string out = std::string(column, ' ') + write_key(key, false, false) + ":";
  if (value.is_scalar()) return out + " " + write_scalar(value, Style::plain, false);
  if (value.is_sequence() && !value.items.empty()) {
    append_list(value.items, column + layout.list_step, layout, out);
  } else if (value.is_map() && !value.entries.empty()) {
    const size_t inner = column + layout.map_step;
    out += layout.line_break + std::string(inner, ' ');
    append_entries(value.entries, inner, layout, out);
  } else {
    out += " " + write_flow(value, Style::plain, false);
  }
  return out;
}

}  // namespace saker::formats
