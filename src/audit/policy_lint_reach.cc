// Rules that earlier rules leave nothing to do, and sensitive bodies that rules put into the log.
#include <algorithm>

#include "audit/policy_cover.h"
#include "audit/policy_lint.h"
#include "base/strings.h"

namespace saker::audit {

namespace {

constexpr auto kWarning = PolicyProblem::Severity::warning;
constexpr auto kNote = PolicyProblem::Severity::note;

std::string rule_list(const std::vector<size_t>& rules) {
  constexpr size_t kMost = 8;
  std::string out = rules.size() == 1 ? "rule " : "rules ";
  for (size_t i = 0; i < std::min(rules.size(), kMost); ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(rules[i]);
  if (rules.size() > kMost) out += " and " + std::to_string(rules.size() - kMost) + " more";
  return out;
}

// What is lost because an earlier rule decides.
std::string loss(const Policy& policy, size_t index, const std::vector<size_t>& shadows) {
  const Level wanted = policy.rules[index].level;
  for (size_t shadow : shadows)
    if (policy.rules[shadow].level != wanted)
      return "; its requests get " + std::string(to_string(policy.rules[shadow].level)) +
             " instead of " + std::string(to_string(wanted));
  return {};
}

struct SensitiveClass {
  std::string_view group, resource, subresource;
  std::string_view holds;
  bool always = true;  // false: often, not by its nature
};
constexpr auto kSensitive = std::to_array<SensitiveClass>({
    {"", "secrets", "", "secrets"},
    {"", "serviceaccounts", "token", "tokens"},
    {"authentication.k8s.io", "tokenreviews", "", "tokens"},
    {"", "configmaps", "", "credentials, often", false},
    {"certificates.k8s.io", "certificatesigningrequests", "", "identities being issued", false},
});

// Which requests carry such a body in, and which answers carry it out. Not `always`, only what
// brings content in is worth a word.
std::vector<std::string_view> leaking_verbs(const SensitiveClass& what, Level level) {
  if (what.subresource == "token" || what.resource == "tokenreviews") return {"create"};
  if (level == Level::request) return {"create", "update", "patch"};
  return {"get", "list", "create", "update", "patch", "delete", "deletecollection"};
}

// Whether such a body gets into the log by this rule. Tries at most `budget` requests.
bool leaks(const LintContext& lint, size_t index, const SensitiveClass& what, size_t& budget) {
  if (budget == 0) return false;
  const PolicyRule& rule = lint.policy.rules[index];
  RuleRequests requests(rule);
  requests.only_target(what.group, what.resource, what.subresource);
  requests.only_verbs(leaking_verbs(what, rule.level));
  bool found = false;
  requests.visit([&](const RequestView& request, const RuleRequests::Origin&) {
    found = !lint.matcher.first_match(request, index);
    return !found && budget-- > 1;
  });
  return found;
}

}  // namespace

void lint_reach(LintContext& lint) {
  ReachBudget budget;
  size_t unknown = 0;
  for (size_t i = 0; i < lint.policy.rules.size(); ++i) {
    const PolicyRule& rule = lint.policy.rules[i];
    const Reach reach = reach_of(lint.policy, lint.matcher, i, budget);
    unknown += reach.state == Reach::State::unknown;
    if (reach.state == Reach::State::unreachable) {
      std::vector<size_t> rules = {i};
      rules.insert(rules.end(), reach.shadows.begin(), reach.shadows.end());
      lint.add(kWarning, "unreachable-rule",
               "rule " + std::to_string(i) + " is unreachable: " + rule_list(reach.shadows) +
                   (reach.shadows.size() == 1 ? " matches" : " together match") +
                   " all that it could" + loss(lint.policy, i, reach.shadows),
               rule.mark, std::move(rules), "move it up, or remove it");
    }
    for (const Reach::DeadWord& dead : reach.dead)
      lint.add(kNote, "unreachable-word",
               "\"" + dead.word.text + "\" has no effect here: rule " +
                   std::to_string(dead.shadow) + " decides before" +
                   loss(lint.policy, i, {dead.shadow}),
               dead.word.mark, {i, dead.shadow});
  }
  if (unknown != 0)
    lint.add(kNote, "not-proved",
             "whether " + std::to_string(unknown) +
                 " rules can be reached was too much work to find out",
             lint.policy.rules[0].mark);
}

void lint_bodies(LintContext& lint) {
  size_t budget = 100'000;
  for (size_t i = 0; i < lint.policy.rules.size(); ++i) {
    const PolicyRule& rule = lint.policy.rules[i];
    if (rule.level < Level::request) continue;
    for (const SensitiveClass& what : kSensitive) {
      if (!leaks(lint, i, what, budget)) continue;
      std::string name(what.resource);
      if (!what.subresource.empty()) name.append("/").append(what.subresource);
      lint.add(what.always ? kWarning : kNote, "sensitive-body",
               "rule " + std::to_string(i) + " writes the bodies of " + name + " into the log (" +
                   std::string(what.holds) + ")",
               rule.level_text.mark, {i}, "a rule with level Metadata for " + name + " before it");
    }
  }
}

}  // namespace saker::audit
