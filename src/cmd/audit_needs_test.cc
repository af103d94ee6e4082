// What detection rules need to see, read from their conditions, and which policies give it.
#include "cmd/audit_needs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/strings.h"
#include "cmd/rules.h"

namespace saker::cmd {

namespace {

audit::Policy policy_of(const std::string& rules) {
  return audit::load_policy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n" + rules, "p")
      .policy;
}

audit::DetectionCoverage coverage(const std::string& policy_text, const std::string& condition) {
  const Result<filter::Node> node = filter::parse(condition);
  EXPECT_TRUE(node.ok()) << node.error().to_text();
  const audit::Policy policy = policy_of(policy_text);
  return audit::coverage_of(policy, audit::PolicyMatcher(policy), needs_of("rule", *node));
}

constexpr const char* kMetadata = "- {level: Metadata}\n";

TEST(AuditNeeds, LevelsFollowTheFieldsThatMatter) {
  EXPECT_EQ(coverage(kMetadata, "ka.verb = delete and ka.target.resource = secrets").coverage,
            audit::Coverage::full);
  const auto body = coverage(kMetadata,
                             "ka.verb = create and ka.target.resource = pods and "
                             "ka.req.pod.containers.privileged intersects (true)");
  EXPECT_EQ(body.coverage, audit::Coverage::none);
  EXPECT_EQ(body.level, audit::Level::request);
  EXPECT_EQ(coverage(kMetadata, "ka.resp.name exists").level, audit::Level::request_response);
  // The body only matters for what is decided by it.
  const auto some = coverage(kMetadata,
                             "ka.target.resource = pods and ka.target.subresource = exec or "
                             "ka.target.resource = pods and ka.verb = create and "
                             "ka.req.pod.host_pid intersects (true)");
  EXPECT_EQ(some.coverage, audit::Coverage::partial);
}

TEST(AuditNeeds, NamesTheRuleInTheWayAndWhatHelps) {
  const auto found = coverage(
      "- {level: Metadata, verbs: [get]}\n- {level: None, resources: [{resources: [secrets]}]}\n"
      "- {level: Metadata}\n",
      "ka.target.resource = secrets and ka.verb in (get, list)");
  EXPECT_EQ(found.coverage, audit::Coverage::partial);
  ASSERT_EQ(found.blinded_by.size(), 1U);
  EXPECT_EQ(found.blinded_by[0].rule, std::optional<size_t>(1));
  EXPECT_EQ(found.blinded_by[0].verbs, std::set<std::string>{"list"});
  ASSERT_TRUE(found.change.has_value());
  EXPECT_EQ(found.change->before, 1U);
  ASSERT_EQ(found.change->rules.size(), 1U);
  EXPECT_EQ(found.change->rules[0].resources.at(0).resources.at(0).text, "secrets");
  EXPECT_TRUE(found.change->rules[0].namespaces.empty());
}

TEST(AuditNeeds, OnlyTheNamespacesThatTheRuleNames) {
  const auto found = coverage("- {level: None}\n",
                              "ka.target.resource = pods and ka.target.namespace = kube-system");
  EXPECT_EQ(found.coverage, audit::Coverage::none);
  ASSERT_TRUE(found.change.has_value());
  ASSERT_EQ(found.change->rules[0].namespaces.size(), 1U);
  EXPECT_EQ(found.change->rules[0].namespaces[0].text, "kube-system");
}

TEST(AuditNeeds, Stages) {
  constexpr const char* kHidden = "- {level: Metadata, omitStages: [ResponseStarted]}\n";
  const auto exec = coverage(kHidden,
                             "jevt.value[/stage] = ResponseStarted and ka.target.resource = pods "
                             "and ka.target.subresource = exec");
  EXPECT_EQ(exec.coverage, audit::Coverage::none);
  EXPECT_TRUE(exec.blinded_by.at(0).by_stage);
  EXPECT_TRUE(exec.change.value().keep_stages.contains(audit::Stage::response_started));
  // Failed authentications have no other stage.
  EXPECT_EQ(coverage(kHidden, "ka.response.code = 401").coverage, audit::Coverage::none);
  EXPECT_EQ(coverage(kMetadata, "ka.response.code = 401").coverage, audit::Coverage::full);
  EXPECT_EQ(coverage("- {level: Metadata, userGroups: ['system:authenticated']}\n",
                     "ka.response.code = 401")
                .coverage,
            audit::Coverage::none);
}

TEST(AuditNeeds, ListsOfAllNamespaces) {
  const auto found = coverage("- {level: None, namespaces: ['']}\n- {level: Metadata}\n",
                              "ka.target.resource = secrets and ka.verb = list and not "
                              "ka.target.namespace exists");
  EXPECT_NE(found.classes, 0U);
  EXPECT_EQ(found.coverage, audit::Coverage::none);
}

TEST(AuditNeeds, CrashesCountWhereNothingElseWillDo) {
  constexpr const char* kNoPanic = "- {level: Metadata, omitStages: [Panic]}\n";
  EXPECT_EQ(coverage(kNoPanic, "ka.stage = Panic").coverage, audit::Coverage::none);
  EXPECT_EQ(coverage(kMetadata, "ka.stage = Panic").coverage, audit::Coverage::full);
  EXPECT_EQ(coverage(kNoPanic, "ka.verb = get").coverage, audit::Coverage::full);
}

// What one of our rules says about the level that it needs, by its tag and in its description.
std::optional<audit::Level> told_level(const rules::Rule& rule) {
  std::optional<audit::Level> level;
  for (audit::Level each :
       {audit::Level::metadata, audit::Level::request, audit::Level::request_response}) {
    const std::string name(audit::to_string(each));
    const std::string tag =
        "audit_" + (each == audit::Level::request_response ? "request_response" : to_lower(name));
    if (std::find(rule.tags.begin(), rule.tags.end(), tag) == rule.tags.end()) continue;
    EXPECT_FALSE(level.has_value()) << "two levels";
    EXPECT_TRUE(rule.description.contains("Needs level " + name + ".")) << rule.description;
    level = each;
  }
  return level;
}

// Each of our rules can fire, and needs the level that it says.
TEST(AuditNeeds, OwnRules) {
  const std::vector<std::string> paths = {std::string(SAKER_SOURCE_DIR) + "/rules"};
  const Result<rules::RuleSet> set = load_rules(paths);
  ASSERT_TRUE(set.ok()) << set.error().to_text();
  size_t count = 0;
  const audit::Policy none = policy_of("- {level: None}\n");
  const audit::PolicyMatcher matcher(none);
  for (const rules::Rule& rule : set->rules) {
    if (rule.source != "k8s_audit") continue;
    SCOPED_TRACE(rule.name);
    ++count;
    const auto found = audit::coverage_of(none, matcher, needs_of(rule.name, rule.condition));
    EXPECT_NE(found.classes, 0U);
    EXPECT_EQ(told_level(rule), found.level);
    EXPECT_TRUE(rule.description.contains("Next: ")) << "says what to do";
    EXPECT_TRUE(std::any_of(rule.tags.begin(), rule.tags.end(), [](const std::string& tag) {
      return tag.starts_with("mitre_") || tag == "maintenance";
    }));
  }
  EXPECT_GE(count, 35U);
}

TEST(AuditNeeds, ConditionsThatAreNeverTrueNeedNothing) {
  const auto never = coverage("- {level: None}\n", "ka.verb = get and jevt.rawtime = 0");
  EXPECT_EQ(never.classes, 0U);
  EXPECT_EQ(never.coverage, audit::Coverage::full);
}

// The levels that the specification's table says of the upstream rules.
TEST(AuditNeeds, UpstreamRules) {
  const std::string path =
      std::string(SAKER_SOURCE_DIR) + "/../shared/conformance/audit/rules/k8s_audit_rules.yaml";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::vector<std::string> paths = {path};
  const Result<rules::RuleSet> set = load_rules(paths);
  ASSERT_TRUE(set.ok()) << set.error().to_text();
  const std::set<std::string> bodies = {"Create Privileged Pod",
                                        "Create Sensitive Mount Pod",
                                        "Create HostNetwork Pod",
                                        "Create HostPid Pod",
                                        "Create HostIPC Pod",
                                        "Create NodePort Service",
                                        "Create/Modify Configmap With Private Credentials",
                                        "Pod Created in Kube Namespace",
                                        "Attach to cluster-admin Role",
                                        "ClusterRole With Wildcard Created",
                                        "ClusterRole With Write Privileges Created",
                                        "ClusterRole With Pod Exec Created",
                                        "Ingress Object without TLS Certificate Created"};
  const audit::Policy metadata = policy_of(kMetadata), none = policy_of("- {level: None}\n");
  size_t with_bodies = 0;
  for (const rules::Rule& rule : set->rules) {
    SCOPED_TRACE(rule.name);
    const audit::DetectionNeeds needs = needs_of(rule.name, rule.condition);
    const auto found = audit::coverage_of(metadata, audit::PolicyMatcher(metadata), needs);
    EXPECT_EQ(found.coverage,
              bodies.contains(rule.name) ? audit::Coverage::none : audit::Coverage::full);
    with_bodies += bodies.contains(rule.name) ? 1 : 0;
    // What is said to help helps, under a policy that logs nothing at all.
    const auto blind = audit::coverage_of(none, audit::PolicyMatcher(none), needs);
    if (blind.classes == 0) continue;
    EXPECT_EQ(blind.coverage, audit::Coverage::none);
    ASSERT_TRUE(blind.change.has_value());
    const audit::Policy changed = audit::with_change(none, *blind.change);
    EXPECT_EQ(audit::coverage_of(changed, audit::PolicyMatcher(changed), needs).coverage,
              audit::Coverage::full);
  }
  EXPECT_EQ(with_bodies, bodies.size());
}

}  // namespace

}  // namespace saker::cmd
