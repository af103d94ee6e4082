// Lint: each finding where it belongs, none where it does not; and the proof of unreachability
// against brute force.
#include "audit/policy_lint.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <random>
#include <sstream>

#include "audit/policy_cover.h"

namespace saker::audit {

namespace {

PolicyFile load(const std::string& rules) {
  return load_policy(
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n" + rules,
      "p.yaml");
}

// "id@line" of each finding; rules begin in line 5.
std::vector<std::string> findings_of(const std::string& rules) {
  std::vector<std::string> out;
  for (const PolicyProblem& problem : lint_policy(load(rules)))
    out.push_back(problem.id + "@" + std::to_string(problem.mark.line + 1));
  return out;
}

constexpr const char* kSecretsFirst =
    "- {level: Metadata, resources: [{group: '', resources: [secrets, configmaps, "
    "serviceaccounts/token]}, {group: authentication.k8s.io, resources: [tokenreviews]}, "
    "{group: certificates.k8s.io}]}\n";

struct LintCase {
  const char* rules;
  std::vector<std::string> findings;
};

TEST(PolicyLint, Findings) {
  const LintCase cases[] = {
      {"- {level: Metadata}\n", {}},
      {"- {level: Metadata}\n- {level: None, verbs: [get]}\n", {"unreachable-rule@6"}},
      {"- {level: Metadata, verbs: [get, list, watch]}\n"
       "- {level: Metadata, verbs: [create, update, patch, delete, deletecollection]}\n"
       "- {level: Request, resources: [{group: apps}]}\n- {level: Metadata}\n",
       {"unreachable-rule@7"}},
      // A service account is in the group of its namespace.
      {"- {level: Metadata, userGroups: ['system:serviceaccounts:shop']}\n"
       "- {level: Metadata, users: ['system:serviceaccount:shop:cart']}\n- {level: Metadata}\n",
       {"unreachable-rule@6"}},
      {"- {level: Metadata, resources: [{group: '', resources: [pods]}]}\n"
       "- {level: Metadata, resources: [{group: '', resources: [pods/exec, pods]}]}\n"
       "- {level: Metadata}\n",
       {"unreachable-word@6"}},
      {"- {level: Metadata, nonResourceURLs: ['/health*']}\n"
       "- {level: Metadata, nonResourceURLs: ['/healthz/etcd']}\n- {level: Metadata}\n",
       {"unreachable-rule@6"}},
      {"- {level: Metadata, verbs: ['*']}\n- {level: Metadata}\n",
       {"never-matches@5", "unknown-verb@5"}},
      {"- {level: Metadata, users: ['*']}\n- {level: Metadata}\n",
       {"never-matches@5", "not-a-pattern@5"}},
      {"- {level: Metadata, resources: [{group: '', resources: ['*/*', 'pod*', pods/*]}]}\n"
       "- {level: Metadata}\n",
       {"not-a-pattern@5", "not-a-pattern@5"}},
      {"- {level: Metadata, resources: [{group: '', resources: [deployments]}]}\n"
       "- {level: Metadata}\n",
       {"unknown-resource@5"}},
      {"- {level: Metadata, resources: [{group: example.com, resources: [widgets]}]}\n"
       "- {level: Metadata}\n",
       {}},
      {"- {level: Metadata, resources: [{group: rbac, resources: [roles]}]}\n- {level: Metadata}\n",
       {"unknown-group@5"}},
      {"- {level: Metadata, resources: [{group: '*', resources: [roles]}]}\n- {level: Metadata}\n",
       {"needs-1.36@5"}},
      {"- {level: Metadata, resources: [{group: '', resources: [pods/shell]}]}\n"
       "- {level: Metadata}\n",
       {"unknown-subresource@5"}},
      {"- {level: Metadata, verbs: [create], resources: [{group: '', resources: [pods], "
       "resourceNames: [a]}]}\n- {level: Metadata}\n",
       {"never-matches@5", "names-with-create@5"}},
      {"- {level: Metadata, namespaces: [shop], resources: [{group: '', resources: [nodes]}]}\n"
       "- {level: Metadata}\n",
       {"wrong-scope@5"}},
      {"- {level: Metadata, users: ['system:masters']}\n- {level: Metadata}\n",
       {"group-as-user@5"}},
      {"- {level: Metadata, verbs: [get], resources: [{group: authentication.k8s.io, resources: "
       "[tokenreviews]}]}\n- {level: Metadata}\n",
       {"unknown-verb@5"}},
      // Pods are logged, what is done in them is not.
      {"- {level: Metadata, resources: [{group: '', resources: [pods]}]}\n- {level: None, "
       "userGroups: ['system:authenticated']}\n- {level: Metadata}\n",
       {"subresource-forgotten@5"}},
      {"- {level: None, verbs: [get]}\n- {level: Metadata}\n", {"hidden-401@5"}},
      {"- {level: Metadata, verbs: [create]}\n", {"no-catch-all@5"}},
      {"- {level: Metadata, omitStages: [ResponseStarted]}\n", {"hidden-response-started@5"}},
      {"- {level: None, userGroups: ['system:masters']}\n- {level: Metadata, verbs: [delete]}\n- "
       "{level: Metadata}\n",
       {"blind-to-group@5"}},
      {"- {level: None}\n", {"logs-nothing@5"}},
  };
  for (const LintCase& c : cases) {
    std::vector<std::string> actual = findings_of(c.rules), expected = c.findings;
    std::sort(actual.begin(), actual.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(actual, expected) << c.rules;
  }
}

TEST(PolicyLint, SensitiveBodies) {
  const auto bodies = [](const std::string& rules) {
    size_t count = 0;
    for (const std::string& finding : findings_of(rules)) count += finding.starts_with("sens");
    return count;
  };
  EXPECT_EQ(bodies("- {level: Request}\n"), 5U);
  EXPECT_EQ(bodies(std::string(kSecretsFirst) + "- {level: RequestResponse}\n"), 0U);
  EXPECT_EQ(bodies("- {level: Request, verbs: [get], resources: [{resources: [secrets]}]}\n"), 0U);
  EXPECT_EQ(
      bodies("- {level: RequestResponse, verbs: [get], resources: [{resources: [secrets]}]}\n"),
      1U);
  EXPECT_EQ(bodies("- {level: Request, resources: [{group: '', resources: ['*/token']}]}\n"), 1U);
  // One user's secrets still get through.
  EXPECT_EQ(bodies("- {level: Metadata, users: [a], resources: [{resources: [secrets]}]}\n"
                   "- {level: Request, users: [a, b], resources: [{resources: [secrets]}]}\n"),
            1U);
}

TEST(PolicyLint, NamesTheRulesThatShadow) {
  const auto findings = lint_policy(
      load("- {level: Metadata, users: [a]}\n- {level: None, users: [b]}\n"
           "- {level: Request, users: [a, b], verbs: [create]}\n- {level: Metadata}\n"));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rules, (std::vector<size_t>{2, 0, 1}));
  EXPECT_NE(findings[0].message.find("rules 0, 1 together"), std::string::npos);
}

TEST(PolicyLint, SecondDocumentAndMissingOmitStages) {
  const auto findings = lint_policy(load_policy(
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n---\nmore: 1\n",
      "p"));
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].id, "no-omit-stages");
  EXPECT_EQ(findings[1].id, "ignored-document");
}

