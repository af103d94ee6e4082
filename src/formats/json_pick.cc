// The walk over one object, guided by a tree of the wanted names. See json_pick.h.
#include "formats/json_pick.h"

#include <simdjson.h>

#include <string>

namespace saker::formats {

namespace {

namespace dom = simdjson::dom;

struct Branch {
  std::string name;
  size_t index = SIZE_MAX;  // of the path that ends here
  std::vector<Branch> children;
};

Branch& child_of(Branch& parent, std::string_view name) {
  for (Branch& child : parent.children)
    if (child.name == name) return child;
  return parent.children.emplace_back(Branch{.name = std::string(name), .children = {}});
}

void clear(JsonPick& pick) {
  pick.present = false;
  pick.text = {};
  pick.items.clear();
}

void take(const dom::element& value, JsonPick& pick) {
  clear(pick);
  pick.present = !value.is_null();
  if (value.is_string()) pick.text = std::string_view(value);
  if (!value.is_array()) return;
  const dom::array items(value);
  for (const dom::element item : items)
    if (item.is_string()) pick.items.push_back(std::string_view(item));
}

}  // namespace

struct JsonPicker::State {
  dom::parser parser;
  Branch root;
  std::vector<dom::element> elements;  // of the picks that are present

  void walk(const dom::object& object, const Branch& branch, std::vector<JsonPick>& picks) {
    for (const dom::key_value_pair field : object) {
      for (const Branch& child : branch.children) {
        if (child.name != field.key) continue;
        if (child.index != SIZE_MAX) {
          take(field.value, picks[child.index]);
          elements[child.index] = field.value;
        } else if (field.value.is_object()) {
          walk(dom::object(field.value), child, picks);
        }
        break;
      }
    }
  }
};

JsonPicker::JsonPicker(std::span<const std::string_view> paths)
    : state_(std::make_unique<State>()), picks_(paths.size()) {
  state_->elements.resize(paths.size());
  for (size_t i = 0; i < paths.size(); ++i) {
    Branch* branch = &state_->root;
    std::string_view rest = paths[i];
    while (!rest.empty()) {
      const size_t dot = rest.find('.');
      branch = &child_of(*branch, rest.substr(0, dot));
      rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    }
    branch->index = i;
  }
}

JsonPicker::JsonPicker(JsonPicker&&) noexcept = default;
JsonPicker& JsonPicker::operator=(JsonPicker&&) noexcept = default;
JsonPicker::~JsonPicker() = default;

Status JsonPicker::read(std::string_view text) {
  static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);
  for (JsonPick& pick : picks_) clear(pick);
  dom::element root;
  auto error = state_->parser.parse(text.data(), text.size(), false).get(root);
  dom::object object;
  if (!error) error = root.get_object().get(object);
  if (error) return Error{.code = Code::invalid, .message = simdjson::error_message(error)};
  state_->walk(object, state_->root, picks_);
  return {};
}

size_t JsonPicker::size_of(size_t path) const {
  return picks_[path].present ? simdjson::minify(state_->elements[path]).size() : 0;
}

}  // namespace saker::formats
