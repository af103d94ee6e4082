// Writing small YAML values into a text that is there already, in the manner of what stands around.
#pragma once

#include <string>
#include <string_view>

#include "formats/yaml.h"
#include "formats/yaml_spans.h"

namespace saker::formats {

// Whether YAML 1.1 or 1.2 could take the plain text for something else than a text.
bool plain_is_no_text(std::string_view text);

// The same value, wherever and however it is written. Of a scalar that is not `quoted` the plain
// text is meant ("true", "8080").
bool same_value(const YamlNode& left, const YamlNode& right);

// One line. Styles that take several lines become plain or quoted.
std::string write_scalar(const YamlNode& scalar, YamlSpan::Style style, bool in_flow);

// "{name: x, hostPath: {path: /y}}", or with quotes around every text and key, as JSON has it.
std::string write_flow(const YamlNode& value, YamlSpan::Style style, bool json);

// How the blocks of a file are laid out.
struct YamlLayout {
  std::string line_break = "\n";
  size_t map_step = 2;   // a map's keys behind the key that it is the value of
  size_t list_step = 0;  // the dashes of a list behind its key
};

// An item of a list: `prefix` is what stands before its first byte, "  - ". `style` is for scalars.
std::string write_block_item(const YamlNode& item, std::string_view prefix, YamlSpan::Style style,
                             const YamlLayout& layout);
// An entry of a map whose keys stand at `column`.
std::string write_block_entry(std::string_view key, const YamlNode& value, size_t column,
                              const YamlLayout& layout);

}  // namespace saker::formats
