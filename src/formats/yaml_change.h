// Changes of YAML made to its tree, beside those that are made to its text. Only for the .cc files
// of this room.
#pragma once

#include <vector>

#include "formats/yaml_edit.h"

namespace saker::formats {

// All are about the tree as it is before the first.
void change_tree(YamlNode& root, const std::vector<YamlChange>& changes);

}  // namespace saker::formats
