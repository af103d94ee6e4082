// What a policy says that kube-apiserver takes without a word though it is not what anyone wants:
// rules that nothing reaches, words that never occur, secrets' bodies in the log, blind spots.
#pragma once

#include <vector>

#include "audit/policy.h"
#include "audit/policy_match.h"

namespace saker::audit {

// The problems of loading, then the findings, in the order of the file. A policy that does not
// decode has only the former.
std::vector<PolicyProblem> lint_policy(const PolicyFile& file);

// For the checks: the policy, and where findings go.
class LintContext {
 public:
  LintContext(const PolicyFile& policy_file, std::vector<PolicyProblem>& findings)
      : file(policy_file),
        policy(policy_file.policy),
        matcher(policy_file.policy),
        findings_(findings) {}

  const PolicyFile& file;
  const Policy& policy;
  const PolicyMatcher matcher;

  using Severity = PolicyProblem::Severity;
  void add(Severity severity, std::string id, std::string message, const formats::YamlMark& mark,
           std::vector<size_t> rules = {}, std::string hint = {});

 private:
  std::vector<PolicyProblem>& findings_;
};

void lint_words(LintContext& lint);   // words that can never match
void lint_reach(LintContext& lint);   // rules and words that nothing reaches
void lint_bodies(LintContext& lint);  // sensitive bodies
void lint_stages(LintContext& lint);  // stages left out or logged for nothing
void lint_blind(LintContext& lint);   // what is not logged

}  // namespace saker::audit
