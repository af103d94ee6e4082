// YAML as a tree with the place of every node. Facade over libyaml.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace saker::formats {

// Counted from 0, as the parser does.
struct YamlMark {
  uint32_t line = 0;
  uint32_t column = 0;
  uint64_t offset = 0;
};

struct YamlEntry;

struct YamlNode {
  enum class Kind : uint8_t { null, scalar, sequence, map } kind = Kind::null;
  YamlMark mark;
  std::string text;     // scalar
  bool quoted = false;  // scalar in quotes, a block style or !!str: never null, never a number
  std::vector<YamlNode> items;     // sequence
  std::vector<YamlEntry> entries;  // map, in file order, duplicate keys included

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_sequence() const { return kind == Kind::sequence; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  // The value of `key` in a map (the first, when it is there twice), or null.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

// A key and its value.
struct YamlEntry {
  YamlNode first, second;
};

struct YamlLimits {
  size_t max_depth = 64;
  size_t max_nodes = 2'000'000;      // after aliases are expanded: stops "billion laughs"
  bool only_first_document = false;  // what comes behind it is not even looked at
};

// All documents of a text; an empty one or only comments gives none. Plain `~`, `null` and nothing
// are null. Errors have `file`, line and column (from 1) and the offset.
Result<std::vector<YamlNode>> parse_yaml(std::string_view text, std::string_view file,
                                         const YamlLimits& limits = {});

}  // namespace saker::formats
