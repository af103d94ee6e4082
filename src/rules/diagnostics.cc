// Problems, snippets and places. See diagnostics.h.
#include "rules/diagnostics.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"

namespace saker::rules {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kDescriptions = {{
    {"LOAD_ERR_FILE_READ", "File read error"},
    {"LOAD_ERR_YAML_PARSE", "YAML parse error"},
    {"LOAD_ERR_YAML_VALIDATE", "Error validating internal structure of YAML file"},
    {"LOAD_ERR_COMPILE_CONDITION", "Error compiling condition"},
    {"LOAD_ERR_COMPILE_OUTPUT", "Error compiling output"},
    {"LOAD_ERR_VALIDATE", "Error validating rule/macro/list/exception objects"},
    {"LOAD_ERR_EXTENSION", "Error in extension item"},
    {"LOAD_UNKNOWN_SOURCE", "Unknown event source"},
    {"LOAD_UNSAFE_NA_CHECK", "Unsafe <NA> comparison in condition"},
    {"LOAD_NO_EVTTYPE", "Condition has no event-type restriction"},
    {"LOAD_UNKNOWN_FILTER", "Unknown field or event-type in condition or output"},
    {"LOAD_UNUSED_MACRO", "Unused macro"},
    {"LOAD_UNUSED_LIST", "Unused list"},
    {"LOAD_UNKNOWN_ITEM", "Unknown rules file item"},
    {"LOAD_DEPRECATED_ITEM", "Used deprecated item"},
    {"LOAD_WARNING_EXTENSION", "Warning in extension item"},
    {"LOAD_APPEND_NO_VALUES", "Overriding/appending with no values"},
    {"LOAD_EXCEPTION_NAME_NOT_UNIQUE", "Multiple exceptions defined with the same name"},
    {"LOAD_INVALID_MACRO_NAME", "Invalid macro name"},
    {"LOAD_INVALID_LIST_NAME", "Invalid list name"},
    {"LOAD_COMPILE_CONDITION", "Warning in rule condition"},
    {"LOAD_UNKNOWN_KEY", "Unknown key"},
}};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool starts_character(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) != 0x80;
}

// Walks a scalar as it is written in the file, counting the bytes that its value has of it.
class ScalarWalk {
 public:
  ScalarWalk(std::string_view text, const formats::YamlMark& start) : text_(text), mark_(start) {
    skip_properties();
    const char first = peek();
    style_ = first == '"' || first == '\'' || first == '|' || first == '>' ? first : 'p';
    if (style_ == '|' || style_ == '>') {
      while (!done() && peek() != '\n') step();
    } else if (style_ != 'p') {
      step();
    }
  }

  // Moves to the place of the value's visible byte number `count`.
  void advance(size_t count) {
    for (;;) {
      while (!done() && is_blank(peek())) step();
      if (done() || (style_ == '\'' && peek() == '\'' && peek(1) != '\'') ||
          (style_ == '"' && peek() == '"'))
        return;
      const auto [length, produced] = next_unit();
      if (produced > count) return;
      count -= produced;
      for (size_t i = 0; i < length && !done(); ++i) step();
    }
  }

  [[nodiscard]] const formats::YamlMark& mark() const { return mark_; }

 private:
  [[nodiscard]] bool done() const { return mark_.offset >= text_.size(); }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return mark_.offset + ahead < text_.size() ? text_[mark_.offset + ahead] : '\0';
  }
  void step() {
    const char c = peek();
    ++mark_.offset;
    if (c == '\n') {
      ++mark_.line;
      mark_.column = 0;
    } else if (starts_character(c)) {
      ++mark_.column;
    }
  }
  // An anchor or tag before the value.
  void skip_properties() {
    while (peek() == '&' || peek() == '!') {
      while (!done() && !is_blank(peek())) step();
      while (!done() && is_blank(peek())) step();
    }
  }

  struct Unit {
    size_t length;    // bytes in the file
    size_t produced;  // visible bytes in the value
  };
  [[nodiscard]] Unit next_unit() const {
    if (style_ == '\'' && peek() == '\'') return {2, 1};
    if (style_ != '"' || peek() != '\\') return {1, 1};
    switch (peek(1)) {
      case 'n':
      case 't':
      case 'r':
      case ' ':
      case '\t':
      case '\n':
      case '\r': return {2, 0};
      case 'N':
      case '_': return {2, 2};
      case 'L':
      case 'P': return {2, 3};
      case 'x': return {4, utf8_size(2)};
      case 'u': return {6, utf8_size(4)};
      case 'U': return {10, utf8_size(8)};
      default: return {2, 1};
    }
  }
  [[nodiscard]] size_t utf8_size(size_t digits) const {
    const auto start = static_cast<size_t>(mark_.offset) + 2;
    if (start + digits > text_.size()) return 1;
    const auto value = parse_uint("0x" + std::string(text_.substr(start, digits))).value_or(0);
    if (value == ' ' || value == '\t' || value == '\n' || value == '\r') return 0;
    return value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
  }

  std::string_view text_;
  formats::YamlMark mark_;
  char style_ = 'p';
};

}  // namespace

