// Conditions as one shared graph: equal parts of different rules are one node, evaluated once an
// event (or once a process, when nothing in them can change before the next exec).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "event/schema.h"
#include "filter/compile.h"
#include "rules/predicate.h"

namespace saker::rules {

using NodeId = uint32_t;

struct ExprNode {
  enum class Kind : uint8_t { constant_false, constant_true, check, not_check, all, any } kind;
  bool process_scope = false;
  bool shared = false;        // more than one parent: worth remembering within an event
  PredicateId predicate = 0;  // check, not_check
  uint32_t first_child = 0;   // all, any: into ExprTable::children()
  uint32_t child_count = 0;
  uint32_t cost = 0;  // rough, for putting the cheap and decisive first
};

// Nodes are immutable once made. `not` is pushed down to the checks, which is sound because a check
// without a value is plainly false.
class ExprTable {
 public:
  static constexpr NodeId kFalse = 0;
  static constexpr NodeId kTrue = 1;

  explicit ExprTable(PredicateTable& predicates);

  // Interns a condition as it reads for events of one code: checks that depend on the event's type
  // alone are decided now. `code` may be nothing when the type says nothing (other sources).
  NodeId add(const filter::Expr& expr, std::optional<event::EventCode> code, bool negated = false);

  NodeId make_all(std::vector<NodeId> children) {
    return make(ExprNode::Kind::all, std::move(children));
  }
  NodeId make_any(std::vector<NodeId> children) {
    return make(ExprNode::Kind::any, std::move(children));
  }

  [[nodiscard]] const ExprNode& operator[](NodeId id) const { return nodes_[id]; }
  [[nodiscard]] std::span<const NodeId> children(const ExprNode& node) const {
    return {child_ids_.data() + node.first_child, node.child_count};
  }
  [[nodiscard]] size_t size() const { return nodes_.size(); }

 private:
  NodeId make(ExprNode::Kind kind, std::vector<NodeId> children);
  [[nodiscard]] std::optional<NodeId> find(uint64_t hash, ExprNode::Kind kind,
                                           std::span<const uint32_t> parts) const;
  NodeId insert(uint64_t hash, const ExprNode& node);
  NodeId make_check(const std::shared_ptr<const filter::Check>& check, bool negated);
  [[nodiscard]] std::optional<bool> decided_by_type(const filter::Check& check,
                                                    event::EventCode code);

  PredicateTable& predicates_;
  std::vector<ExprNode> nodes_;
  std::vector<NodeId> child_ids_;
  std::unordered_multimap<uint64_t, NodeId> interned_;  // by kind and children, or predicate
  std::map<std::pair<const filter::Check*, event::EventCode>, std::optional<bool>> decided_;
};

}  // namespace saker::rules
