// Each change becomes replacements of bytes, found by the spans of the nodes around it. The same
// changes are made to the tree; the new text must read as that tree.
#include "formats/yaml_edit.h"

#include <algorithm>

#include "formats/yaml_change.h"
#include "formats/yaml_events.h"
#include "formats/yaml_spans.h"
#include "formats/yaml_write.h"

namespace saker::formats {

namespace {

using Kind = YamlSpan::Kind;
using Style = YamlSpan::Style;

struct Replacement {
  size_t begin, end;
  std::string text;
  size_t order = 0;  // of two at one place the first goes first
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t index_of_key(const YamlSpan& map, std::string_view key) {
  for (size_t i = 0; i < map.keys.size(); ++i)
    if (map.keys[i].kind == Kind::scalar && map.keys[i].text == key) return i;
  return map.keys.size();
}

// How maps and lists of the file are indented: as the first of each kind that tells.
void find_layout(const YamlSpan& span, bool& map_known, bool& list_known, YamlLayout& layout) {
  for (size_t i = 0; i < span.values.size(); ++i) {
    const YamlSpan& value = span.values[i];
    const size_t column = span.keys[i].mark.column;
    const bool nested = !span.is_flow() && value.style == Style::block && !value.decorated;
    if (nested && value.kind == Kind::map && !map_known && value.mark.column > column) {
      layout.map_step = value.mark.column - column;
      map_known = true;
    }
    if (nested && value.kind == Kind::sequence && !list_known && value.mark.column >= column) {
      layout.list_step = value.mark.column - column;
      list_known = true;
    }
    find_layout(value, map_known, list_known, layout);
  }
  for (const YamlSpan& item : span.items) find_layout(item, map_known, list_known, layout);
}

class Editor {
 public:
  Editor(std::string_view text, std::string_view file, const YamlSpan& root)
      : text_(text), file_(file), root_(root) {
    bool map_known = false, list_known = false;
    find_layout(root, map_known, list_known, layout_);
    json_ = root.is_flow() && !root.keys.empty() && root.keys[0].style == Style::quoted;
  }

  Status plan(const YamlChange& change);
  Result<std::string> apply();

 private:
  // A node with the one that it is in; `index` is its place there.
  struct Place {
    const YamlSpan* node = nullptr;
    const YamlSpan* parent = nullptr;
    size_t index = 0;
  };

  [[nodiscard]] Error refuse(const YamlSpan& span, std::string message) const;
  Result<Place> find(const YamlPath& path) const;
  Status append(const Place& place, const std::vector<YamlNode>& values);
  Status fill(const Place& place, const YamlNode& value);
  Status append_to_flow(const YamlSpan& list, const std::vector<YamlNode>& values);
  Status put(const Place& place, const std::string& key, const YamlNode& value);
  Status set(const Place& place, const YamlNode& value);
  Status remove(const Place& place);
  Status clear(const Place& place, const YamlNode& value);
  Status remove_lines(const YamlSpan& span, size_t begin, size_t end);
  Status remove_from_flow(const YamlSpan& node, const YamlSpan* before, size_t begin, size_t end);
  Status insert_into_flow(const YamlSpan& span, size_t end_of_last,
                          const std::vector<std::string>& pieces);

  [[nodiscard]] size_t line_begin(size_t at) const {
    const size_t found = at == 0 ? std::string_view::npos : text_.rfind('\n', at - 1);
    return found == std::string_view::npos ? 0 : found + 1;
  }
  [[nodiscard]] std::string line_break(size_t at) const;
  [[nodiscard]] bool only_blanks(size_t begin, size_t end) const {
    return std::all_of(text_.begin() + static_cast<ptrdiff_t>(begin),
                       text_.begin() + static_cast<ptrdiff_t>(end), is_blank);
  }
  // The first byte at or behind `at` that is no blank and in no comment.
  [[nodiscard]] size_t skip_blanks(size_t at) const;
  void insert_below(size_t at, const std::vector<std::string>& lines);
  YamlLayout layout_at(size_t at) const {
    YamlLayout layout = layout_;
    layout.line_break = line_break(at);
    return layout;
  }

