#include "formats/json_index.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "formats/json_text.h"

namespace saker::formats {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Brackets and braces differ in this bit alone.
bool opens(char c) {
  return (c | 0x20) == '{';
}
bool closes(char c) {
  return (c | 0x20) == '}';
}

// The part behind the last slash, in which ~1 is "/" and ~0 "~"; without them as it is.
std::string_view last_part(std::string_view pointer) {
  return pointer.substr(pointer.rfind('/') + 1);
}

// The key that a part of a pointer names.
std::string key_of(std::string_view part) {
  std::string key;
  for (size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '~' && i + 1 < part.size();
    key += !escape ? part[i] : part[++i] == '1' ? '/' : '~';
  }
  return key;
}

}  // namespace

JsonPaths::JsonPaths(std::span<const std::string_view> pointers)
    : pointers_(pointers), nodes_(pointers.size() + 1) {
  std::vector<std::vector<uint32_t>> children(nodes_.size());
  for (size_t i = 0; i < pointers.size(); ++i) {
    nodes_[i + 1].part = last_part(pointers[i]);
    nodes_[i + 1].key = key_of(nodes_[i + 1].part);
    SAKER_ASSERT(nodes_[i + 1].key.size() <= kLongestKey);
    const std::string_view parent = pointers[i].substr(0, pointers[i].rfind('/'));
    const auto place = std::find(pointers.begin(), pointers.end(), parent);
    SAKER_ASSERT(parent.empty() || place - pointers.begin() < static_cast<ptrdiff_t>(i));
    children[parent.empty() ? 0 : static_cast<size_t>(place - pointers.begin()) + 1].push_back(
        static_cast<uint32_t>(i + 1));
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    std::ranges::stable_sort(children[i], {}, [&](uint32_t id) { return nodes_[id].key.size(); });
    node.first_child = static_cast<uint32_t>(children_.size());
    node.child_count = static_cast<uint32_t>(children[i].size());
    children_.insert(children_.end(), children[i].begin(), children[i].end());
    for (size_t length = 0; length < node.of_length.size(); ++length)
      node.of_length[length] = static_cast<uint8_t>(std::ranges::count_if(
          children[i], [&](uint32_t id) { return nodes_[id].key.size() < length; }));
  }
}

uint32_t JsonPaths::child(const Node& node, std::string_view key) const {
  if (key.size() > kLongestKey) return 0;
  const uint32_t* all = children_.data() + node.first_child;
  for (uint32_t i = node.of_length[key.size()]; i < node.of_length[key.size() + 1]; ++i)
    if (std::memcmp(nodes_[all[i]].key.data(), key.data(), key.size()) == 0) return all[i];
  return 0;
}

uint32_t JsonPaths::child_named(const Node& node, std::string_view part) const {
  for (uint32_t i = 0; i < node.child_count; ++i) {
    const uint32_t id = children_[node.first_child + i];
    if (nodes_[id].part == part) return id;
  }
  return 0;
}

bool JsonIndex::scan(std::string_view block) {
  next_ = 0;
  const bool whole = structure_.scan(block);
  block_ = whole ? block : std::string_view();
  positions_ = structure_.positions();
  return whole;
}

// Where in the structure a text begins that has this offset in the block.
size_t JsonIndex::position_of(uint32_t offset) const {
  if (next_ < positions_.size() && positions_[next_] == offset) return next_;
  const auto place = std::ranges::lower_bound(positions_, offset);
  return place != positions_.end() && *place == offset
             ? static_cast<size_t>(place - positions_.begin())
             : kNowhere;
}

// What stands between two offsets, without the blanks at its end.
std::string_view JsonIndex::between(uint32_t begin, uint32_t end) const {
  const char* text = block_.data();
  while (end > begin && is_blank(text[end - 1])) --end;
  return {text + begin, text + end};
}

// Behind the object or array that begins at `at`.
size_t JsonIndex::skip_nested(size_t at) const {
  const char* text = block_.data();
  size_t depth = 0;
  for (; positions_[at] < limit_; ++at) {
    const char c = text[positions_[at]];
    if (opens(c)) {
      ++depth;
    } else if (closes(c) && --depth == 0) {
      return at + 1;
    }
  }
  return kNowhere;
}

