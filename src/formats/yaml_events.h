// What the two readers of YAML share: libyaml's events, and its marks as places in bytes. Only for
// the .cc files of this room.
#pragma once

#include <yaml.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "formats/yaml.h"

namespace saker::formats {

inline YamlMark to_mark(const yaml_mark_t& mark) {
  constexpr size_t kLargest = std::numeric_limits<uint32_t>::max();
  return {.line = static_cast<uint32_t>(std::min(mark.line, kLargest)),
          .column = static_cast<uint32_t>(std::min(mark.column, kLargest)),
          .offset = mark.index};
}

inline bool means_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// libyaml's event, released with the scope.
class EventHolder {
 public:
  EventHolder() = default;
  EventHolder(const EventHolder&) = delete;
  EventHolder& operator=(const EventHolder&) = delete;
  ~EventHolder() {
    if (filled_) yaml_event_delete(&event_);
  }
  bool read(yaml_parser_t& parser) {
    filled_ = yaml_parser_parse(&parser, &event_) != 0;
    return filled_;
  }
  [[nodiscard]] const yaml_event_t& get() const { return event_; }

 private:
  yaml_event_t event_{};
  bool filled_ = false;
};

// libyaml counts characters, we want bytes: of text with multi-byte characters the offsets are
// translated, going forward only. `skipped` bytes in front are not part of the text.
class OffsetMap {
 public:
  OffsetMap(std::string_view text, size_t skipped) : text_(text), skipped_(skipped) {
    ascii_ = std::none_of(text.begin(), text.end(), [](char c) { return c < 0; });
  }
  uint64_t to_byte(uint64_t character) {
    if (ascii_) return character + skipped_;
    if (character < character_) character_ = byte_ = 0;
    while (character_ < character && byte_ < text_.size()) {
      ++byte_;
      while (byte_ < text_.size() && (static_cast<uint8_t>(text_[byte_]) & 0xc0) == 0x80) ++byte_;
      ++character_;
    }
    return byte_ + skipped_;
  }

 private:
  std::string_view text_;
  size_t skipped_;
  bool ascii_ = false;
  uint64_t character_ = 0;
  uint64_t byte_ = 0;
};

// libyaml's parser over a text that outlives it.
class YamlParser {
 public:
  YamlParser() = default;
  YamlParser(const YamlParser&) = delete;
  YamlParser& operator=(const YamlParser&) = delete;
  ~YamlParser() {
    if (open_) yaml_parser_delete(&parser_);
  }
  // False when memory is short.
  bool open(std::string_view text) {
    open_ = yaml_parser_initialize(&parser_) != 0;
    if (!open_) return false;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    // libyaml wants a place even for no bytes.
    const char* bytes = text.data() == nullptr ? "" : text.data();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(bytes),
                                 text.size());
    return true;
  }
  [[nodiscard]] yaml_parser_t& get() { return parser_; }

 private:
  yaml_parser_t parser_{};
  bool open_ = false;
};

// Takes the mark off the text's front; the number of bytes that it had.
inline size_t skip_byte_order_mark(std::string_view& text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (!text.starts_with(kByteOrderMark)) return 0;
  text.remove_prefix(kByteOrderMark.size());
  return kByteOrderMark.size();
}

inline std::string text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

inline yaml_mark_t problem_mark(const yaml_parser_t& parser) {
  return parser.error == YAML_READER_ERROR ? parser.mark : parser.problem_mark;
}

inline std::string problem_text(const yaml_parser_t& parser) {
  std::string message = parser.problem != nullptr ? parser.problem : "invalid YAML";
  if (parser.context == nullptr) return message;
  message += " ";
  message += parser.context;
  if (parser.context_mark.line != problem_mark(parser).line)
    message += " of line " + std::to_string(parser.context_mark.line + 1);
  return message;
}

}  // namespace saker::formats
