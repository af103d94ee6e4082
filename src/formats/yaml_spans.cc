// Builds the tree of yaml_spans.h from libyaml's events, whose marks of block collections and block
// scalars lie behind what follows them and are brought back to the last byte.
#include "formats/yaml_spans.h"

#include "formats/yaml_events.h"

namespace saker::formats {

namespace {

using Kind = YamlSpan::Kind;
using Style = YamlSpan::Style;

Style scalar_style(yaml_scalar_style_t style) {
  switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return Style::single;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return Style::quoted;
    case YAML_LITERAL_SCALAR_STYLE: return Style::literal;
    case YAML_FOLDED_SCALAR_STYLE: return Style::folded;
    default: break;
  }
  return Style::plain;
}

class SpanBuilder {
 public:
  SpanBuilder(std::string_view whole, size_t skipped, std::string_view file,
              const YamlLimits& limits)
      : whole_(whole), offsets_(whole.substr(skipped), skipped), file_(file), limits_(limits) {}

  Status take(const yaml_event_t& event);
  [[nodiscard]] Error error_at(const YamlMark& mark, std::string message) const {
    return Error{.message = std::move(message),
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

  std::vector<YamlSpan> documents;

 private:
  YamlSpan span_of(const yaml_event_t& event, Kind kind, Style style);
  Status add(YamlSpan span);
  Status open(const yaml_event_t& event, Kind kind, bool flow, bool decorated);
  Status close(const yaml_event_t& event);
  Status add_scalar(const yaml_event_t& event);

  std::string_view whole_;
  OffsetMap offsets_;
  std::string_view file_;
  const YamlLimits& limits_;
  std::vector<YamlSpan> open_;
  size_t nodes_ = 0;
};

YamlSpan SpanBuilder::span_of(const yaml_event_t& event, Kind kind, Style style) {
  YamlSpan span;
  span.kind = kind;
  span.style = style;
  span.mark = mark_of(event.start_mark);
  span.begin = span.mark.offset;
  span.end = mark_of(event.end_mark).offset;
  return span;
}

Status SpanBuilder::add(YamlSpan span) {
  if (open_.empty()) {
    documents.push_back(std::move(span));
    return {};
  }
  YamlSpan& parent = open_.back();
  if (parent.kind == Kind::sequence) {
    parent.items.push_back(std::move(span));
  } else if (parent.keys.size() == parent.values.size()) {
    parent.keys.push_back(std::move(span));
  } else {
    parent.values.push_back(std::move(span));
  }
  return {};
}

Status SpanBuilder::open(const yaml_event_t& event, Kind kind, bool flow, bool decorated) {
  YamlSpan span = span_of(event, kind, flow ? Style::flow : Style::block);
  span.decorated = decorated;
  if (open_.size() >= limits_.max_depth) return error_at(span.mark, "nested too deeply");
  open_.push_back(std::move(span));
  return {};
}

Status SpanBuilder::close(const yaml_event_t& event) {
  YamlSpan span = std::move(open_.back());
  open_.pop_back();
  if (span.is_flow()) {
    span.end = mark_of(event.end_mark).offset;
  } else if (!span.items.empty()) {
    span.end = span.items.back().end;
  } else if (!span.values.empty()) {
    span.end = std::max(span.values.back().end, span.keys.back().end);
  }
  return add(std::move(span));
}

Status SpanBuilder::add_scalar(const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  YamlSpan span = span_of(event, Kind::scalar, scalar_style(scalar.style));
  span.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
  span.decorated = scalar.anchor != nullptr || scalar.tag != nullptr;
  if (span.begin == span.end) span.kind = Kind::null;
  // A block scalar takes the breaks behind it along.
  if (span.style == Style::literal || span.style == Style::folded) {
    if (span.end > span.begin && whole_[span.end - 1] == '\n') --span.end;
    if (span.end > span.begin && whole_[span.end - 1] == '\r') --span.end;
  }
  return add(std::move(span));
}

Status SpanBuilder::take(const yaml_event_t& event) {
  const bool starts_node = event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT ||
                           event.type == YAML_SEQUENCE_START_EVENT ||
                           event.type == YAML_MAPPING_START_EVENT;
  if (starts_node && ++nodes_ > limits_.max_nodes)
    return error_at(mark_of(event.start_mark), "too many nodes");
  switch (event.type) {
    case YAML_SCALAR_EVENT: return add_scalar(event);
    case YAML_ALIAS_EVENT: {
      YamlSpan span = span_of(event, Kind::alias, Style::plain);
      span.text = text_of(event.data.alias.anchor);
      return add(std::move(span));
    }
    case YAML_SEQUENCE_START_EVENT: {
      const auto& start = event.data.sequence_start;
      return open(event, Kind::sequence, start.style == YAML_FLOW_SEQUENCE_STYLE,
                  start.anchor != nullptr || start.tag != nullptr);
    }
    case YAML_MAPPING_START_EVENT: {
      const auto& start = event.data.mapping_start;
      return open(event, Kind::map, start.style == YAML_FLOW_MAPPING_STYLE,
                  start.anchor != nullptr || start.tag != nullptr);
    }
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close(event);
    default: break;
  }
  return {};
}

}  // namespace

Result<std::vector<YamlSpan>> parse_yaml_spans(std::string_view text, std::string_view file,
                                               const YamlLimits& limits) {
  const std::string_view whole = text;
  const size_t skipped = skip_byte_order_mark(text);
  YamlParser parser;
  if (!parser.open(text)) return Error{.code = Code::io, .message = "out of memory"};
  SpanBuilder builder(whole, skipped, file, limits);
  for (;;) {
    EventHolder event;
    if (!event.read(parser.get())) {
      const YamlMark mark = builder.mark_of(problem_mark(parser.get()));
      return builder.error_at(mark, problem_text(parser.get()));
    }
    SAKER_CHECK(builder.take(event.get()));
    if (event.get().type == YAML_STREAM_END_EVENT) return std::move(builder.documents);
  }
}

}  // namespace saker::formats
