// What is evaluated for one kind of event: the rules that can match it, each split into the part
// that is judged once a process and the part that is judged for the event, with guards that tell
// which rules are worth looking at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "event/schema.h"
#include "rules/expr_table.h"
#include "rules/ruleset.h"

namespace saker::rules {

struct PlanRule {
  uint32_t rule = 0;  // index in the rule set
  NodeId process_part = ExprTable::kTrue;
  NodeId event_part = ExprTable::kTrue;

  friend bool operator==(const PlanRule&, const PlanRule&) = default;
};

// A bit a rule of the plan.
using RuleBits = std::vector<uint64_t>;

// A rule with a guard can only match when one of the guard's predicates holds.
struct Guard {
  PredicateId predicate = 0;
  RuleBits rules;
};

struct Plan {
  std::vector<PlanRule> rules;
  uint32_t words = 0;                  // of a bitmap over `rules`
  uint32_t index = 0;                  // among the plans
  uint32_t alive_offset = 0;           // where its bitmap stands among those of all plans
  RuleBits unguarded;                  // rules that must be looked at for every event
  std::vector<uint32_t> guard_groups;  // predicate groups to look up
  std::vector<RuleBits> group_rules;   // per guard group: the rules that it guards
  std::vector<Guard> guards;           // with an indexed predicate, sorted by it
  std::vector<Guard> lone_guards;      // whose predicate must be evaluated by itself

  [[nodiscard]] const Guard* guard_of(PredicateId predicate) const;
};

// Plans by event code; codes with equal rules share one. Audit events have a plan of their own.
class PlanSet {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  PlanSet(const RuleSet& set, PredicateTable& predicates, ExprTable& exprs);

  // Null when no rule can match.
  [[nodiscard]] const Plan* of_code(uint16_t code) const { return at(by_code_[code]); }
  [[nodiscard]] const Plan* of_audit() const { return at(audit_); }
  [[nodiscard]] std::span<const Plan> plans() const { return plans_; }
  // Words that the bitmaps of all plans take together.
  [[nodiscard]] uint32_t total_words() const { return total_words_; }

 private:
  [[nodiscard]] const Plan* at(uint32_t index) const {
    return index == kNone ? nullptr : &plans_[index];
  }
  uint32_t add_plan(std::vector<PlanRule> rules);
  void add_guards(Plan& plan);

  PredicateTable& predicates_;
  ExprTable& exprs_;
  std::vector<Plan> plans_;
  std::vector<uint32_t> by_code_;
  uint32_t audit_ = kNone;
  uint32_t total_words_ = 0;
};

}  // namespace saker::rules
