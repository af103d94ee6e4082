#include "rules/expr_table.h"

#include <algorithm>

#include "base/arena.h"
#include "base/hash.h"
#include "event/event.h"

namespace saker::rules {

using filter::Expr;

// Fields whose value follows from the event code alone, for events that are not generic.
static bool follows_from_type(std::string_view field) {
  return field == "evt.type" || field == "syscall.type" || field == "evt.dir" ||
         field == "evt.is_io" || field == "evt.is_io_read" || field == "evt.is_io_write" ||
         field == "evt.is_wait";
}

// Events whose name is in their parameters.
static bool names_itself(event::EventCode code) {
  return code == event::GENERIC_E || code == event::GENERIC_X || code == event::ASYNCEVENT_E ||
         code == event::PLUGINEVENT_E;
}

static uint32_t cost_of(const filter::Check& check, bool indexed) {
  constexpr uint32_t kIndexed = 4, kPlain = 8, kSearch = 16, kRegex = 200, kHostName = 1000;
  if (check.left.type == filter::Type::boolean) return 1;
  if (indexed) return kIndexed;
  if (check.left.type == filter::Type::hostname) return kHostName;  // may wait for a name server
  switch (check.op) {
    case filter::Op::regex: return kRegex;
    case filter::Op::contains:
    case filter::Op::icontains:
    case filter::Op::glob:
    case filter::Op::iglob:
    case filter::Op::pmatch: return kSearch;
    default: return kPlain;
  }
}

ExprTable::ExprTable(PredicateTable& predicates) : predicates_(predicates) {
  nodes_.push_back({.kind = ExprNode::Kind::constant_false, .process_scope = true});
  nodes_.push_back({.kind = ExprNode::Kind::constant_true, .process_scope = true});
}

std::optional<bool> ExprTable::decided_by_type(const filter::Check& check, event::EventCode code) {
  if (names_itself(code) || check.left.kind != filter::Operand::Kind::field || check.right)
    return std::nullopt;
  if (!follows_from_type(check.left.field.info->name)) return std::nullopt;
  auto [entry, is_new] = decided_.try_emplace({&check, code}, std::nullopt);
  if (is_new) {
    Arena scratch(64);
    event::Event event;
    event.type = code;
    entry->second = filter::matches(check, {.event = &event, .scratch = &scratch});
  }
  return entry->second;
}

// `parts` are the children, or the predicate of a check.
static uint64_t hash_of(ExprNode::Kind kind, std::span<const uint32_t> parts) {
  uint64_t hash = static_cast<uint64_t>(kind) + 1;
  for (uint32_t part : parts) hash = mix64(hash ^ (uint64_t{part} + 1), 0x9e3779b97f4a7c15ULL);
  return hash;
}

std::optional<NodeId> ExprTable::find(uint64_t hash, ExprNode::Kind kind,
                                      std::span<const uint32_t> parts) const {
  const auto [begin, end] = interned_.equal_range(hash);
  for (auto entry = begin; entry != end; ++entry) {
    const ExprNode& node = nodes_[entry->second];
    if (node.kind != kind) continue;
    const bool is_check = kind == ExprNode::Kind::check || kind == ExprNode::Kind::not_check;
    if (is_check ? node.predicate == parts[0] : std::ranges::equal(children(node), parts))
      return entry->second;
  }
  return std::nullopt;
}

NodeId ExprTable::insert(uint64_t hash, const ExprNode& node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  nodes_.push_back(node);
  interned_.emplace(hash, id);
  return id;
}

NodeId ExprTable::make_check(const std::shared_ptr<const filter::Check>& check, bool negated) {
  const PredicateId predicate = predicates_.intern(check);
  const auto kind = negated ? ExprNode::Kind::not_check : ExprNode::Kind::check;
  const uint64_t hash = hash_of(kind, {&predicate, 1});
  if (const std::optional<NodeId> known = find(hash, kind, {&predicate, 1})) return *known;
  const Predicate& row = predicates_[predicate];
  return insert(hash, {.kind = kind,
                       .process_scope = row.process_scope,
                       .predicate = predicate,
                       .cost = cost_of(*row.check, row.indexed)});
}

NodeId ExprTable::add(const Expr& expr, std::optional<event::EventCode> code, bool negated) {
  switch (expr.kind) {
    case Expr::Kind::negation: return add(expr.children[0], code, !negated);
    case Expr::Kind::check: {
      if (code) {
        if (std::optional<bool> decided = decided_by_type(*expr.check, *code))
          return *decided != negated ? kTrue : kFalse;
      }
      return make_check(expr.check, negated);
    }
    case Expr::Kind::all:
    case Expr::Kind::any: break;
  }
  std::vector<NodeId> children;
  children.reserve(expr.children.size());
  for (const Expr& child : expr.children) children.push_back(add(child, code, negated));
  const bool conjunction = (expr.kind == Expr::Kind::all) != negated;
  return make(conjunction ? ExprNode::Kind::all : ExprNode::Kind::any, std::move(children));
}

// Flattens, drops neutral and double children, and splits off the part that only depends on the
// process, so that it becomes one node which is judged once.
NodeId ExprTable::make(ExprNode::Kind kind, std::vector<NodeId> children) {
  const NodeId neutral = kind == ExprNode::Kind::all ? kTrue : kFalse;
  const NodeId absorbing = kind == ExprNode::Kind::all ? kFalse : kTrue;
  std::vector<NodeId> flat;
  for (NodeId child : children) {
    if (child == neutral) continue;
    if (child == absorbing) return absorbing;
    if (nodes_[child].kind == kind) {
      for (NodeId inner : this->children(nodes_[child])) flat.push_back(inner);
    } else {
      flat.push_back(child);
    }
  }
  std::ranges::sort(flat);
  flat.erase(std::ranges::unique(flat).begin(), flat.end());
  if (flat.empty()) return neutral;
  if (flat.size() == 1) return flat[0];

  // What depends on the process alone comes first and becomes one node; then the cheap before the
  // costly.
  const auto order = [&](NodeId a, NodeId b) {
    const ExprNode& x = nodes_[a];
    const ExprNode& y = nodes_[b];
    if (x.process_scope != y.process_scope) return x.process_scope;
    return x.cost != y.cost ? x.cost < y.cost : a < b;
  };
  std::ranges::sort(flat, order);
  const auto process_end =
      std::ranges::find_if(flat, [&](NodeId id) { return !nodes_[id].process_scope; });
  const auto process_count = static_cast<size_t>(process_end - flat.begin());
  if (process_count > 1 && process_count < flat.size()) {
    const NodeId process_part = make(kind, {flat.begin(), process_end});
    flat.erase(flat.begin(), flat.begin() + static_cast<std::ptrdiff_t>(process_count));
    flat.insert(flat.begin(), process_part);
  }

  const uint64_t hash = hash_of(kind, flat);
  if (const std::optional<NodeId> known = find(hash, kind, flat)) {
    nodes_[*known].shared = true;
    return *known;
  }
  ExprNode node{.kind = kind, .process_scope = true};
  node.first_child = static_cast<uint32_t>(child_ids_.size());
  node.child_count = static_cast<uint32_t>(flat.size());
  for (NodeId id : flat) {
    node.process_scope = node.process_scope && nodes_[id].process_scope;
    node.cost += nodes_[id].cost;
  }
  child_ids_.insert(child_ids_.end(), flat.begin(), flat.end());
  return insert(hash, node);
}

}  // namespace saker::rules
