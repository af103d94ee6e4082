// Any bytes as YAML: a tree within its limits whose marks lie in the text, or an error with its
// place.
// parser: src/formats/yaml.cc
#include "formats/yaml.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace saker;

void require(bool condition) {
  if (!condition) std::abort();
}

// The number of nodes.
size_t check(const formats::YamlNode& node, size_t text_size, size_t depth) {
  require(depth <= formats::YamlLimits{}.max_depth && node.mark.offset <= text_size);
  require(node.is_sequence() || node.items.empty());
  require(node.is_map() || node.entries.empty());
  size_t count = 1;
  for (const formats::YamlNode& item : node.items) count += check(item, text_size, depth + 1);
  for (const formats::YamlEntry& entry : node.entries) {
    count += check(entry.first, text_size, depth + 1) + check(entry.second, text_size, depth + 1);
    if (entry.first.is_scalar()) require(node.find(entry.first.text) != nullptr);
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const formats::YamlLimits limits{.max_nodes = 20'000};
  const Result<std::vector<formats::YamlNode>> documents =
      formats::parse_yaml({reinterpret_cast<const char*>(data), size}, "fuzz.yaml", limits);
  if (!documents.ok()) {
    require(!documents.error().message.empty() && documents.error().position.offset <= size);
    return 0;
  }
  size_t count = 0;
  for (const formats::YamlNode& document : *documents) count += check(document, size, 0);
  require(count <= limits.max_nodes);
  return 0;
}
