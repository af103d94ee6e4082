// JSON objects of which the same few values are wanted, again and again: where they lie is found in
// one pass over the object's structure, guided by their pointers; other values are looked for in
// the text when they are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json.h"
#include "formats/json_structure.h"

namespace saker::formats {

// The wanted values as a tree of keys. Immutable.
class JsonPaths {
 public:
  // RFC 6901 pointers of members of objects; a parent stands before its members. The pointers must
  // stay.
  explicit JsonPaths(std::span<const std::string_view> pointers);

  [[nodiscard]] size_t size() const { return nodes_.size() - 1; }

 private:
  friend class JsonIndex;
  static constexpr uint32_t kNone = 0;  // the object itself is nobody's child

  // A wanted key of an object, by its length and its first and last bytes.
  struct Key {
    uint64_t head = 0, tail = 0;
    const char* text = nullptr;
    uint32_t length = 0, node = kNone;
  };
  struct Node {
    std::string key;
    std::string_view part;  // the key as pointers write it
    std::vector<uint32_t> children;
    std::vector<Key> keys;    // of the children, each where its hash says; a power of two of them
    uint64_t multiplier = 1;  // of that hash, with which no two keys fall together
  };

  static Key key_of(std::string_view text);
  static size_t place_of(const Key& key, const Node& node);
  void make_table(Node& node) const;
  // The child of a node with this key, behind which kJsonPadding bytes can be read; or kNone.
  [[nodiscard]] static uint32_t child(const Node& node, std::string_view key);
  // The same by the last part of its pointer.
  [[nodiscard]] uint32_t child_named(const Node& node, std::string_view part) const;

  std::span<const std::string_view> pointers_;
  std::vector<Node> nodes_;  // the object itself, then one a pointer, in their order
};

// Used for one text after the other without allocating, once warm. Not thread-safe.
class JsonIndex {
 public:
  explicit JsonIndex(const JsonPaths& paths) : paths_(&paths), values_(paths.size()) {}

  // Looks at a block of texts at once, for load_part() of each; false when the block is not JSON:
  // then each text has to be loaded by itself. The block must stay, unchanged, until the last part.
  bool scan(std::string_view block);
  // As load(), of a text in the block that was scanned last.
  bool load_part(std::string_view text);

  // False when the text is no JSON object, or invalid in what the pass looks at: then there are no
  // values. The text stays the caller's and must live as long as it is asked about.
  bool load(std::string_view text);

  [[nodiscard]] std::string_view text() const { return text_; }

  // The value of a wanted pointer, as its text; empty when it is not there. Of keys that come twice
  // the first counts.
  [[nodiscard]] std::string_view value(size_t pointer) const { return values_[pointer]; }

  // The value that any RFC 6901 pointer names, as json_text::find().
  [[nodiscard]] std::optional<std::string_view> find(std::string_view pointer) const;

 private:
  // All of these take and give positions in the structure; kNowhere when the text is invalid.
  static constexpr size_t kNowhere = SIZE_MAX;
  [[nodiscard]] size_t read_object(size_t at, uint32_t node);
  [[nodiscard]] size_t read_value(size_t at, uint32_t node, std::string_view& value);
  [[nodiscard]] size_t skip_nested(size_t at) const;
  [[nodiscard]] std::string_view between(uint32_t begin, uint32_t end) const;
  [[nodiscard]] size_t position_of(uint32_t offset) const;

  const JsonPaths* paths_;
  JsonStructure structure_;
  std::string_view block_;  // that structure_ is about
  std::span<const uint32_t> positions_;
  size_t next_ = 0;     // where the next text of the block probably begins
  uint32_t limit_ = 0;  // the text's end, in the block
  std::string_view text_;
  std::vector<std::string_view> values_;
  bool odd_keys_ = false;  // some key is written with escapes
};

}  // namespace saker::formats
