#include "rules/predicate.h"

#include <algorithm>

namespace saker::rules {

using filter::Many;
using filter::Op;
using filter::Type;

// The byte of `text` at `index` in reading direction.
static char byte_at(std::string_view text, size_t index, PatternTrie::Direction direction) {
  return direction == PatternTrie::Direction::forwards ? text[index]
                                                       : text[text.size() - 1 - index];
}

void PatternTrie::add(std::string_view pattern, PredicateId predicate) {
  uint32_t at = 0;
  size_t used = 0;
  while (used < pattern.size()) {
    uint32_t next = 0;
    for (uint32_t child : nodes_[at].children)
      if (nodes_[child].label[0] == byte_at(pattern, used, direction_)) next = child;
    if (next == 0) {  // nothing starts with this byte: the rest becomes one node
      Node leaf;
      for (size_t i = used; i < pattern.size(); ++i) leaf.label += byte_at(pattern, i, direction_);
      nodes_.push_back(std::move(leaf));
      next = static_cast<uint32_t>(nodes_.size() - 1);
      nodes_[at].children.push_back(next);
      at = next;
      break;
    }
    size_t common = 0;
    const std::string label = nodes_[next].label;
    while (common < label.size() && used + common < pattern.size() &&
           label[common] == byte_at(pattern, used + common, direction_))
      ++common;
    if (common < label.size()) {  // split the node where the pattern leaves it
      Node rest;
      rest.label = label.substr(common);
      rest.children = std::move(nodes_[next].children);
      rest.predicates = std::move(nodes_[next].predicates);
      nodes_.push_back(std::move(rest));
      nodes_[next].label = label.substr(0, common);
      nodes_[next].children = {static_cast<uint32_t>(nodes_.size() - 1)};
      nodes_[next].predicates.clear();
    }
    used += common;
    at = next;
  }
  std::vector<PredicateId>& predicates = nodes_[at].predicates;
  if (std::ranges::find(predicates, predicate) == predicates.end()) predicates.push_back(predicate);
}

void PatternTrie::find(std::string_view text, std::vector<PredicateId>& out) const {
  const Node* node = &nodes_[0];
  size_t used = 0;
  for (;;) {
    out.insert(out.end(), node->predicates.begin(), node->predicates.end());
    if (used >= text.size()) return;
    const char byte = byte_at(text, used, direction_);
    const Node* next = nullptr;
    for (uint32_t child : node->children) {
      if (nodes_[child].label[0] == byte) {
        next = &nodes_[child];
        break;
      }
    }
    if (next == nullptr || next->label.size() > text.size() - used) return;
    for (size_t i = 1; i < next->label.size(); ++i)
      if (next->label[i] != byte_at(text, used + i, direction_)) return;
    used += next->label.size();
    node = next;
  }
}

// Whether the look-up "some value satisfies it" answers the operator for this way of combining
// values.
static bool any_value_decides(Many many, Op op) {
  switch (many) {
    case Many::single:
    case Many::any:
    case Many::either: return true;
    case Many::list: return op == Op::intersects;
  }
  return false;
}

// A constant may stand twice in one check: its predicate is first then.
void PredicateGroup::add_link(uint32_t& first, PredicateId id) {
  if (first != kEnd && links_[first].predicate == id) return;
  links_.push_back({id, first});
  first = static_cast<uint32_t>(links_.size() - 1);
}

bool PredicateGroup::index_text(PredicateId id, const filter::Check& check) {
  switch (check.op) {
    case Op::eq:
    case Op::in:
    case Op::intersects:
      for (const filter::Constant& constant : check.constants)
        add_link(exact_.try_emplace(constant.text, kEnd).first->second, id);
      return true;
    case Op::startswith: prefixes_.add(check.constants[0].text, id); return true;
    case Op::endswith: suffixes_.add(check.constants[0].text, id); return true;
    default: return false;
  }
}

static uint64_t number_key(const filter::Constant& constant, Type type) {
  switch (type) {
    case Type::boolean: return constant.boolean ? 1 : 0;
    case Type::int16:
    case Type::int32:
    case Type::int64: return static_cast<uint64_t>(constant.integer);
    default: return constant.unsigned_integer;
  }
}

static bool indexable_number(Type type) {
  return type == Type::boolean || (filter::is_number(type) && type != Type::real);
}

bool PredicateGroup::index_number(PredicateId id, const filter::Check& check) {
  if (check.op != Op::eq && check.op != Op::in && check.op != Op::intersects) return false;
  for (const filter::Constant& constant : check.constants)
    add_link(numbers_.try_emplace(number_key(constant, left_.type), kEnd).first->second, id);
  return true;
}

bool PredicateGroup::add(PredicateId id, const filter::Check& check) {
  const bool plain = check.modifier == filter::Modifier::none && !check.right;
  bool indexed = false;
  if (plain && any_value_decides(left_.many, check.op)) {
    if (filter::is_text(left_.type)) {
      indexed = index_text(id, check);
    } else if (indexable_number(left_.type)) {
      indexed = index_number(id, check);
    }
  }
  has_index_ |= indexed;
  return indexed;
}

void PredicateGroup::find_text(std::string_view text, std::vector<PredicateId>& out) const {
  if (!exact_.empty()) {
    if (auto found = exact_.find(text); found != exact_.end()) follow(found->second, out);
  }
  if (!prefixes_.empty()) prefixes_.find(text, out);
  if (!suffixes_.empty()) suffixes_.find(text, out);
}

void PredicateGroup::find(const filter::Values& values, std::vector<PredicateId>& out) const {
  for (const filter::Value& value : values.span()) {
    if (value.kind == filter::Value::Kind::text) {
      find_text(value.text(), out);
    } else if (!numbers_.empty()) {
      if (auto found = numbers_.find(value.unsigned_integer); found != numbers_.end())
        follow(found->second, out);
    }
  }
}

PredicateId PredicateTable::intern(const std::shared_ptr<const filter::Check>& check) {
  const auto next = static_cast<PredicateId>(predicates_.size());
  auto [known, is_new_object] = by_check_.try_emplace(check.get(), next);
  if (!is_new_object) return known->second;
  auto [entry, is_new] = by_text_.try_emplace(check->text, next);
  const PredicateId id = entry->second;
  known->second = id;
  if (!is_new) return id;
  auto [group, new_group] =
      groups_by_left_.try_emplace(check->left.text, static_cast<uint32_t>(groups_.size()));
  if (new_group) groups_.emplace_back(check->left);
  const bool indexed = groups_[group->second].add(id, *check);
  const bool process_scope = check->left.scope == filter::Scope::process &&
                             (!check->right || check->right->scope == filter::Scope::process);
  predicates_.push_back({check, group->second, indexed, process_scope});
  return id;
}

}  // namespace saker::rules
