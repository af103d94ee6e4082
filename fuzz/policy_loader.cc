// Any text as an audit policy: a verdict with places within the text, the same again, and a matcher
// whose index agrees with trying each rule.
// parser: src/audit/policy_decode.cc src/audit/policy_tree.cc src/audit/policy_validate.cc
// parser: src/audit/policy_match.cc src/audit/policy_matcher.cc src/audit/policy_request.cc
// parser: src/audit/policy_lint.cc src/audit/policy_lint_words.cc src/audit/policy_lint_reach.cc
// parser: src/audit/policy_lint_blind.cc src/audit/policy_cover.cc
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "audit/policy.h"
#include "audit/policy_lint.h"
#include "audit/policy_match.h"
#include "audit/policy_request.h"

namespace {

using namespace saker;

void require(bool condition) {
  if (!condition) std::abort();
}

// A request made of words that a rule names, so that rules do match.
audit::Request request_for(const audit::PolicyRule& rule) {
  audit::Request request{.has_user = !rule.users.empty() || !rule.user_groups.empty(),
                         .verb = rule.verbs.empty() ? "get" : rule.verbs[0].text,
                         .is_resource = !rule.only_urls()};
  if (!rule.users.empty()) request.user = rule.users.back().text;
  for (const audit::Word& group : rule.user_groups) request.groups.push_back(group.text);
  if (!rule.namespaces.empty()) request.name_space = rule.namespaces[0].text;
  if (!rule.urls.empty()) request.path = rule.urls[0].text;
  if (rule.resources.empty()) return request;
  const audit::GroupResources& entry = rule.resources.back();
  request.api_group = entry.group.text;
  if (!entry.names.empty()) request.name = entry.names[0].text;
  if (!entry.resources.empty()) {
    const std::string& text = entry.resources[0].text;
    const size_t slash = text.find('/');
    request.resource = text.substr(0, slash);
    if (slash != std::string::npos) request.subresource = text.substr(slash + 1);
  }
  return request;
}

void check_matcher(const audit::Policy& policy) {
  constexpr size_t kMostRules = 200;  // a long policy would make this quadratic
  const audit::PolicyMatcher matcher(policy);
  for (size_t i = 0; i < std::min(policy.rules.size(), kMostRules); ++i) {
    const audit::Request request = request_for(policy.rules[i]);
    const audit::RequestViewHolder holder(request);
    size_t first = 0;
    while (first < policy.rules.size() && !audit::rule_matches(policy.rules[first], holder.view()))
      require(!audit::why_no_match(policy.rules[first++], holder.view()).empty());
    const audit::Decision decision = matcher.decide(holder.view());
    require(decision.rule.value_or(policy.rules.size()) == first);
    require(decision.rule || decision.level == audit::Level::none);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const audit::PolicyFile file = audit::load_policy(text, "fuzz.yaml");
  const audit::PolicyFile again = audit::load_policy(text, "fuzz.yaml");
  require(file.verdict() == again.verdict() && file.problems.size() == again.problems.size());
  require(file.decoded || file.verdict() == audit::Verdict::reject);
  for (const audit::PolicyProblem& problem : audit::lint_policy(file))
    require(!problem.message.empty() && !problem.id.empty() && problem.mark.offset <= size);
  if (file.verdict() != audit::Verdict::reject) require(!file.policy.rules.empty());
  if (file.decoded) check_matcher(file.policy);
  return 0;
}
