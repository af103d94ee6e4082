// The fast way from an event to the rules that it matches, and the slow one that checks it.
#include "rules/engine.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <optional>

#include "rules/demand.h"
#include "rules/evaluator.h"

namespace saker::rules {

namespace {
// One event in this many is timed, so that the cost of each rule shows without costing anything.
constexpr uint64_t kTimingInterval = 1024;

uint64_t now_ns() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}
}  // namespace

RuleStats& RuleStats::operator+=(const RuleStats& other) {
  evaluations += other.evaluations;
  matches += other.matches;
  withheld += other.withheld;
  nanoseconds += other.nanoseconds;
  return *this;
}

struct Engine::Impl {
  RuleSet set;
  Matching matching;
  std::string hostname;
  PredicateTable predicates;
  ExprTable exprs{predicates};
  PlanSet plans;
  Evaluator evaluator;
  std::optional<event::Demand> demand;  // made when asked for: a replay does not
  std::vector<RuleStats> stats;
  std::vector<uint32_t> hits;
  std::vector<uint64_t> candidates;
  uint64_t events = 0;
  BurstCounter bursts;

  Impl(RuleSet rules, Matching mode, std::string host)
      : set(std::move(rules)),
        matching(mode),
        hostname(std::move(host)),
        plans(set, predicates, exprs),
        evaluator(predicates, exprs, plans),
        stats(set.rules.size()),
        candidates(plans.most_words()) {}

  [[nodiscard]] const Plan* plan_of(const event::Event& event) const {
    return event.source == event::Source::syscall ? plans.of_code(event.type) : plans.of_audit();
  }

  // The rules worth evaluating: alive for the process, and without a guard or with one that holds.
  // False when none.
  bool find_candidates(const Plan& plan) {
    return evaluator.let_through(plan.event_guards, evaluator.alive(plan), candidates.data());
  }

  bool try_rule(const PlanRule& row, bool timed) {
    RuleStats& counters = stats[row.rule];
    ++counters.evaluations;
    const uint64_t start = timed ? now_ns() : 0;
    const bool matched = evaluator.evaluate(row.event_part);
    if (timed) [[unlikely]]
      counters.nanoseconds += (now_ns() - start) * kTimingInterval;
    if (!matched) return false;
    ++counters.matches;
    hits.push_back(row.rule);
    return true;
  }

  void match(const filter::EvalContext& context, event::RuleSlot* slot) {
    hits.clear();
    const Plan* plan = plan_of(*context.event);
    if (plan == nullptr) return;
    evaluator.begin(context, slot);
    if (!find_candidates(*plan)) return;
    const bool timed = ++events % kTimingInterval == 0;
    for (uint32_t w = 0; w < plan->words; ++w) {
      for (uint64_t bits = candidates[w]; bits != 0; bits &= bits - 1) {
        const auto index = w * 64 + static_cast<uint32_t>(std::countr_zero(bits));
        if (try_rule(plan->rules[index], timed) && matching == Matching::first) return;
      }
    }
  }
};

Engine::Engine(RuleSet set, Matching matching, std::string hostname)
    : impl_(std::make_unique<Impl>(std::move(set), matching, std::move(hostname))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

std::span<const uint32_t> Engine::match(const filter::EvalContext& context, event::RuleSlot* slot) {
  impl_->match(context, slot);
  return impl_->hits;
}

std::vector<uint32_t> Engine::match_oracle(const filter::EvalContext& context) const {
  std::vector<uint32_t> hits;
  const event::Event& event = *context.event;
  for (uint32_t i = 0; i < impl_->set.rules.size(); ++i) {
    const Rule& rule = impl_->set.rules[i];
    if (!rule.enabled || rule.source != event::to_string(event.source)) continue;
    if (event.source == event::Source::syscall &&
        std::ranges::find(rule.event_codes, event.type) == rule.event_codes.end())
      continue;
    if (!filter::matches(rule.expr, context)) continue;
    hits.push_back(i);
    if (impl_->matching == Matching::first) break;
  }
  return hits;
}

bool Engine::admit(uint32_t index, const filter::EvalContext& context) {
  const Rule& rule = impl_->set.rules[index];
  if (!rule.burst || impl_->bursts.complete(index, *rule.burst, context)) return true;
  ++impl_->stats[index].withheld;
  return false;
}

finding::Finding Engine::make_finding(uint32_t index, const filter::EvalContext& context) const {
  const Rule& rule = impl_->set.rules[index];
  finding::Finding finding{.time_ns = context.event->timestamp,
                           .rule = rule.name,
                           .severity = rule.priority,
                           .source = rule.source,
                           .hostname = impl_->hostname,
                           .tags = rule.tags,
                           .sequence = context.event->number};
  rule.output.render(context, finding.message);
  rule.output.collect(context, finding.fields);
  for (const auto& [name, text] : rule.extra_fields) {
    std::vector<finding::NamedValue> values;
    text.collect(context, values);
    if (values.size() == 1 && values[0].name == name) {  // a bare field keeps its type
      finding.fields.push_back(std::move(values[0]));
      continue;
    }
    std::string value;
    text.render(context, value);
    finding.fields.push_back({name, std::move(value)});
  }
  return finding;
}

bool Engine::wants(uint16_t event_type) const {
  return event_type < event::kEventCodeCount && impl_->plans.of_code(event_type) != nullptr;
}

void Engine::set_hostname(std::string hostname) {
  impl_->hostname = std::move(hostname);
}
const RuleSet& Engine::rules() const {
  return impl_->set;
}
const event::Demand& Engine::demand() const {
  if (!impl_->demand)
    impl_->demand = make_demand(impl_->set, impl_->plans, impl_->predicates, impl_->exprs);
  return *impl_->demand;
}
const RuleStats& Engine::stats(uint32_t index) const {
  return impl_->stats[index];
}

}  // namespace saker::rules
