#include "rules/evaluator.h"

#include <algorithm>
#include <atomic>

namespace saker::rules {

namespace {
constexpr uint32_t kNoFact = UINT32_MAX;

uint64_t next_generation() {
  static std::atomic<uint64_t> counter{0};
  return ++counter;
}

bool is_composite(const ExprNode& node) {
  return node.kind == ExprNode::Kind::all || node.kind == ExprNode::Kind::any;
}
}  // namespace

Evaluator::Evaluator(const PredicateTable& predicates, const ExprTable& exprs, const PlanSet& plans)
    : predicates_(predicates),
      exprs_(exprs),
      generation_(next_generation()),
      predicate_fact_(predicates.size(), kNoFact),
      node_fact_(exprs.size(), kNoFact),
      predicate_memo_(predicates.size(), 0),
      node_memo_(exprs.size(), 0),
      groups_(predicates.groups().size()) {
  uint32_t facts = 0;
  for (PredicateId id = 0; id < predicates.size(); ++id)
    if (predicates[id].process_scope) predicate_fact_[id] = facts++;
  for (NodeId id = 0; id < exprs.size(); ++id)
    if (exprs[id].process_scope && is_composite(exprs[id])) node_fact_[id] = facts++;
  fact_words_ = (facts + 63) / 64;
  plan_words_ = static_cast<uint32_t>((plans.plans().size() + 63) / 64);
  slot_words_ = 2 * fact_words_ + plan_words_ + plans.total_words();
}

void Evaluator::prepare_slot(event::RuleSlot& slot) {
  if (slot.generation != generation_) {
    slot.bits = std::make_unique_for_overwrite<uint64_t[]>(slot_words_);
    slot.generation = generation_;
    slot.seen_epoch = slot.epoch - 1;
  }
  if (slot.seen_epoch !=
      slot.epoch) {  // forget what was known; values and bitmaps need no clearing
    std::fill_n(slot.bits.get(), fact_words_, 0);
    std::fill_n(slot.bits.get() + 2 * fact_words_, plan_words_, 0);
    slot.seen_epoch = slot.epoch;
  }
  facts_ = slot.bits.get();
}

void Evaluator::begin(const filter::EvalContext& context, event::RuleSlot* slot) {
  context_ = &context;
  if (slot == nullptr) {
    slot = &anonymous_;
    ++slot->epoch;
  }
  prepare_slot(*slot);
  constexpr uint32_t kLastStamp = UINT32_MAX >> 1;
  if (++stamp_ == kLastStamp) {
    std::ranges::fill(predicate_memo_, 0);
    std::ranges::fill(node_memo_, 0);
    for (GroupState& group : groups_) group.stamp = 0;
    stamp_ = 1;
  }
}

void Evaluator::learn(uint32_t index, bool value) {
  const uint64_t bit = uint64_t{1} << (index % 64);
  facts_[index / 64] |= bit;
  uint64_t& word = facts_[fact_words_ + index / 64];
  word = value ? word | bit : word & ~bit;
}

const uint64_t* Evaluator::alive(const Plan& plan) {
  uint64_t& flags = facts_[2 * fact_words_ + plan.index / 64];
  uint64_t* bits = facts_ + 2 * fact_words_ + plan_words_ + plan.alive_offset;
  const uint64_t flag = uint64_t{1} << (plan.index % 64);
  if ((flags & flag) != 0) [[likely]]
    return bits;
  std::fill_n(bits, plan.words, 0);
  for (size_t i = 0; i < plan.rules.size(); ++i)
    if (evaluate(plan.rules[i].process_part)) bits[i / 64] |= uint64_t{1} << (i % 64);
  flags |= flag;
  return bits;
}

Evaluator::GroupState& Evaluator::look_up(uint32_t group) {
  GroupState& state = groups_[group];
  if (state.stamp == stamp_) return state;
  state.stamp = stamp_;
  state.holding.clear();
  state.values.clear();
  const PredicateGroup& row = predicates_.groups()[group];
  state.has_value = filter::evaluate(row.left(), *context_, state.values);
  if (state.has_value && !row.indexed().empty()) row.find(state.values, state.holding);
  for (PredicateId id : state.holding) predicate_memo_[id] = stamp_ << 1 | 1;
  return state;
}

std::span<const PredicateId> Evaluator::holding(uint32_t group) {
  return look_up(group).holding;
}

bool Evaluator::check_event(PredicateId id) {
  uint32_t& memo = predicate_memo_[id];
  if (memo >> 1 == stamp_) return (memo & 1) != 0;
  const Predicate& predicate = predicates_[id];
  GroupState& state = look_up(predicate.group);
  if (predicate.indexed) {
    const bool holds = memo == (stamp_ << 1 | 1);  // look_up marks those that hold
    memo = stamp_ << 1 | (holds ? 1u : 0u);
    return holds;
  }
  const filter::Check& row = *predicate.check;
  const bool holds = state.has_value && (row.op == filter::Op::exists ||
                                         filter::compare(row, state.values, *context_));
  memo = stamp_ << 1 | (holds ? 1u : 0u);
  return holds;
}

// One look-up answers all indexed predicates of the group for this process.
void Evaluator::judge_group(const Predicate& predicate) {
  const GroupState& state = look_up(predicate.group);
  for (PredicateId id : predicates_.groups()[predicate.group].indexed())
    if (predicate_fact_[id] != kNoFact) learn(predicate_fact_[id], false);
  for (PredicateId id : state.holding)
    if (predicate_fact_[id] != kNoFact) learn(predicate_fact_[id], true);
}

bool Evaluator::check_process(PredicateId id) {
  const uint32_t index = predicate_fact_[id];
  if (known(index)) return fact(index);
  const Predicate& predicate = predicates_[id];
  if (predicate.indexed) {
    judge_group(predicate);
    return fact(index);
  }
  const bool holds = check_event(id);
  learn(index, holds);
  return holds;
}

bool Evaluator::check(PredicateId id) {
  return predicate_fact_[id] == kNoFact ? check_event(id) : check_process(id);
}

bool Evaluator::composite(const ExprNode& node) {
  const bool conjunction = node.kind == ExprNode::Kind::all;
  for (NodeId child : exprs_.children(node))
    if (evaluate(child) != conjunction) return !conjunction;
  return conjunction;
}

bool Evaluator::evaluate(NodeId id) {
  const ExprNode& node = exprs_[id];
  switch (node.kind) {
    case ExprNode::Kind::constant_false: return false;
    case ExprNode::Kind::constant_true: return true;
    case ExprNode::Kind::check: return check(node.predicate);
    case ExprNode::Kind::not_check: return !check(node.predicate);
    case ExprNode::Kind::all:
    case ExprNode::Kind::any: break;
  }
  if (const uint32_t index = node_fact_[id]; index != kNoFact) {
    if (known(index)) return fact(index);
    const bool holds = composite(node);
    learn(index, holds);
    return holds;
  }
  if (!node.shared) return composite(node);
  uint32_t& memo = node_memo_[id];
  if (memo >> 1 == stamp_) return (memo & 1) != 0;
  const bool holds = composite(node);
  memo = stamp_ << 1 | (holds ? 1u : 0u);
  return holds;
}

}  // namespace saker::rules