// Small policies over a small alphabet: a rule is unreachable exactly when no request of a world
// with one more value everywhere gets to it.
TEST(PolicyCover, AgreesWithBruteForce) {
  std::mt19937 random(7);
  const std::vector<std::string> users = {"a", "b", "other"}, verbs = {"get", "create"},
                                 spaces = {"n", "m", "other"}, kinds = {"p", "q", "other"},
                                 subs = {"", "s", "other"};
  const auto some = [&](const std::vector<std::string>& from, size_t most) {
    std::vector<Word> out;
    for (size_t n = random() % (most + 1); n > 0; --n)
      out.push_back({.text = from[random() % (from.size() - (from.back() == "other" ? 1 : 0))]});
    return out;
  };
  size_t unreachable = 0;
  for (int round = 0; round < 400; ++round) {
    Policy policy;
    for (int i = 0; i < 6; ++i) {
      PolicyRule rule{
          .users = some(users, 2), .verbs = some(verbs, 1), .namespaces = some(spaces, 2)};
      if (rule.namespaces.empty() || random() % 2 == 0) {
        GroupResources entry{.resources = some({"p", "q", "p/s", "q/*", "*/s", "*"}, 3)};
        if (entry.resources.empty()) entry.resources.push_back({.text = "p"});
        rule.resources.push_back(std::move(entry));
      }
      policy.rules.push_back(std::move(rule));
    }
    const PolicyMatcher matcher(policy);
    std::vector<char> reached(policy.rules.size(), 0);
    for (const auto& user : users)
      for (const auto& verb :
           {"get", "create", "list", "watch", "update", "patch", "delete", "deletecollection"})
        for (const auto& space : spaces)
          for (const auto& kind : kinds)
            for (const auto& sub : subs)
              for (const auto& group : {"", "other"})
                if (const auto rule = matcher.first_match({.has_user = user != "other",
                                                           .user = user,
                                                           .verb = verb,
                                                           .is_resource = true,
                                                           .name_space = space,
                                                           .api_group = group,
                                                           .resource = kind,
                                                           .subresource = sub}))
                  reached[*rule] = 1;
    ReachBudget budget;
    for (size_t i = 0; i < policy.rules.size(); ++i) {
      const Reach reach = reach_of(policy, matcher, i, budget);
      EXPECT_EQ(reach.state == Reach::State::unreachable, reached[i] == 0);
      unreachable += reached[i] == 0;
    }
  }
  EXPECT_GT(unreachable, 100U);  // the test would say nothing otherwise
}

}  // namespace

}  // namespace saker::audit
