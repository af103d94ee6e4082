// Builds the tree of yaml.h from libyaml's events. Aliases are copied where they stand, within
// limits, so that a few lines can't grow into gigabytes.
#include "formats/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/hash.h"

namespace saker::formats {

namespace {

constexpr size_t kMaxAliasNodes = 500'000;
constexpr size_t kMaxAliasBytes = size_t{64} << 20;

YamlMark to_mark(const yaml_mark_t& mark) {
  constexpr size_t kLargest = std::numeric_limits<uint32_t>::max();
  return {.line = static_cast<uint32_t>(std::min(mark.line, kLargest)),
          .column = static_cast<uint32_t>(std::min(mark.column, kLargest)),
          .offset = mark.index};
}

bool means_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// libyaml's event, released with the scope.
class EventHolder {
 public:
  EventHolder() = default;
  EventHolder(const EventHolder&) = delete;
  EventHolder& operator=(const EventHolder&) = delete;
  ~EventHolder() {
    if (filled_) yaml_event_delete(&event_);
  }
  bool read(yaml_parser_t& parser) {
    filled_ = yaml_parser_parse(&parser, &event_) != 0;
    return filled_;
  }
  [[nodiscard]] const yaml_event_t& get() const { return event_; }

 private:
  yaml_event_t event_{};
  bool filled_ = false;
};

// libyaml counts characters, we want bytes: of text with multi-byte characters the offsets are
// translated, going forward only. `skipped` bytes in front are not part of the text.
class OffsetMap {
 public:
  OffsetMap(std::string_view text, size_t skipped) : text_(text), skipped_(skipped) {
    ascii_ = std::none_of(text.begin(), text.end(), [](char c) { return c < 0; });
  }
  uint64_t to_byte(uint64_t character) {
    if (ascii_) return character + skipped_;
    if (character < character_) character_ = byte_ = 0;
    while (character_ < character && byte_ < text_.size()) {
      ++byte_;
      while (byte_ < text_.size() && (static_cast<uint8_t>(text_[byte_]) & 0xc0) == 0x80) ++byte_;
      ++character_;
    }
    return byte_ + skipped_;
  }

 private:
  std::string_view text_;
  size_t skipped_;
  bool ascii_ = false;
  uint64_t character_ = 0;
  uint64_t byte_ = 0;
};

class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, size_t skipped, std::string_view file,
              const YamlLimits& limits)
      : file_(file), limits_(limits), offsets_(text, skipped) {}

  // False at the end of the stream.
  Result<bool> take(const yaml_event_t& event);

  std::vector<YamlNode> documents;

  [[nodiscard]] Error error_at(const YamlMark& mark, std::string message) const {
    return Error{.code = Code::invalid,
                 .message = std::move(message),
                 .position = {.file = std::string(file_),
                              .line = mark.line + 1,
                              .column = mark.column + 1,
                              .offset = mark.offset}};
  }
  YamlMark mark_of(const yaml_mark_t& mark) {
    YamlMark result = to_mark(mark);
    result.offset = offsets_.to_byte(result.offset);
    return result;
  }

 private:
  // An open sequence or map. The pointer stays good: the vector that holds the node grows again
  // only after the node is closed.
  struct Frame {
    YamlNode* node;
    bool value_next = false;  // of a map: the key is there
    std::string anchor;
  };

  Result<YamlNode*> add(YamlNode node);
  Status open(YamlNode::Kind kind, const yaml_event_t& event, const yaml_char_t* anchor);
  Status add_scalar(const yaml_event_t& event);
  Status add_alias(const yaml_event_t& event);
  Status remember(const std::string& anchor, const YamlNode& node);
  Status count_copy(const YamlNode& node);

  std::string_view file_;
  const YamlLimits& limits_;
  OffsetMap offsets_;
  std::vector<Frame> open_;
  std::unordered_map<std::string, YamlNode, StringHash, std::equal_to<>> anchors_;
  size_t nodes_ = 0;
  size_t alias_nodes_ = 0;
  size_t alias_bytes_ = 0;
};

std::string text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

Result<YamlNode*> TreeBuilder::add(YamlNode node) {
  if (++nodes_ > limits_.max_nodes) return error_at(node.mark, "too many nodes");
  if (open_.empty()) {
    documents.push_back(std::move(node));
    return &documents.back();
  }
  Frame& parent = open_.back();
  if (parent.node->kind == YamlNode::Kind::sequence) {
    parent.node->items.push_back(std::move(node));
    return &parent.node->items.back();
  }
  auto& entries = parent.node->entries;
  if (parent.value_next) {
    entries.back().second = std::move(node);
    parent.value_next = false;
    return &entries.back().second;
  }
  entries.emplace_back(std::move(node), YamlNode{});
  parent.value_next = true;
  return &entries.back().first;
}