size_t JsonIndex::read_value(size_t at, uint32_t node, std::string_view& value) {
  const uint32_t begin = positions_[at];
  if (begin >= limit_) return kNowhere;
  const char first = block_[begin];
  if (opens(first)) {
    const bool wanted = node != 0 && first == '{' && paths_->nodes_[node].child_count != 0;
    const size_t end = wanted ? read_object(at, node) : skip_nested(at);
    if (end != kNowhere) value = {block_.data() + begin, positions_[end - 1] + 1 - begin};
    return end;
  }
  if (closes(first) || first == ',' || first == ':') return kNowhere;
  value = between(begin, std::min(positions_[at + 1], limit_));
  const bool open = first == '"' && (value.size() < 2 || value.back() != '"');
  return open ? kNowhere : at + 1;
}

size_t JsonIndex::read_object(size_t at, uint32_t node) {
  const char* text = block_.data();
  // Behind the last position stands the text's length, where nothing is to be read.
  ++at;
  if (positions_[at] < limit_ && text[positions_[at]] == '}') return at + 1;
  for (;;) {
    const uint32_t begin = positions_[at];
    if (begin >= limit_ || text[begin] != '"' || positions_[at + 1] >= limit_ ||
        text[positions_[at + 1]] != ':')
      return kNowhere;
    const std::string_view quoted = between(begin, positions_[at + 1]);
    if (quoted.size() < 2 || quoted.back() != '"') return kNowhere;
    const std::string_view key = quoted.substr(1, quoted.size() - 2);
    uint32_t child = paths_->child(paths_->nodes_[node], key);
    if (child == 0) {
      odd_keys_ |= std::memchr(key.data(), '\\', key.size()) != nullptr;
    } else if (!values_[child - 1].empty()) {
      child = 0;  // the first one counts
    }
    std::string_view value;
    at = read_value(at + 2, child, value);
    if (at == kNowhere || positions_[at] >= limit_) return kNowhere;
    if (child != 0) values_[child - 1] = value;
    const char behind = text[positions_[at++]];
    if (behind == '}') return at;
    if (behind != ',') return kNowhere;
  }
}

bool JsonIndex::load(std::string_view text) {
  if (scan(text)) return load_part(text);
  text_ = text;
  odd_keys_ = false;
  std::ranges::fill(values_, std::string_view());
  return false;
}

bool JsonIndex::load_part(std::string_view text) {
  text_ = text;
  odd_keys_ = false;
  std::ranges::fill(values_, std::string_view());
  if (text.empty() || text.front() != '{') return false;
  SAKER_ASSERT(text.data() >= block_.data() &&
               text.data() + text.size() <= block_.data() + block_.size());
  const auto offset = static_cast<uint32_t>(text.data() - block_.data());
  limit_ = offset + static_cast<uint32_t>(text.size());
  size_t end = position_of(offset);
  if (end != kNowhere) end = read_object(end, 0);
  // Nothing may follow.
  if (end == kNowhere || positions_[end] < limit_) {
    std::ranges::fill(values_, std::string_view());
    return false;
  }
  next_ = end;
  if (odd_keys_) [[unlikely]] {
    for (size_t i = 0; i < values_.size(); ++i)
      values_[i] = json_text::find(text_, paths_->pointers_[i]).value_or(std::string_view());
  }
  return true;
}

std::optional<std::string_view> JsonIndex::find(std::string_view pointer) const {
  if (odd_keys_ || pointer.empty()) return json_text::find(text_, pointer);
  uint32_t node = 0;
  std::string_view value = text_;
  while (!pointer.empty()) {
    if (pointer.front() == '/') pointer.remove_prefix(1);
    const std::string_view part = pointer.substr(0, pointer.find('/'));
    node = paths_->child_named(paths_->nodes_[node], part);
    if (node == 0) return json_text::find(value, pointer);
    value = values_[node - 1];
    if (value.empty()) return std::nullopt;
    pointer.remove_prefix(part.size());
  }
  return value;
}

}  // namespace saker::formats
