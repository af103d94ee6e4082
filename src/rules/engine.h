// Matching events against a rule set.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "event/demand.h"
#include "event/rule_slot.h"
#include "filter/field.h"
#include "rules/ruleset.h"

namespace saker::rules {

enum class Matching : uint8_t { all, first };

struct RuleStats {
  uint64_t evaluations = 0;
  uint64_t matches = 0;
  uint64_t withheld = 0;     // matches that did not complete a burst, so that nothing was told
  uint64_t nanoseconds = 0;  // estimated from a sample of the events

  RuleStats& operator+=(const RuleStats& other);
};

// Compiled from a RuleSet, which it keeps. match() is for one thread.
class Engine {
 public:
  // `hostname` goes into findings.
  Engine(RuleSet set, Matching matching, std::string hostname = {});
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // Indices of the rules that the event matches, in evaluation order; valid until the next call.
  // `slot` is the one of the thread that made the event; null when the thread is unknown.
  std::span<const uint32_t> match(const filter::EvalContext& context, event::RuleSlot* slot);

  // The same by the plain tree walk over every rule, for checking the above.
  std::vector<uint32_t> match_oracle(const filter::EvalContext& context) const;

  // Whether a match of rule `index` is to be told: always, but for rules with a burst, which it
  // counts for.
  bool admit(uint32_t index, const filter::EvalContext& context);

  // Fills a finding for rule `index` from the event that it matched.
  finding::Finding make_finding(uint32_t index, const filter::EvalContext& context) const;

  // False when no rule can match events of this type: the caller need not build a context.
  [[nodiscard]] bool wants(uint16_t event_type) const;

  void set_hostname(std::string hostname);
  [[nodiscard]] const RuleSet& rules() const;
  [[nodiscard]] const event::Demand& demand() const;  // not by two threads at once
  [[nodiscard]] const RuleStats& stats(uint32_t index) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saker::rules
