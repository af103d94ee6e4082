// Building a policy from what someone wants to know: rules with the reason for each, in an order in
// which none takes another's requests away, written as commented YAML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/policy.h"
#include "base/result.h"

namespace saker::audit {

struct PolicyGoals {
  // VERBS:RESOURCES[@NAMESPACES][=LEVEL], each a list with commas: "update:configmaps,secrets".
  std::vector<std::string> log;
  std::vector<std::string> never;               // names of noise ("leases") or resources
  std::string preset;                           // minimal, recommended, forensic, cis, or nothing
  std::vector<std::string> namespaces;          // for goals that name none
  std::vector<std::string> users, user_groups;  // for all goals
  bool exact_verbs = false;                     // update is update only, not patch
  bool allow_secret_bodies = false;
  bool unauthenticated = false;  // log 401s and anonymous requests on everything
};

struct DraftRule {
  PolicyRule rule;
  std::string reason;  // becomes its comment
};

struct PolicyDraft {
  std::vector<DraftRule> rules;
  std::vector<std::string> warnings;
};

Result<PolicyDraft> draft_policy(const PolicyGoals& goals);
// The file; `command` is named in its first line.
std::string write_policy(const PolicyDraft& draft, std::string_view command);

// For the builder's parts.
PolicyRule make_rule(Level level, const std::vector<std::string>& verbs,
                     const std::vector<std::string>& resources);
// Adds "deployments.apps", "secrets", "*.batch" or "pods/exec" to the rule's resources.
void add_resource(PolicyRule& rule, std::string_view group, std::string_view resource);
// Rules that keep noise out, by name: health, leases, ... Nothing when there is no such name.
std::vector<DraftRule> noise_rules(std::string_view name);
std::vector<std::string> noise_names();
// The preset's rules, the catch-all included, and the noise that it leaves out.
Result<std::vector<DraftRule>> preset_rules(std::string_view name);
std::vector<std::string> preset_noise(std::string_view name);

}  // namespace saker::audit
