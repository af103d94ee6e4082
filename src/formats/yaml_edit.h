// Changes to a YAML file that leave every byte alone that they are not about: comments, quotes,
// order and line ends stay. The result is read again and must be what was meant, or there is none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/yaml.h"

namespace saker::formats {

// A key of a map, or an index of a sequence where the key is empty.
struct YamlStep {
  std::string key;
  size_t index = 0;
  bool operator==(const YamlStep&) const = default;
};
using YamlPath = std::vector<YamlStep>;

struct YamlChange {
  enum class Kind : uint8_t {
    append,  // `values` to the sequence at `path`, which may be empty or null
    put,     // the new `key` with values[0] into the map at `path`
    set,     // the scalar or null at `path` becomes the scalar values[0]
    remove,  // the item or entry at `path`; never the last one of its parent
    clear,   // the list at `path` becomes values[0], which is [] or null
  } kind = Kind::append;
  YamlPath path;
  std::string key = {};
  std::vector<YamlNode> values = {};
};

// The node at `path`, or null. Of a key that is there twice, the first.
const YamlNode* find_node(const YamlNode& root, const YamlPath& path);

// Makes all changes, which are about the first document as it is in `text`. An error says where
// the text is written in a way that can't be changed safely.
Result<std::string> edit_yaml(std::string_view text, std::string_view file,
                              const std::vector<YamlChange>& changes);

// Nodes to write: a text, another scalar ("true", "8080"), a map or sequence under construction.
YamlNode yaml_text(std::string_view text);
YamlNode yaml_plain(std::string_view text);
YamlNode yaml_map(std::vector<YamlEntry> entries);
YamlNode yaml_sequence(std::vector<YamlNode> items);

}  // namespace saker::formats
