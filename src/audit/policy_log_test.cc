// Trying policies on events: what is kept and lost.
#include "audit/policy_log.h"

#include <gtest/gtest.h>

#include "audit/test_records.h"

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
  for (const std::string& line : lines) {
    const test::TextRecord record(line.substr(0, line.size() - 1));  // without the line's end
    ASSERT_TRUE(event.read(record)) << line;
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
  for (const char* text : {R"({"kind":"EventList"})", R"({"auditID":null,"verb":"get"})"})
    EXPECT_FALSE(event.read(test::TextRecord(text))) << text;
}

TEST(PolicyTester, ValuesOfOtherTypesAreNone) {
  LoggedRequest event;
  const test::TextRecord record(
      R"({"auditID":"a","verb":7,"user":{"username":["x"],"groups":"g"},"requestURI":{},"stage":1})");
  ASSERT_TRUE(event.read(record));
  EXPECT_EQ(event.request().verb, "");
  EXPECT_EQ(event.request().user, "");
  EXPECT_TRUE(event.request().groups.empty());
  EXPECT_FALSE(event.stage().has_value());
}

TEST(PolicyTester, TrialsOfPartsAreAddedUp) {
  const PolicyFile file = load(
      "- {level: Metadata, resources: [{resources: [secrets]}]}\n"
      "- {level: None, verbs: [watch]}\n");
  const std::vector<std::string> lines = {
      event("update", "secrets", R"(,"requestObject":{"data":"xyz"})"), event("watch", "pods", ""),
      event("get", "pods", ""), event("watch", "pods", "")};
  PolicyTester whole(file.policy);
  take(whole, lines);
  PolicyTrial sum;
  for (const std::string& line : lines) {
    PolicyTester part(file.policy);
    take(part, {line});
    sum.add(part.result());
  }
  const PolicyTrial& expected = whole.result();
  EXPECT_EQ(sum.all.bytes, expected.all.bytes);
  EXPECT_EQ(sum.kept.bytes, expected.kept.bytes);
  EXPECT_EQ(sum.rules.size(), expected.rules.size());
  EXPECT_EQ(sum.rules[1].lost.events, 2U);
  EXPECT_EQ(sum.lost_kinds.at("watch pods").events, 2U);
  EXPECT_EQ(sum.days.at("2026-11-25").all.events, 4U);
  EXPECT_EQ(sum.first_time, expected.first_time);
  EXPECT_EQ(sum.last_time, expected.last_time);
}

}  // namespace

}  // namespace saker::audit
