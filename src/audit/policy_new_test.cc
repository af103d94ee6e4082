// Policies made from goals: they log what was asked for, no secret's body, and lint is content.
#include "audit/policy_new.h"

#include <gtest/gtest.h>

#include "audit/policy_lint.h"
#include "audit/policy_match.h"
#include "audit/policy_request.h"

namespace saker::audit {

namespace {

PolicyFile make(const PolicyGoals& goals) {
  Result<PolicyDraft> draft = draft_policy(goals);
  EXPECT_TRUE(draft.ok()) << draft.error().to_text();
  return load_policy(write_policy(*draft, "test"), "new.yaml");
}

std::string problems_text(const std::vector<PolicyProblem>& problems) {
  std::string out;
  for (const PolicyProblem& problem : problems) out += problem.id + ": " + problem.message + "\n";
  return out;
}

Level level(const PolicyFile& file, std::string_view verb, std::string_view resource,
            std::string_view group = "", std::string_view name_space = "shop") {
  const size_t slash = resource.find('/');
  const Request request{.has_user = true,
                        .user = "ana",
                        .groups = {"system:authenticated"},
                        .verb = std::string(verb),
                        .is_resource = true,
                        .name_space = std::string(name_space),
                        .api_group = std::string(group),
                        .resource = std::string(resource.substr(0, slash)),
                        .subresource = std::string(
                            slash == std::string_view::npos ? "" : resource.substr(slash + 1))};
  const RequestViewHolder holder(request);
  return PolicyMatcher(file.policy).decide(holder.view()).level;
}

TEST(PolicyNew, UpdateTakesPatchAlong) {
  const PolicyFile file = make({.log = {"update:configmaps,secrets"}});
  EXPECT_EQ(level(file, "update", "secrets"), Level::metadata);
  EXPECT_EQ(level(file, "patch", "configmaps"), Level::metadata);
  EXPECT_EQ(level(file, "get", "secrets"), Level::none);
  EXPECT_EQ(level(file, "update", "pods"), Level::none);
  EXPECT_NE(file.text.find("`patch`"), std::string::npos);
  const PolicyFile exact = make({.log = {"update:configmaps,secrets"}, .exact_verbs = true});
  EXPECT_EQ(level(exact, "patch", "secrets"), Level::none);
}

TEST(PolicyNew, ScopesAndSubresources) {
  const PolicyFile file =
      make({.log = {"update:deployments@shop,prod=Request", "*:pods", "create:cm"}});
  EXPECT_EQ(level(file, "patch", "deployments", "apps"), Level::request);
  EXPECT_EQ(level(file, "update", "deployments/scale", "apps", "prod"), Level::request);
  EXPECT_EQ(level(file, "update", "deployments", "apps", "other"), Level::none);
  EXPECT_EQ(level(file, "create", "pods/exec"), Level::metadata);
  EXPECT_EQ(level(file, "create", "configmaps"), Level::metadata);
  const PolicyFile users = make({.log = {"read:secrets"}, .users = {"bob"}});
  EXPECT_EQ(level(users, "get", "secrets"), Level::none);
}

TEST(PolicyNew, SecretsStayAtMetadata) {
  for (const char* goal :
       {"update:secrets,configmaps=Request", "*:*=RequestResponse", "write:*=Request",
        "*:serviceaccounts=RequestResponse", "create:tokenreviews=Request"}) {
    for (const char* preset : {"", "minimal", "recommended", "forensic", "cis"}) {
      const PolicyFile file = make({.log = {goal}, .preset = preset});
      SCOPED_TRACE(file.text);
      for (const char* verb : {"get", "create", "update", "patch"})
        EXPECT_LE(level(file, verb, "secrets"), Level::metadata);
      EXPECT_LE(level(file, "create", "serviceaccounts/token"), Level::metadata);
      EXPECT_LE(level(file, "create", "tokenreviews", "authentication.k8s.io", ""),
                Level::metadata);
    }
  }
  const Result<PolicyDraft> open =
      draft_policy({.log = {"update:secrets=Request"}, .allow_secret_bodies = true});
  EXPECT_EQ(open->warnings.size(), 1U);
  EXPECT_EQ(open->rules.at(0).rule.level, Level::request);
}

TEST(PolicyNew, LintIsContent) {
  std::vector<PolicyGoals> all;
  for (const char* preset : {"minimal", "recommended", "forensic", "cis"}) {
    all.push_back({.preset = preset});
    all.push_back({.log = {"update:configmaps,secrets"}, .preset = preset});
    all.push_back({.log = {"*:pods", "delete:events", "write:deployments@shop"},
                   .never = {"health", "events", "leases", "metrics", "discovery", "reviews"},
                   .preset = preset});
  }
  all.push_back({.log = {"update:configmaps,secrets"}});
  all.push_back({.log = {"update:*"}, .never = noise_names()});
  all.push_back({.log = {"*:*"}, .never = {"endpoints", "pods"}});
  all.push_back({.log = {"read:secrets", "*:secrets", "get:secrets"}, .unauthenticated = true});
  all.push_back({.log = {"update:clusterroles", "*:widgets.example.com", "create:pods/exec@a"}});
  for (const PolicyGoals& goals : all) {
    const PolicyFile file = make(goals);
    const std::vector<PolicyProblem> problems = lint_policy(file);
    EXPECT_TRUE(problems.empty()) << problems_text(problems) << file.text;
    EXPECT_EQ(file.verdict(), Verdict::accept);
  }
}

TEST(PolicyNew, PresetsSeeRefusals) {
  for (const char* preset : {"minimal", "recommended", "forensic", "cis"}) {
    const PolicyFile file = make({.preset = preset});
    const RequestView unauthenticated{.verb = "list", .is_resource = true, .resource = "secrets"};
    EXPECT_EQ(PolicyMatcher(file.policy).decide(unauthenticated).level, Level::metadata);
    EXPECT_GE(level(file, "create", "pods/exec"), Level::metadata);
    EXPECT_GE(level(file, "delete", "events"), Level::metadata);
  }
}

TEST(PolicyNew, RefusesWhatIsNoGoal) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"update", "there is no ':'"},
      {"update:", "verbs and resources are needed"},
      {"modify:secrets", "no request has the verb 'modify'"},
      {"update:secretz", "did you mean 'secrets'?"},
      {"update:pods/shell", "no resource 'pods/shell'"},
      {"update:secrets=Full", "'Full' is no level"}};
  for (const auto& [goal, says] : cases) {
    const Result<PolicyDraft> draft = draft_policy({.log = {goal}});
    ASSERT_FALSE(draft.ok()) << goal;
    EXPECT_NE(draft.error().to_text().find(says), std::string::npos) << draft.error().to_text();
  }
  EXPECT_FALSE(draft_policy({}).ok());
  EXPECT_FALSE(draft_policy({.preset = "best"}).ok());
  EXPECT_FALSE(draft_policy({.log = {"get:pods"}, .never = {"nonsense"}}).ok());
}

}  // namespace

}  // namespace saker::audit
