// Evaluates the shared graph of conditions: each check at most once an event, and what only depends
// on the process at most once until its epoch moves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "event/rule_slot.h"
#include "filter/compile.h"
#include "rules/expr_table.h"
#include "rules/plan.h"
#include "rules/predicate.h"

namespace saker::rules {

// For one thread. begin() starts an event; the other calls are about that event.
class Evaluator {
 public:
  Evaluator(const PredicateTable& predicates, const ExprTable& exprs, const PlanSet& plans);

  // `slot` may be null: then nothing is remembered beyond the event.
  void begin(const filter::EvalContext& context, event::RuleSlot* slot);

  // The plan's rules that this process can match at all: a bitmap of plan.words words.
  const uint64_t* alive(const Plan& plan);

  // The rules of a plan among `among` that guards let through; false when none. Both are bitmaps.
  bool let_through(const Guards& guards, const uint64_t* among, uint64_t* out);

  bool evaluate(NodeId id);

 private:
  struct GroupState {
    uint32_t stamp = 0;
    bool has_value = false;
    filter::Values values;
    std::vector<PredicateId> holding;
  };
  // Event memory: stamp of the event << 1 | value.
  using Memo = std::vector<uint32_t>;

  void prepare_slot(event::RuleSlot& slot);
  GroupState& look_up(uint32_t group);
  bool check(PredicateId id);
  bool check_event(PredicateId id);
  bool check_process(PredicateId id);
  void judge_group(uint32_t group);
  bool composite(const ExprNode& node);
  [[nodiscard]] bool known(uint32_t fact) const {
    return (facts_[fact / 64] >> (fact % 64) & 1) != 0;
  }
  [[nodiscard]] bool fact(uint32_t index) const {
    return (facts_[fact_words_ + index / 64] >> (index % 64) & 1) != 0;
  }
  void learn(uint32_t index, bool value);

  const PredicateTable& predicates_;
  const ExprTable& exprs_;
  uint64_t generation_;  // of this rule set, to tell the slots of an earlier one
  // Process-scope predicates: their fact, else kNoFact. Those with an index are known together,
  // once the fact of their group is.
  std::vector<uint32_t> predicate_fact_;
  std::vector<uint32_t> group_fact_;
  std::vector<uint32_t> node_fact_;  // process-scope and/or nodes: their fact, else kNoFact
  uint32_t fact_words_ = 0;
  uint32_t plan_words_ = 0;  // bits "this plan's bitmap is there"
  uint32_t slot_words_ = 0;

  const filter::EvalContext* context_ = nullptr;
  uint64_t* facts_ = nullptr;  // of the current thread: known bits, values, plan bits, bitmaps
  event::RuleSlot anonymous_;  // for events without a thread
  uint32_t stamp_ = 0;
  Memo predicate_memo_;
  Memo node_memo_;
  std::vector<GroupState> groups_;
  RuleBits everything_;          // as many ones as any plan has rules
  RuleBits process_candidates_;  // of alive()
};

}  // namespace saker::rules
