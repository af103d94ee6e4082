#include "formats/json_index.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
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
std::string unescaped(std::string_view part) {
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
  for (size_t i = 0; i < pointers.size(); ++i) {
    Node& node = nodes_[i + 1];
    node.part = last_part(pointers[i]);
    node.key = unescaped(node.part);
    const std::string_view parent = pointers[i].substr(0, pointers[i].rfind('/'));
    const auto place = std::find(pointers.begin(), pointers.end(), parent);
    SAKER_ASSERT(parent.empty() || place - pointers.begin() < static_cast<ptrdiff_t>(i));
    const size_t above = parent.empty() ? 0 : static_cast<size_t>(place - pointers.begin()) + 1;
    nodes_[above].children.push_back(static_cast<uint32_t>(i + 1));
  }
  for (Node& node : nodes_) make_table(node);
}

JsonPaths::Key JsonPaths::key_of(std::string_view text) {
  constexpr size_t kWord = sizeof(uint64_t);
  Key key{.text = text.data(), .length = static_cast<uint32_t>(text.size())};
  key.head = load<uint64_t>(text.data());
  if (text.size() < kWord)
    key.head &= (uint64_t{1} << text.size() * 8) - 1;
  else
    key.tail = load<uint64_t>(text.data() + text.size() - kWord);
  return key;
}

size_t JsonPaths::place_of(const Key& key, const Node& node) {
  const uint64_t all = key.head ^ std::rotl(key.tail, 29) ^ key.length;
  return mix64(all, node.multiplier) & (node.keys.size() - 1);
}

void JsonPaths::make_table(Node& node) const {
  if (node.children.empty()) return;
  size_t size = 4;
  while (size < node.children.size() * 4) size *= 2;
  std::mt19937_64 random(1);
  bool free = false;
  for (int tries = 0; !free; ++tries) {
    SAKER_ASSERT(tries < 100'000);
    node.keys.assign(size, {});
    node.multiplier = random() | 1;
    free = true;
    for (const uint32_t id : node.children) {
      const std::string& text = nodes_[id].key;
      const std::string padded = text + std::string(sizeof(uint64_t), '\0');
      Key key = key_of({padded.data(), text.size()});
      key.text = text.data();
      key.node = id;
      Key& place = node.keys[place_of(key, node)];
      free = free && place.node == kNone;
      place = key;
    }
  }
}

uint32_t JsonPaths::child(const Node& node, std::string_view text) {
  if (node.keys.empty()) return kNone;
  const Key key = key_of(text);
  const Key& candidate = node.keys[place_of(key, node)];
  constexpr size_t kBothWords = 2 * sizeof(uint64_t);
  const bool same =
      candidate.head == key.head && candidate.tail == key.tail && candidate.length == key.length &&
      (key.length <= kBothWords || std::memcmp(candidate.text, key.text, key.length) == 0);
  return same ? candidate.node : kNone;
}

uint32_t JsonPaths::child_named(const Node& node, std::string_view part) const {
  for (const uint32_t id : node.children)
    if (nodes_[id].part == part) return id;
  return kNone;
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
  const uint32_t* positions = positions_.data();
  const uint32_t limit = limit_;
  size_t depth = 0;
  for (; positions[at] < limit; ++at) {
    const char c = text[positions[at]];
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
    const bool wanted =
        node != JsonPaths::kNone && first == '{' && !paths_->nodes_[node].children.empty();
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
  const uint32_t* positions = positions_.data();
  const uint32_t limit = limit_;
  const JsonPaths::Node& row = paths_->nodes_[node];
  // Behind the last position stands the text's length, where nothing is to be read.
  ++at;
  if (positions[at] < limit && text[positions[at]] == '}') return at + 1;
  for (;;) {
    const uint32_t begin = positions[at];
    if (begin >= limit || text[begin] != '"' || positions[at + 1] >= limit ||
        text[positions[at + 1]] != ':')
      return kNowhere;
    const std::string_view quoted = between(begin, positions[at + 1]);
    if (quoted.size() < 2 || quoted.back() != '"') return kNowhere;
    const std::string_view key = quoted.substr(1, quoted.size() - 2);
    uint32_t child = JsonPaths::child(row, key);
    if (child == JsonPaths::kNone) {
      odd_keys_ |= std::memchr(key.data(), '\\', key.size()) != nullptr;
    } else if (values_[child - 1].data() != nullptr) {
      child = JsonPaths::kNone;  // the first one counts
    }
    std::string_view value;
    at = read_value(at + 2, child, value);
    if (at == kNowhere || positions[at] >= limit) return kNowhere;
    if (child != JsonPaths::kNone) values_[child - 1] = value;
    const char behind = text[positions[at++]];
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
    if (node == JsonPaths::kNone) return json_text::find(value, pointer);
    value = values_[node - 1];
    if (value.empty()) return std::nullopt;
    pointer.remove_prefix(part.size());
  }
  return value;
}

}  // namespace saker::formats