std::string_view code_description(std::string_view code) {
  for (const auto& [name, description] : kDescriptions)
    if (name == code) return description;
  return {};
}

std::string snippet_at(std::string_view text, const formats::YamlMark& mark) {
  constexpr size_t kBefore = 80, kAfter = 60;
  if (text.empty()) return {};
  const size_t offset = std::min<size_t>(mark.offset, text.size());
  size_t begin = offset == 0 ? 0 : text.rfind('\n', offset - 1);
  begin = begin == std::string_view::npos || offset == 0 ? 0 : begin + 1;
  size_t end = std::min(text.find('\n', offset), text.size());
  if (end > begin && text[end - 1] == '\r' && end > offset) --end;
  if (offset - begin > kBefore) {
    begin = offset - kBefore;
    while (begin < offset && !starts_character(text[begin])) ++begin;
  }
  if (end - offset > kAfter) {
    end = offset + kAfter;
    while (end > offset && end < text.size() && !starts_character(text[end])) --end;
  }
  std::string line(text.substr(begin, end - begin));
  for (char& c : line)
    if (static_cast<uint8_t>(c) < 0x20) c = ' ';
  const auto width = std::count_if(text.begin() + static_cast<ptrdiff_t>(begin),
                                   text.begin() + static_cast<ptrdiff_t>(offset), starts_character);
  return sanitize_utf8(line) + "\n" + std::string(static_cast<size_t>(width), ' ') + "^\n";
}

FilePlace place_in_scalar(std::string_view file_text, const FilePlace& start,
                          std::string_view value, size_t offset) {
  const auto visible = std::count_if(
      value.begin(), value.begin() + static_cast<ptrdiff_t>(std::min(offset, value.size())),
      [](char c) { return !is_blank(c); });
  ScalarWalk walk(file_text, start.mark);
  walk.advance(static_cast<size_t>(visible));
  return {.file = start.file, .mark = walk.mark()};
}

std::string suggest(std::string_view word, const std::vector<std::string>& candidates) {
  const auto found = nearest(word, candidates);
  return found && *found != word ? "did you mean '" + *found + "'?" : std::string();
}

Problem Reporter::make(std::string_view code, std::string message, const Trail& trail,
                       std::string hint) const {
  Problem problem{.code = std::string(code),
                  .message = std::move(message),
                  .context = {},
                  .snippet = snippet_at(text_of(trail.place.file), trail.place.mark),
                  .hint = std::move(hint),
                  .is_error = code.starts_with("LOAD_ERR_")};
  for (const Trail* step = &trail; step != nullptr; step = step->parent)
    problem.context.push_back({.item_type = std::string(step->item_type),
                               .item_name = std::string(step->item_name),
                               .file = std::string(name_of(step->place.file)),
                               .line = step->place.mark.line,
                               .column = step->place.mark.column,
                               .offset = step->place.mark.offset});
  std::reverse(problem.context.begin(), problem.context.end());
  return problem;
}

void Reporter::warn(std::string_view code, std::string message, const Trail& trail,
                    std::string hint) {
  report_->warnings.push_back(make(code, std::move(message), trail, std::move(hint)));
}

Error Reporter::fail(std::string_view code, std::string message, const Trail& trail,
                     std::string hint) {
  report_->errors.push_back(make(code, message, trail, std::move(hint)));
  return Error{.code = Code::invalid, .message = std::move(message)};
}

}  // namespace saker::rules
