// What is evaluated for one kind of event: the rules that can match it, each split into the part
// that is judged once a process and the part that is judged for the event, with guards for either
// that tell which rules are worth looking at.
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

// A word of a bitmap over the plan's rules.
struct RuleWord {
  uint32_t index = 0;
  uint64_t bits = 0;
};

// Which rules are worth looking at: a rule with guards can only match when one of them holds.
class Guards {
 public:
  struct Guard {
    PredicateId predicate = 0;
    uint32_t first_word = 0;
    uint32_t word_count = 0;
  };
  // Predicates that one look-up of a value tells of, and the rules that any of them guards.
  struct Group {
    uint32_t group = 0;
    RuleBits rules;
  };

  Guards() = default;
  // For each rule the predicates of which one must hold; nothing: it always has to be looked at.
  using PerRule = std::vector<std::optional<std::vector<PredicateId>>>;
  Guards(const PerRule& guards, const PredicateTable& predicates);

  [[nodiscard]] const RuleBits& unguarded() const { return unguarded_; }
  [[nodiscard]] std::span<const Group> groups() const { return groups_; }
  // Guards whose predicate must be evaluated by itself.
  [[nodiscard]] std::span<const Guard> lone() const { return lone_; }
  // The guard with this predicate, of those in groups; null when it is none.
  [[nodiscard]] const Guard* find(PredicateId predicate) const;
  [[nodiscard]] std::span<const RuleWord> rules(const Guard& guard) const {
    return {words_.data() + guard.first_word, guard.word_count};
  }

 private:
  Guard make_guard(PredicateId predicate, std::span<const uint32_t> rules);

  RuleBits unguarded_;
  std::vector<Group> groups_;
  std::vector<Guard> grouped_;  // sorted by predicate
  std::vector<Guard> lone_;
  std::vector<RuleWord> words_;  // of all guards: most guard few rules
};

struct Plan {
  std::vector<PlanRule> rules;
  uint32_t words = 0;         // of a bitmap over `rules`
  uint32_t index = 0;         // among the plans
  uint32_t alive_offset = 0;  // where its bitmap stands among those of all plans
  Guards process_guards;      // of the rules' process parts
  Guards event_guards;        // of their event parts
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
  // Words that the largest plan's bitmap has, and those of all plans together.
  [[nodiscard]] uint32_t most_words() const;
  [[nodiscard]] uint32_t total_words() const { return total_words_; }

 private:
  [[nodiscard]] const Plan* at(uint32_t index) const {
    return index == kNone ? nullptr : &plans_[index];
  }
  uint32_t add_plan(std::vector<PlanRule> rules);
  [[nodiscard]] Guards make_guards(const Plan& plan, bool process) const;

  PredicateTable& predicates_;
  ExprTable& exprs_;
  std::vector<Plan> plans_;
  std::vector<uint32_t> by_code_;
  uint32_t audit_ = kNone;
  uint32_t total_words_ = 0;
};

}  // namespace saker::rules
