#include "rules/evaluator.h"

#include <algorithm>
#include <atomic>
#include <bit>

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
      group_fact_(predicates.groups().size(), kNoFact),
      node_fact_(exprs.size(), kNoFact),
      predicate_memo_(predicates.size(), 0),
      node_memo_(exprs.size(), 0),
      groups_(predicates.groups().size()),
      everything_(plans.most_words(), ~uint64_t{0}),
      process_candidates_(plans.most_words()) {
  uint32_t facts = 0;
  for (PredicateId id = 0; id < predicates.size(); ++id) {
    const Predicate& row = predicates[id];
    if (!row.process_scope) continue;
    predicate_fact_[id] = facts++;
    if (row.indexed && group_fact_[row.group] == kNoFact) group_fact_[row.group] = facts++;
  }
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
  if (slot.seen_epoch != slot.epoch) {  // forget what was known; bitmaps need no clearing
    std::fill_n(slot.bits.get(), 2 * fact_words_, 0);
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
  flags |= flag;
  if (!let_through(plan.process_guards, everything_.data(), process_candidates_.data()))
    return bits;
  for (uint32_t w = 0; w < plan.words; ++w) {
    for (uint64_t left = process_candidates_[w]; left != 0; left &= left - 1) {
      const auto bit = static_cast<uint32_t>(std::countr_zero(left));
      if (evaluate(plan.rules[w * 64 + bit].process_part)) bits[w] |= uint64_t{1} << bit;
    }
  }
  return bits;
}

bool Evaluator::let_through(const Guards& guards, const uint64_t* among, uint64_t* out) {
  const RuleBits& unguarded = guards.unguarded();
  uint64_t any = 0;
  for (size_t w = 0; w < unguarded.size(); ++w) any |= out[w] = among[w] & unguarded[w];
  const auto let_in = [&](std::span<const RuleWord> words) {
    for (const RuleWord& word : words) any |= out[word.index] |= among[word.index] & word.bits;
  };
  for (const Guards::Group& group : guards.groups()) {
    uint64_t wanted = 0;
    for (size_t w = 0; w < group.rules.size(); ++w) wanted |= among[w] & group.rules[w];
    if (wanted == 0) continue;
    for (PredicateId predicate : look_up(group.group).holding)
      if (const Guards::Guard* guard = guards.find(predicate)) let_in(guards.rules(*guard));
  }
  for (const Guards::Guard& guard : guards.lone()) {
    const std::span<const RuleWord> words = guards.rules(guard);
    const bool wanted = std::ranges::any_of(
        words, [&](const RuleWord& word) { return (among[word.index] & word.bits) != 0; });
    if (wanted && check(guard.predicate)) let_in(words);
  }
  return any != 0;
}

Evaluator::GroupState& Evaluator::look_up(uint32_t group) {
  GroupState& state = groups_[group];
  if (state.stamp == stamp_) return state;
  state.stamp = stamp_;
  state.holding.clear();
  state.values.clear();
  const PredicateGroup& row = predicates_.groups()[group];
  state.has_value = filter::evaluate(row.left(), *context_, state.values);
  if (state.has_value && row.has_index()) row.find(state.values, state.holding);
  for (PredicateId id : state.holding) predicate_memo_[id] = stamp_ << 1 | 1;
  return state;
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

// One look-up answers all indexed predicates of the group for this process. Those that do not hold
// are false since the epoch began.
void Evaluator::judge_group(uint32_t group) {
  for (PredicateId id : look_up(group).holding) learn(predicate_fact_[id], true);
  learn(group_fact_[group], true);
}

bool Evaluator::check_process(PredicateId id) {
  const uint32_t index = predicate_fact_[id];
  const Predicate& predicate = predicates_[id];
  if (predicate.indexed) {
    if (!known(group_fact_[predicate.group])) judge_group(predicate.group);
    return fact(index);
  }
  if (known(index)) return fact(index);
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
