#include "formats/yaml_change.h"

#include <algorithm>
#include <cstddef>

namespace saker::formats {

namespace {

YamlNode* find_in(YamlNode& root, const YamlPath& path, size_t depth) {
  YamlNode* node = &root;
  for (size_t i = 0; i < depth; ++i) {
    YamlNode* next = nullptr;
    if (path[i].key.empty()) {
      if (path[i].index < node->items.size()) next = &node->items[path[i].index];
    } else {
      for (auto& [key, value] : node->entries)
        if (next == nullptr && key.is_scalar() && key.text == path[i].key) next = &value;
    }
    if (next == nullptr) return nullptr;
    node = next;
  }
  return node;
}

void remove_child(YamlNode& parent, const YamlStep& step) {
  if (step.key.empty()) {
    parent.items.erase(parent.items.begin() + static_cast<ptrdiff_t>(step.index));
    return;
  }
  const auto found =
      std::find_if(parent.entries.begin(), parent.entries.end(), [&](const YamlEntry& entry) {
        return entry.first.is_scalar() && entry.first.text == step.key;
      });
  if (found != parent.entries.end()) parent.entries.erase(found);
}

void change_node(YamlNode& node, const YamlChange& change) {
  switch (change.kind) {
    case YamlChange::Kind::append:
      node.kind = YamlNode::Kind::sequence;
      node.text.clear();
      node.items.insert(node.items.end(), change.values.begin(), change.values.end());
      break;
    case YamlChange::Kind::put:
      node.kind = YamlNode::Kind::map;
      node.text.clear();
      node.entries.push_back({yaml_text(change.key), change.values[0]});
      break;
    case YamlChange::Kind::set:
    case YamlChange::Kind::clear: node = change.values[0]; break;
    case YamlChange::Kind::remove: break;
  }
}

}  // namespace

const YamlNode* find_node(const YamlNode& root, const YamlPath& path) {
  return find_in(const_cast<YamlNode&>(root), path, path.size());
}

// Removals come last, from behind, so that no index moves before its
// turn.
void change_tree(YamlNode& root, const std::vector<YamlChange>& changes) {
  std::vector<const YamlPath*> removals;
  for (const YamlChange& change : changes) {
    if (change.kind == YamlChange::Kind::remove) {
      removals.push_back(&change.path);
    } else if (YamlNode* node = find_in(root, change.path, change.path.size())) {
      change_node(*node, change);
    }
  }
  std::sort(removals.begin(), removals.end(), [](const YamlPath* left, const YamlPath* right) {
    return left->back().index > right->back().index;
  });
  for (const YamlPath* path : removals)
    if (YamlNode* parent = find_in(root, *path, path->size() - 1))
      remove_child(*parent, path->back());
}

YamlNode yaml_text(std::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.text = text;
  node.quoted = true;
  return node;
}

YamlNode yaml_plain(std::string_view text) {
  YamlNode node = yaml_text(text);
  node.quoted = false;
  return node;
}

YamlNode yaml_map(std::vector<YamlEntry> entries) {
  YamlNode node;
  node.kind = YamlNode::Kind::map;
  node.entries = std::move(entries);
  return node;
}

YamlNode yaml_sequence(std::vector<YamlNode> items) {
  YamlNode node;
  node.kind = YamlNode::Kind::sequence;
  node.items = std::move(items);
  return node;
}

}  // namespace saker::formats