Status TreeBuilder::open(YamlNode::Kind kind, const yaml_event_t& event,
                         const yaml_char_t* anchor) {
  YamlNode node;
  node.kind = kind;
  node.mark = mark_of(event.start_mark);
  if (open_.size() >= limits_.max_depth) return error_at(node.mark, "nested too deeply");
  YamlNode* place = SAKER_TRY(add(std::move(node)));
  open_.push_back({.node = place, .anchor = text_of(anchor)});
  return {};
}

Status TreeBuilder::add_scalar(const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  YamlNode node;
  node.mark = mark_of(event.start_mark);
  node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
  node.quoted = scalar.style != YAML_PLAIN_SCALAR_STYLE || text_of(scalar.tag) == YAML_STR_TAG;
  const bool is_null = !node.quoted && scalar.tag == nullptr && means_null(node.text);
  node.kind = is_null ? YamlNode::Kind::null : YamlNode::Kind::scalar;
  YamlNode* place = SAKER_TRY(add(std::move(node)));
  if (scalar.anchor != nullptr) SAKER_CHECK(remember(text_of(scalar.anchor), *place));
  return {};
}

// Every copy of a node costs memory, whether made for an alias or kept for one.
Status TreeBuilder::count_copy(const YamlNode& node) {
  alias_bytes_ += node.text.size();
  if (++alias_nodes_ > kMaxAliasNodes || alias_bytes_ > kMaxAliasBytes)
    return error_at(node.mark, "aliases expand to too much");
  for (const YamlNode& item : node.items) SAKER_CHECK(count_copy(item));
  for (const auto& [key, value] : node.entries) {
    SAKER_CHECK(count_copy(key));
    SAKER_CHECK(count_copy(value));
  }
  return {};
}

Status TreeBuilder::remember(const std::string& anchor, const YamlNode& node) {
  if (anchor.empty()) return {};
  SAKER_CHECK(count_copy(node));
  anchors_.insert_or_assign(anchor, node);
  return {};
}

Status TreeBuilder::add_alias(const yaml_event_t& event) {
  const std::string name = text_of(event.data.alias.anchor);
  const YamlMark mark = mark_of(event.start_mark);
  for (const Frame& frame : open_)
    if (frame.anchor == name) return error_at(mark, "alias '" + name + "' contains itself");
  auto found = anchors_.find(name);
  if (found == anchors_.end()) return error_at(mark, "unknown alias '" + name + "'");
  const size_t before = alias_nodes_;
  SAKER_CHECK(count_copy(found->second));
  nodes_ += alias_nodes_ - before;
  SAKER_TRY(add(found->second));
  return {};
}

Result<bool> TreeBuilder::take(const yaml_event_t& event) {
  switch (event.type) {
    case YAML_STREAM_END_EVENT: return false;
    case YAML_DOCUMENT_START_EVENT: anchors_.clear(); break;
    case YAML_SCALAR_EVENT: SAKER_CHECK(add_scalar(event)); break;
    case YAML_ALIAS_EVENT: SAKER_CHECK(add_alias(event)); break;
    case YAML_SEQUENCE_START_EVENT:
      SAKER_CHECK(open(YamlNode::Kind::sequence, event, event.data.sequence_start.anchor));
      break;
    case YAML_MAPPING_START_EVENT:
      SAKER_CHECK(open(YamlNode::Kind::map, event, event.data.mapping_start.anchor));
      break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: {
      Frame closed = std::move(open_.back());
      open_.pop_back();
      SAKER_CHECK(remember(closed.anchor, *closed.node));
      break;
    }
    default: break;
  }
  return true;
}

Error syntax_error(const yaml_parser_t& parser, TreeBuilder& builder) {
  std::string message = parser.problem != nullptr ? parser.problem : "invalid YAML";
  yaml_mark_t mark = parser.problem_mark;
  if (parser.error == YAML_READER_ERROR) {
    mark = parser.mark;
    mark.index = parser.mark.index;
  }
  if (parser.context != nullptr) {
    message += " ";
    message += parser.context;
    if (parser.context_mark.line != mark.line)
      message += " of line " + std::to_string(parser.context_mark.line + 1);
  }
  return builder.error_at(builder.mark_of(mark), std::move(message));
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.is_scalar() && name.text == key) return &value;
  return nullptr;
}

Result<std::vector<YamlNode>> parse_yaml(std::string_view text, std::string_view file,
                                         const YamlLimits& limits) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  const size_t skipped = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  text.remove_prefix(skipped);
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0)
    return Error{.code = Code::io, .message = "out of memory"};
  struct Closer {
    yaml_parser_t* parser;
    ~Closer() { yaml_parser_delete(parser); }
  } closer{&parser};
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  // libyaml wants a place even for no bytes.
  const char* bytes = text.data() == nullptr ? "" : text.data();
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(bytes), text.size());
  TreeBuilder builder(text, skipped, file, limits);
  for (;;) {
    EventHolder event;
    if (!event.read(parser)) return syntax_error(parser, builder);
    const bool more = SAKER_TRY(builder.take(event.get()));
    const bool enough = limits.only_first_document && event.get().type == YAML_DOCUMENT_END_EVENT;
    if (!more || enough) return std::move(builder.documents);
  }
}

}  // namespace saker::formats
