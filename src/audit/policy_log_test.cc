// Trying policies on events: what is kept and lost.
#include "audit/policy_log.h"

#include <gtest/gtest.h>

namespace saker::audit {

namespace {

PolicyFile load(const std::string& rules) {
  return load_policy(
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n" + rules,
      "p.yaml");
}

// Tries the policy on events, a line each.
void take(PolicyTester& tester, const std::vector<std::string>& lines) {
  LoggedRequest event;
  for (std::string line : lines) {
    const size_t size = line.size() - 1;  // without the line's end
    line.append(formats::kJsonPadding, ' ');
    ASSERT_TRUE(event.read(std::string_view(line).substr(0, size)).ok()) << line;
    tester.take(event);
  }
}

std::string event(const std::string& verb, const std::string& resource, const std::string& rest,
                  const std::string& stage = "ResponseComplete") {
  return R"({"kind":"Event","level":"Request","auditID":"a","stage":")" + stage +
         R"(","requestURI":"/x","verb":")" + verb +
         R"(","user":{"username":"ana","groups":["system:authenticated"]},"objectRef":{"resource":")" +
         resource +
         R"(","namespace":"shop","name":"web"},"stageTimestamp":"2026-11-25T01:02:03.000000Z")" +
         rest + "}\n";
}

TEST(PolicyTester, CountsWhatIsKeptAndLost) {
  const PolicyFile file = load(
      "- {level: Metadata, resources: [{resources: [secrets]}]}\n"
      "- {level: RequestResponse, verbs: [patch]}\n- {level: None, verbs: [watch]}\n");
  const std::string secret = event("update", "secrets", R"(,"requestObject":{"data":"xyz"})");
  const std::string patch = event("patch", "pods", "");
  PolicyTester tester(file.policy);
  take(tester, {secret, patch, event("watch", "pods", ""), event("get", "pods", ""),
                event("update", "secrets", "", "RequestReceived")});
  const PolicyTrial& trial = tester.result();
  EXPECT_EQ(trial.all.events, 5U);
  EXPECT_EQ(trial.kept.events, 2U);
  EXPECT_EQ(trial.lost.events, 3U);
  EXPECT_EQ(trial.rules[0].kept.bytes, secret.size() - std::string(R"({"data":"xyz"})").size());
  EXPECT_EQ(trial.rules[0].lost.events, 1U);  // the stage
  EXPECT_EQ(trial.rules[1].kept.bytes, patch.size());
  EXPECT_EQ(trial.rules[3].lost.events, 1U);  // no rule
  EXPECT_EQ(trial.deeper, 1U);
  EXPECT_EQ(trial.lost_kinds.at("watch pods").events, 1U);
  EXPECT_EQ(trial.days.at("2026-11-25").kept.events, 2U);
}

TEST(PolicyTester, ACreateHasNoNameWhenThePolicyIsAsked) {
  const PolicyFile file = load(
      "- {level: Metadata, resources: [{resources: [pods, pods/exec], resourceNames: [web]}]}\n");
  PolicyTester tester(file.policy);
  take(tester, {event("create", "pods", ""), event("get", "pods", "")});
  EXPECT_EQ(tester.result().kept.events, 1U);
}

TEST(PolicyTester, WhatIsNoEventIsSaid) {
  LoggedRequest event;
  for (std::string text : {R"({"half": )", R"({"kind":"EventList"})", "7"}) {
    const size_t size = text.size();
    text.append(formats::kJsonPadding, ' ');
    EXPECT_FALSE(event.read(std::string_view(text).substr(0, size)).ok()) << text;
  }
}

}  // namespace

}  // namespace saker::audit
