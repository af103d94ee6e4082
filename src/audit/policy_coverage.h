// Which detection rules a policy blinds. A rule comes here as the classes of requests that it can
// fire on, each with the level and the stages that it needs to see them; who reads conditions makes
// them (the room of rules knows no policy, this one no condition).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audit/policy.h"
#include "audit/policy_match.h"
#include "audit/policy_request.h"

namespace saker::audit {

// One class of requests, stood for by one of them.
struct SightNeed {
  Request request;
  std::string who;  // "a person"
  Level level = Level::metadata;
  std::vector<Stage> stages;   // any of them will do
  bool any_namespace = false;  // its namespace stands for all, it is not one that the rule names
};

struct DetectionNeeds {
  std::string name;
  std::vector<SightNeed> needs;
};

enum class Coverage : uint8_t { none, partial, full };
std::string_view to_string(Coverage coverage);

// What one rule of the policy (or that none matches) takes from a detection rule.
struct Blinding {
  std::optional<size_t> rule;
  Level level = Level::none;  // that it gives
  Level needed = Level::metadata;
  bool by_stage = false;  // the level would do, but the stage is left out
  std::set<std::string> who, verbs, what;
  size_t classes = 0;
};

// The smallest change that gives sight: rules for just what is lost, before an old one, and stages
// that must no longer be left out.
struct PolicyChange {
  size_t before = 0;
  std::vector<PolicyRule> rules;  // at most one for resources and one for paths
  StageSet keep_stages;
};

struct DetectionCoverage {
  std::string name;
  Coverage coverage = Coverage::full;
  size_t classes = 0, seen = 0;
  Level level = Level::metadata;  // that it needs at most
  std::vector<Blinding> blinded_by;
  std::optional<PolicyChange> change;  // proved: with it the coverage is full
};

DetectionCoverage coverage_of(const Policy& policy, const PolicyMatcher& matcher,
                              const DetectionNeeds& needs);
Policy with_change(const Policy& policy, const PolicyChange& change);

}  // namespace saker::audit
