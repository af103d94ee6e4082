// JSON read as a tree. Facade over simdjson. For metadata and configuration; the audit event path
// has a reader of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace saker::formats {

// Bytes that must be readable behind a text that is read in place.
inline constexpr size_t kJsonPadding = 64;

struct JsonMember;

struct JsonNode {
  enum class Kind : uint8_t {
    null,
    boolean,
    integer,
    unsigned_integer,
    real,
    text,
    array,
    object
  } kind = Kind::null;
  bool boolean = false;
  int64_t integer = 0;
  uint64_t unsigned_integer = 0;  // for values above INT64_MAX
  double real = 0;
  std::string text;
  std::vector<JsonNode> items;
  std::vector<JsonMember> members;

  [[nodiscard]] bool is_object() const { return kind == Kind::object; }
  [[nodiscard]] bool is_array() const { return kind == Kind::array; }
  [[nodiscard]] bool is_text() const { return kind == Kind::text; }
  // The member of an object, or null.
  [[nodiscard]] const JsonNode* find(std::string_view name) const;
  // The text, number or boolean of a member; the fallback when it is missing or of another kind.
  [[nodiscard]] std::string text_of(std::string_view name, std::string_view fallback = {}) const;
  [[nodiscard]] int64_t int_of(std::string_view name, int64_t fallback = 0) const;
  [[nodiscard]] bool bool_of(std::string_view name, bool fallback = false) const;
};

// A name and its value.
struct JsonMember {
  std::string first;
  JsonNode second;
};

// Refuses text deeper than 256 levels or of more than a million values, invalid UTF-8 and trailing
// bytes; the position has the byte offset.
Result<JsonNode> parse_json(std::string_view text);

// The tree as compact JSON text.
std::string to_json(const JsonNode& node);

// Appends the text in quotes, escaped; bytes that are no UTF-8 become U+FFFD.
void append_json_text(std::string_view text, std::string& out);

}  // namespace saker::formats
