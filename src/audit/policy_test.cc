// The policy loader, validator and matcher against what kube-apiserver says (../shared), and cases
// of our own.
#include "audit/policy.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "audit/policy_match.h"
#include "audit/policy_request.h"

namespace saker::audit {

namespace {

using Json = nlohmann::json;

std::optional<Json> shared(const std::string& name) {
  std::ifstream file(std::string(SAKER_SOURCE_DIR) + "/../shared/conformance/audit/" + name);
  if (!file) return std::nullopt;
  return Json::parse(file);
}

std::string with_header(const std::string& rules) {
  return "apiVersion: audit.k8s.io/v1\nkind: Policy\n" + rules;
}

PolicyFile load(const std::string& rules) {
  return load_policy(with_header(rules), "p.yaml");
}

std::string problems_text(const PolicyFile& file) {
  std::string out;
  for (const PolicyProblem& problem : file.problems)
    out += std::to_string(problem.mark.line + 1) + ":" + std::to_string(problem.mark.column + 1) +
           " " + problem.id + " " + problem.message + "\n";
  return out;
}

Request request_of(const Json& attributes) {
  return *read_request(*formats::parse_json(attributes.dump()));
}

TEST(PolicyVectors, EveryDecisionIsTheServers) {
  const auto data = shared("policy-vectors.json");
  if (!data) GTEST_SKIP() << "../shared/conformance/audit is not there";
  size_t checked = 0;
  for (const Json& vector : (*data)["vectors"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const PolicyFile file = load_policy(vector["policy"].dump(), "vector");
    EXPECT_TRUE(file.decoded) << problems_text(file);
    EXPECT_EQ(file.verdict() != Verdict::reject, vector["policyValid"].get<bool>())
        << problems_text(file);
    const Request request = request_of(vector["attributes"]);
    const RequestViewHolder holder(request);
    const Decision decision = PolicyMatcher(file.policy).decide(holder.view());
    const Json& expect = vector["expect"];
    EXPECT_EQ(to_string(decision.level), expect["level"].get<std::string>());
    EXPECT_EQ(decision.omit_stages.names(), expect["omitStages"].get<std::vector<std::string>>());
    EXPECT_EQ(decision.omit_managed_fields, expect["omitManagedFields"].get<bool>());
    ++checked;
  }
  EXPECT_GT(checked, 300U);
}

TEST(PolicyVectors, EveryVerdictIsTheServers) {
  const auto data = shared("invalid-policies.json");
  if (!data) GTEST_SKIP() << "../shared/conformance/audit is not there";
  for (const Json& item : (*data)["cases"]) {
    SCOPED_TRACE(item["id"].get<std::string>());
    const PolicyFile file = load_policy(item["yaml"].get<std::string>(), "case");
    EXPECT_EQ(to_string(file.verdict()), item["outcome"].get<std::string>()) << problems_text(file);
    if (item["outcome"] != "reject") continue;
    std::vector<std::string> kinds, fields;
    for (const PolicyProblem& problem : file.problems) {
      if (problem.severity != PolicyProblem::Severity::error) continue;
      kinds.push_back(problem.kind);
      if (item["stage"] != "decode" && !item["fields"].empty()) fields.push_back(problem.field);
    }
    EXPECT_EQ(kinds, item["kinds"].get<std::vector<std::string>>()) << problems_text(file);
    EXPECT_EQ(fields, item["fields"].get<std::vector<std::string>>()) << problems_text(file);
  }
}

struct VerdictCase {
  const char* rules;
  Verdict verdict;
  const char* says = "";
};

TEST(Policy, VerdictsBeyondTheVectors) {
  constexpr auto kAccept = Verdict::accept, kReject = Verdict::reject;
  constexpr auto kWarning = Verdict::accept_with_warning;
  const VerdictCase cases[] = {
      {"rules: [{level: Metadata, user: [a]}]", kWarning, "3:27 unknown-field"},
      {"rules: [{level: Metadata, level: None}]", kWarning, "3:27 duplicate-key"},
      {"rules: [{level: [Metadata]}]", kReject,
       "3:17 undecodable rules[0].level: must be a string"},
      {"rules: [{level: Metadata, users: [yes]}]", kReject, "not bool"},
      {"rules: [{level: Metadata, users: [0x1f]}]", kReject, "not number"},
      {"rules: [{level: Metadata, users: [1_000]}]", kReject, "not number"},
      {"rules: [{level: Metadata, users: [1e3]}]", kReject, "not number"},
      {"rules: [{level: Metadata, users: [2026-01-01, 1:20, 1.2.3, -, v1, 09x]}]", kAccept},
      {"rules: [{level: Metadata, users: ['1000', !!str 1000]}]", kAccept},
      {"rules: [{level: Metadata, users: [null]}]", kAccept},
      {"rules: [{level: Metadata, users: null}]", kAccept},
      {"rules: [{level: Metadata, omitManagedFields: yes}]", kAccept},
      {"rules: [{level: Metadata, omitManagedFields: 1}]", kReject, "true or false"},
      {"rules: [{level: Metadata, users: a}]", kReject, "must be a list, not string"},
      {"rules: [null]", kReject, "a level is required"},
      {"metadata: {name: 5}\nrules: [{level: None}]", kReject, "metadata.name"},
      {"metadata: {name: p, labels: {a: b}, creationTimestamp: null}\nrules: [{level: None}]",
       kAccept},
      {"metadata: {creationTimestamp: today}\nrules: [{level: None}]", kReject, "a time"},
      {"metadata: {creationTimestamp: '2026-01-01T00:00:00Z', team: x}\nrules: [{level: None}]",
       kWarning, "metadata.team"},
      {"omitStages: [RequestRecieved]\nrules: [{level: None}]", kReject, "unknown-stage"},
      {"rules: [{level: None, omitStages: [Panic, requestReceived]}]", kReject, "omitStages[1]"},
      {"rules: [{level: None, resources: [{group: rbac.authorization.k8s.io/v1}]}]", kReject,
       "bad-group"},
      {"rules: [{level: None, resources: [{group: a..b}]}]", kReject, "bad-group"},
      {"rules: [{level: None, resources: [{resourceNames: [x]}]}]", kReject,
       "rules[0].resources.resourceNames"},
      {"rules: [{level: None, nonResourceURLs: ['']}]", kReject, "must begin with '/'"},
      {"x: &base {level: None}\nrules: [{<<: *base, verbs: [get]}]", kWarning, "unknown field 'x'"},
      {"rules: [{<<: [1], level: None}]", kReject, "map merge"},
      {"rules: [{level: None, ? [a] : b}]", kReject, "a key must be a text"},
      {"rules: [{level: None}]\n---\nnot: [closed", kAccept},
      {"rules: [{level: None, 1: x}]", kWarning, "unknown field 'rules[0].1'"},
  };
  for (const VerdictCase& c : cases) {
    const PolicyFile file = load(c.rules);
    EXPECT_EQ(file.verdict(), c.verdict) << c.rules << "\n" << problems_text(file);
    EXPECT_NE(problems_text(file).find(c.says), std::string::npos) << c.rules << "\n"
                                                                   << problems_text(file);
  }
}

TEST(Policy, KindAndVersion) {
  const auto verdict = [](const std::string& head) {
    return load_policy(head + "\nrules: [{level: None}]\n", "p").verdict();
  };
  EXPECT_EQ(verdict("apiVersion: audit.k8s.io/v1\nkind: Policy"), Verdict::accept);
  // The server fills the kind in, as it asks for a Policy; keys of these two fold their case.
  EXPECT_EQ(verdict("apiVersion: audit.k8s.io/v1"), Verdict::accept);
  EXPECT_EQ(verdict("apiversion: audit.k8s.io/v1\nKind: Policy"), Verdict::accept_with_warning);
  EXPECT_EQ(verdict("kind: Policy"), Verdict::reject);
  EXPECT_EQ(verdict("apiVersion: 1\nkind: Policy"), Verdict::reject);
  EXPECT_EQ(verdict("apiVersion: audit.k8s.io/v1\nkind: Event"), Verdict::reject);
  EXPECT_EQ(verdict("apiVersion: audit.k8s.io/v1\nkind: policy"), Verdict::reject);
}

TEST(Policy, TextThatBeginsWithABraceIsJson) {
  const std::string rules = R"("rules":[{"level":"Metadata","users":["\ud83d\ude00"]}]})";
  const PolicyFile json =
      load_policy(R"({"apiVersion":"audit.k8s.io/v1","kind":"Policy",)" + rules, "p");
  EXPECT_EQ(json.verdict(), Verdict::accept) << problems_text(json);
  EXPECT_EQ(json.policy.rules.at(0).users.at(0).text, "\xf0\x9f\x98\x80");
  const PolicyFile flow =
      load_policy("\n{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None}]}", "p");
  EXPECT_EQ(flow.verdict(), Verdict::reject);
  EXPECT_EQ(flow.problems.at(0).mark.line, 1U) << problems_text(flow);
}

TEST(Policy, RepeatedKeysTakeTheLast) {
  const PolicyFile file = load("rules: [{level: Metadata, level: Request}]");
  EXPECT_EQ(file.policy.rules.at(0).level, Level::request);
}

TEST(PolicyMatch, SaysWhyNot) {
  const PolicyFile file = load(
      "rules:\n- {level: None, verbs: [create]}\n- {level: None, users: [bob]}\n"
      "- {level: None, nonResourceURLs: ['/healthz*']}\n- {level: None, namespaces: "
      "[kube-system]}\n"
      "- {level: None, resources: [{resources: [pods], resourceNames: [db]}]}\n"
      "- {level: None, resources: [{group: apps}]}\n- {level: None, userGroups: [g]}\n");
  const Request request = request_of({{"user", "ana"},
                                      {"verb", "get"},
                                      {"namespace", "shop"},
                                      {"resource", "pods"},
                                      {"name", "web"}});
  const RequestViewHolder holder(request);
  const std::vector<std::string> expected = {
      "verb get is not among create",       "user ana is not among bob",
      "it is for non-resource paths",       "namespace shop is not among kube-system",
      "name web is not among db",           "it does not name pods",
      "the user is in none of the groups g"};
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(why_no_match(file.policy.rules[i], holder.view()), expected[i]);
}

// Rules and requests over a small alphabet: whatever the index leaves out must not match.
TEST(PolicyMatch, IndexAgreesWithTryingEachRule) {
  std::mt19937 random(5);
  const auto pick = [&](const std::vector<const char*>& words) {
    return Word{.text = words[random() % words.size()]};
  };
  const auto some = [&](const std::vector<const char*>& words) {
    std::vector<Word> out;
    for (size_t n = random() % 3; n > 0; --n) out.push_back(pick(words));
    return out;
  };
  for (int round = 0; round < 30; ++round) {
    Policy policy;
    for (int i = 0; i < 60; ++i) {
      PolicyRule rule{.users = some({"a", "b", "c"}),
                      .user_groups = some({"g", "h"}),
                      .verbs = some({"get", "list", "create"}),
                      .namespaces = some({"n", "m", ""})};
      if (random() % 3 == 0) rule.urls = some({"/x", "/x*", "*", "/xy"});
      for (size_t n = random() % 3; n > 0; --n)
        rule.resources.push_back({.group = pick({"", "apps", "*"}),
                                  .resources = some({"p", "p/log", "p/*", "*/log", "*", "q"}),
                                  .names = some({"one", "two"})});
      policy.rules.push_back(std::move(rule));
    }
    const PolicyMatcher matcher(policy);
    for (int i = 0; i < 300; ++i) {
      const bool resource = random() % 4 != 0;
      const Request request{.has_user = random() % 5 != 0,
                            .user = pick({"a", "b", "c", "d"}).text,
                            .groups = {pick({"g", "h", "i"}).text},
                            .verb = pick({"get", "list", "create", "patch"}).text,
                            .is_resource = resource,
                            .name_space = pick({"n", "m", "", "o"}).text,
                            .api_group = pick({"", "apps", "batch"}).text,
                            .resource = resource ? pick({"p", "q", "r"}).text : "",
                            .subresource = resource ? pick({"", "log"}).text : "",
                            .name = pick({"one", "two", ""}).text,
                            .path = pick({"/x", "/xy", "/y"}).text};
      const RequestViewHolder holder(request);
      std::optional<size_t> expected;
      for (size_t r = 0; r < policy.rules.size() && !expected; ++r)
        if (rule_matches(policy.rules[r], holder.view())) expected = r;
      ASSERT_EQ(matcher.first_match(holder.view()), expected);
    }
  }
}

TEST(PolicyMatch, GroupsEveryoneOfANameHas) {
  EXPECT_EQ(groups_implied_by("system:anonymous"),
            std::vector<std::string>{"system:unauthenticated"});
  EXPECT_EQ(groups_implied_by("system:serviceaccount:shop:cart"),
            (std::vector<std::string>{"system:authenticated", "system:serviceaccounts",
                                      "system:serviceaccounts:shop"}));
}

}  // namespace

}  // namespace saker::audit
