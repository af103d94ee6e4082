// Builds the tree of yaml.h from libyaml's events. Aliases are copied where they stand, within
// limits, so that a few lines can't grow into gigabytes.
#include "formats/yaml.h"

#include <unordered_map>

#include "base/hash.h"
#include "formats/yaml_events.h"

namespace saker::formats {

namespace {

constexpr size_t kMaxAliasNodes = 500'000;
constexpr size_t kMaxAliasBytes = size_t{64} << 20;

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
  return builder.error_at(builder.mark_of(problem_mark(parser)), problem_text(parser));
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.is_scalar() && name.text == key) return &value;
  return nullptr;
}

Result<std::vector<YamlNode>> parse_yaml(std::string_view text, std::string_view file,
                                         const YamlLimits& limits) {
  const size_t skipped = skip_byte_order_mark(text);
  YamlParser parser;
  if (!parser.open(text)) return Error{.code = Code::io, .message = "out of memory"};
  TreeBuilder builder(text, skipped, file, limits);
  for (;;) {
    EventHolder event;
    if (!event.read(parser.get())) return syntax_error(parser.get(), builder);
    const bool more = SAKER_TRY(builder.take(event.get()));
    const bool enough = limits.only_first_document && event.get().type == YAML_DOCUMENT_END_EVENT;
    if (!more || enough) return std::move(builder.documents);
  }
}

}  // namespace saker::formats
