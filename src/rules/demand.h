// From compiled conditions to what the kernel is asked for.
#pragma once

#include "event/demand.h"
#include "rules/plan.h"

namespace saker::rules {

// The event types that the rules can match, and for each the argument tests that every one of its
// rules implies.
event::Demand make_demand(const RuleSet& set, const PlanSet& plans,
                          const PredicateTable& predicates, const ExprTable& exprs);

}  // namespace saker::rules
