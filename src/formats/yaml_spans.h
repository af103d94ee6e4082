// YAML as the pieces of its text: where each node begins and ends, and how it is written. For
// editing a file in place (yaml_edit.h); yaml.h says what the file means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/yaml.h"

namespace saker::formats {

struct YamlSpan {
  // null is nothing at all between begin and end; "~" is a scalar here.
  enum class Kind : uint8_t { null, scalar, sequence, map, alias } kind = Kind::null;
  enum class Style : uint8_t {
    plain,
    single,
    quoted,
    literal,
    folded,
    block,
    flow
  } style = Style::plain;
  YamlMark mark;                 // of its first byte
  size_t begin = 0;              // bytes
  size_t end = 0;                // behind the last byte that is its own, so before a line's end
  bool decorated = false;        // has an anchor or a tag, which are part of it
  std::string text;              // scalar: the value; alias: the anchor
  std::vector<YamlSpan> items;   // sequence
  std::vector<YamlSpan> keys;    // map
  std::vector<YamlSpan> values;  // map, one for each key

  [[nodiscard]] bool is_flow() const { return style == Style::flow; }
};

// The documents of a text, with the same children in the same order as parse_yaml gives, but that
// aliases stay aliases.
Result<std::vector<YamlSpan>> parse_yaml_spans(std::string_view text, std::string_view file,
                                               const YamlLimits& limits = {});

}  // namespace saker::formats