  std::string_view text_, file_;
  const YamlSpan& root_;
  YamlLayout layout_;
  bool json_ = false;
  std::vector<Replacement> replacements_;
};

Error Editor::refuse(const YamlSpan& span, std::string message) const {
  return Error{.message = std::move(message),
               .position = {.file = std::string(file_),
                            .line = span.mark.line + 1,
                            .column = span.mark.column + 1,
                            .offset = span.mark.offset},
               .hint = "change this place by hand"};
}

Result<Editor::Place> Editor::find(const YamlPath& path) const {
  Place place{.node = &root_};
  for (const YamlStep& step : path) {
    const YamlSpan& parent = *place.node;
    if (parent.kind == Kind::alias || parent.decorated)
      return refuse(parent, "this is written with an anchor, an alias or a tag");
    const bool by_key = !step.key.empty();
    const auto& children = by_key ? parent.values : parent.items;
    const size_t index = by_key ? index_of_key(parent, step.key) : step.index;
    if (index >= children.size()) return refuse(parent, "what was to be changed is not here");
    place = {.node = &children[index], .parent = &parent, .index = index};
  }
  if (place.node->kind == Kind::alias || place.node->decorated)
    return refuse(*place.node, "this is written with an anchor, an alias or a tag");
  return place;
}

// As the line at `at` ends; the last line as the first.
std::string Editor::line_break(size_t at) const {
  size_t end = text_.find('\n', at);
  if (end == std::string_view::npos) end = text_.find('\n');
  const bool windows = end != std::string_view::npos && end > 0 && text_[end - 1] == '\r';
  return windows ? "\r\n" : "\n";
}

size_t Editor::skip_blanks(size_t at) const {
  while (at < text_.size()) {
    if (is_blank(text_[at])) {
      ++at;
    } else if (text_[at] == '#') {
      at = std::min(text_.find('\n', at), text_.size());
    } else {
      break;
    }
  }
  return at;
}

// New lines below the one that holds `at`. A last line without its end stays without.
void Editor::insert_below(size_t at, const std::vector<std::string>& lines) {
  const std::string ending = line_break(at);
  const size_t end = text_.find('\n', at);
  const bool last = end == std::string_view::npos;
  std::string text;
  for (const std::string& line : lines) text += last ? ending + line : line + ending;
  const size_t place = last ? text_.size() : end + 1;
  replacements_.push_back({place, place, std::move(text)});
}

Status Editor::append(const Place& place, const std::vector<YamlNode>& values) {
  const YamlSpan& list = *place.node;
  if (list.kind != Kind::sequence && list.kind != Kind::null && list.kind != Kind::scalar)
    return refuse(list, "a list was expected here");
  if (list.items.empty()) return fill(place, yaml_sequence(values));
  if (list.is_flow()) return append_to_flow(list, values);
  const YamlSpan& last = list.items.back();
  // As many blanks behind the dash as the last item has.
  size_t dash = last.begin;
  while (dash > 0 && text_[dash - 1] == ' ') --dash;
  const size_t gap = dash > 0 && text_[dash - 1] == '-' ? last.begin - dash : 1;
  const std::string prefix =
      std::string(list.mark.column, ' ') + "-" + std::string(std::clamp<size_t>(gap, 1, 8), ' ');
  const Style style = last.kind == Kind::scalar ? last.style : Style::plain;
  std::vector<std::string> lines;
  lines.reserve(values.size());
  for (const YamlNode& value : values)
    lines.push_back(write_block_item(value, prefix, style, layout_at(last.end)));
  insert_below(last.end, lines);
  return {};
}

// The value of a key that is nothing, null, [] or {}: a list or map takes its place.
Status Editor::fill(const Place& place, const YamlNode& value) {
  const YamlSpan& old = *place.node;
  if (place.parent == nullptr || place.parent->kind != Kind::map)
    return refuse(old, "nothing can be added here");
  const bool plain_null =
      old.kind == Kind::scalar && old.style == Style::plain && means_null(old.text);
  if (old.kind == Kind::scalar && !plain_null)
    return refuse(old, value.is_map() ? "a map was expected here" : "a list was expected here");
  if (old.is_flow() && !only_blanks(old.begin + 1, old.end - 1))
    return refuse(old, "a comment stands in these brackets");
  if (place.parent->is_flow()) {
    const std::string lead = old.begin == old.end ? " " : "";
    replacements_.push_back({old.begin, old.end, lead + write_flow(value, Style::plain, json_)});
    return {};
  }
  const YamlSpan& key = place.parent->keys[place.index];
  size_t begin = old.begin;
  while (begin > key.end && text_[begin - 1] == ' ') --begin;
  if (old.end > begin) replacements_.push_back({begin, old.end, ""});
  std::string block = write_block_entry(key.text, value, key.mark.column, layout_at(old.end));
  const size_t first_line = block.find('\n');
  if (first_line == std::string::npos) return refuse(old, "nothing can be added here");
  insert_below(std::max(old.end, key.end), {block.substr(first_line + 1)});
  return {};
}

// Behind the last piece of a flow collection that is not empty, on lines of their own when the
// last piece has one.
Status Editor::insert_into_flow(const YamlSpan& span, size_t end_of_last,
                                const std::vector<std::string>& pieces) {
  size_t next = skip_blanks(end_of_last);
  if (next >= text_.size()) return refuse(span, "this list has no end");
  const bool comma = text_[next] == ',';
  const YamlSpan& last = span.kind == Kind::map ? span.keys.back() : span.items.back();
  const bool own_lines = only_blanks(line_begin(last.begin), last.begin);
  if (!own_lines) {
    std::string text;
    for (const std::string& piece : pieces) text += ", " + piece;
    replacements_.push_back({end_of_last, end_of_last, std::move(text)});
    return {};
  }
  if (!comma) replacements_.push_back({end_of_last, end_of_last, ","});
  const size_t behind = comma ? next + 1 : end_of_last;
  // A comment behind the last piece stays with it.
  size_t place = behind;
  while (place < text_.size() && (text_[place] == ' ' || text_[place] == '\t')) ++place;
  if (place < text_.size() && text_[place] == '#') {
    place = std::min(text_.find('\n', place), text_.size());
    if (place > 0 && text_[place - 1] == '\r') --place;
  } else {
    place = behind;
  }
  const std::string lead = line_break(place) + std::string(last.mark.column, ' ');
  std::string text;
  for (size_t i = 0; i < pieces.size(); ++i)
    text += lead + pieces[i] + (comma || i + 1 < pieces.size() ? "," : "");
  replacements_.push_back({place, place, std::move(text)});
  return {};
}

Status Editor::append_to_flow(const YamlSpan& list, const std::vector<YamlNode>& values) {
  const YamlSpan& last = list.items.back();
  const Style style = last.kind == Kind::scalar ? last.style : Style::plain;
  std::vector<std::string> pieces;
  pieces.reserve(values.size());
  for (const YamlNode& value : values) pieces.push_back(write_flow(value, style, json_));
  return insert_into_flow(list, last.end, pieces);
}

Status Editor::put(const Place& place, const std::string& key, const YamlNode& value) {
  const YamlSpan& map = *place.node;
  if (map.kind == Kind::sequence) return refuse(map, "a map was expected here");
  if (map.keys.empty()) return fill(place, yaml_map({{yaml_text(key), value}}));
  if (index_of_key(map, key) < map.keys.size()) return refuse(map, key + " is here already");
  const size_t end = std::max(map.keys.back().end, map.values.back().end);
  if (map.is_flow()) {
    if (text_[map.begin] != '{') return refuse(map, "a map was expected here");
    YamlNode one = yaml_map({{yaml_text(key), value}});
    std::string piece = write_flow(one, Style::plain, json_);
    return insert_into_flow(map, end, {piece.substr(1, piece.size() - 2)});
  }
  insert_below(end, {write_block_entry(key, value, map.mark.column, layout_at(end))});
  return {};
}

Status Editor::set(const Place& place, const YamlNode& value) {
  const YamlSpan& old = *place.node;
  if (old.kind != Kind::scalar && old.kind != Kind::null)
    return refuse(old, "one value was expected here");
  const bool in_flow = place.parent != nullptr && place.parent->is_flow();
  const Style style = json_ ? Style::quoted : old.style;
  const std::string lead = old.begin == old.end ? " " : "";
  replacements_.push_back({old.begin, old.end, lead + write_scalar(value, style, in_flow)});
  return {};
}

// The lines from the one of `begin` to the one of `end`; blanks alone may stand before `begin`.
Status Editor::remove_lines(const YamlSpan& span, size_t begin, size_t end) {
  const size_t from = line_begin(begin);
  if (!only_blanks(from, begin)) return refuse(span, "other things stand on this line");
  const size_t line_end = text_.find('\n', end);
  const size_t to = line_end == std::string_view::npos ? text_.size() : line_end + 1;
  const size_t rest = skip_blanks(end);
  if (rest < to) return refuse(span, "other things stand on this line");
  replacements_.push_back({from, to, ""});
  return {};
}

// With the comma before it and the blanks between them; a comment between them stays.
Status Editor::remove_from_flow(const YamlSpan& node, const YamlSpan* before, size_t begin,
                                size_t end) {
  if (before == nullptr) return refuse(node, "the first piece of a list in brackets");
  const size_t comma = skip_blanks(before->end);
  if (comma >= begin || text_[comma] != ',') return refuse(node, "no comma stands before this");
  while (begin > comma + 1 && is_blank(text_[begin - 1])) --begin;
  replacements_.push_back({comma, comma + 1, ""});
  replacements_.push_back({begin, end, ""});
  return {};
}

Status Editor::remove(const Place& place) {
  const YamlSpan& node = *place.node;
  if (place.parent == nullptr) return refuse(node, "the whole document can't be removed");
  const YamlSpan& parent = *place.parent;
  const size_t index = place.index;
  if (parent.kind == Kind::map) {
    const YamlSpan& key = parent.keys[index];
    const size_t end = std::max(key.end, node.end);
    if (!parent.is_flow()) return remove_lines(key, key.begin, end);
    return remove_from_flow(key, index == 0 ? nullptr : &parent.values[index - 1], key.begin, end);
  }
  if (parent.is_flow())
    return remove_from_flow(node, index == 0 ? nullptr : &parent.items[index - 1], node.begin,
                            node.end);
  size_t dash = node.begin;
  while (dash > 0 && is_blank(text_[dash - 1])) --dash;
  if (dash == 0 || text_[dash - 1] != '-') return refuse(node, "the dash of this item is far away");
  return remove_lines(node, dash - 1, node.end);
}

Status Editor::clear(const Place& place, const YamlNode& value) {
  const YamlSpan& list = *place.node;
  if (list.kind != Kind::sequence || list.items.empty() || place.parent == nullptr ||
      place.parent->kind != Kind::map)
    return refuse(list, "a list was expected here");
  if (list.is_flow()) {
    replacements_.push_back({list.begin, list.end, write_flow(value, Style::plain, json_)});
    return {};
  }
  const size_t colon = skip_blanks(place.parent->keys[place.index].end);
  if (colon >= list.begin || text_[colon] != ':')
    return refuse(list, "no colon stands before this");
  if (!value.is_null()) replacements_.push_back({colon + 1, colon + 1, " []"});
  return remove_lines(list, list.begin, list.end);
}

Status Editor::plan(const YamlChange& change) {
  const Place place = SAKER_TRY(find(change.path));
  switch (change.kind) {
    case YamlChange::Kind::append: return append(place, change.values);
    case YamlChange::Kind::put: return put(place, change.key, change.values.at(0));
    case YamlChange::Kind::set: return set(place, change.values.at(0));
    case YamlChange::Kind::remove: return remove(place);
    case YamlChange::Kind::clear: return clear(place, change.values.at(0));
  }
  return {};
}

Result<std::string> Editor::apply() {
  for (size_t i = 0; i < replacements_.size(); ++i) replacements_[i].order = i;
  std::sort(replacements_.begin(), replacements_.end(),
            [](const Replacement& left, const Replacement& right) {
              return left.begin != right.begin ? left.begin < right.begin
                                               : left.order < right.order;
            });
  std::string out;
  size_t done = 0;
  for (const Replacement& replacement : replacements_) {
    if (replacement.begin < done) return refuse(root_, "two changes are about the same bytes");
    out += text_.substr(done, replacement.begin - done);
    out += replacement.text;
    done = replacement.end;
  }
  out += text_.substr(done);
  // When the last line has gone, the one before it is the last, without an end as that one.
  if (!text_.ends_with('\n') && out.ends_with('\n')) {
    out.pop_back();
    if (out.ends_with('\r')) out.pop_back();
  }
  return out;
}

Status check_result(std::string_view text, std::string_view file,
                    const std::vector<YamlNode>& expected) {
  const Error unsafe{.message = "the file is written in a way that can't be changed safely",
                     .position = {.file = std::string(file)},
                     .hint = "change it by hand"};
  const auto result = parse_yaml(text, file);
  if (!result.ok() || result->size() != expected.size()) return unsafe;
  for (size_t i = 0; i < expected.size(); ++i)
    if (!same_value((*result)[i], expected[i])) return unsafe;
  return {};
}

}  // namespace

Result<std::string> edit_yaml(std::string_view text, std::string_view file,
                              const std::vector<YamlChange>& changes) {
  if (changes.empty()) return std::string(text);
  std::vector<YamlNode> documents = SAKER_TRY(parse_yaml(text, file));
  const std::vector<YamlSpan> spans = SAKER_TRY(parse_yaml_spans(text, file));
  if (documents.empty() || spans.size() != documents.size())
    return Error{.message = std::string(file) + " holds no document"};
  Editor editor(text, file, spans[0]);
  for (const YamlChange& change : changes) SAKER_CHECK(editor.plan(change));
  std::string out = SAKER_TRY(editor.apply());
  change_tree(documents[0], changes);
  SAKER_CHECK(check_result(out, file, documents));
  return out;
}

}  // namespace saker::formats
