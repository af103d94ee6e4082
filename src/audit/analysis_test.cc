// What only the order of events tells, repetitions, filters and bounds.
#include "audit/analysis.h"

#include <gtest/gtest.h>

#include "audit/test_records.h"

namespace saker::audit {

namespace {

using test::digest_with_time;
using test::LoggedAct;
using test::TextRecord;

bool take(Analysis& analysis, const std::string& json) {
  const TextRecord record(json);
  return analysis.wants(record) &&
         analysis.take(digest_with_time(record), [&]() -> const AuditRecord& { return record; });
}

std::vector<Suspicion> analyze(const std::vector<LoggedAct>& requests, AnalysisFilter filter = {}) {
  Analysis analysis(std::move(filter));
  for (const LoggedAct& request : requests) take(analysis, request.json());
  std::vector<Suspicion> out;
  for (const Suspicion* suspicion : analysis.suspicions()) out.push_back(*suspicion);
  return out;
}

}  // namespace

TEST(Analysis, TellsOfASuccessAfterRefusals) {
  const auto found = analyze({{.id = "1", .code = 403},
                              {.id = "2", .code = 403, .address = "10.0.0.2"},
                              {.id = "3"},
                              {.id = "4", .address = "10.0.0.9"}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, "kubernetes-success-after-refusal");
  EXPECT_EQ(found[0].actor, "ana");
  EXPECT_EQ(found[0].count, 2U);
  EXPECT_EQ(found[0].audit_ids, (std::vector<std::string>{"3", "4"}));
  EXPECT_EQ(found[0].requests.front(), "list secrets shop/");
  EXPECT_EQ(found[0].first, "2026-03-02T00:00:03.000000Z");
  EXPECT_EQ(found[0].last, "2026-03-02T00:00:04.000000Z");
  EXPECT_EQ(found[0].source_ips, (std::set<std::string>{"10.0.0.1", "10.0.0.9"}));
}

TEST(Analysis, ASlipOrAnotherNamespaceIsNoSuccessAfterRefusal) {
  EXPECT_TRUE(analyze({{.id = "1", .code = 403}, {.id = "2"}}).empty());
  EXPECT_TRUE(analyze({{.id = "1", .space = "a", .code = 403},
                       {.id = "2", .space = "a", .code = 403},
                       {.id = "3"}})
                  .empty());
  // What was allowed before is refused now and then.
  EXPECT_TRUE(
      analyze({{.id = "1"}, {.id = "2", .code = 403}, {.id = "3", .code = 403}, {.id = "4"}})
          .empty());
}

TEST(Analysis, TellsOfAServiceAccountsNewClientOnce) {
  const std::string account = "system:serviceaccount:shop:web";
  const auto found = analyze({{.id = "1", .user = account, .agent = "web/1.0 (linux)"},
                              {.id = "2", .user = account, .agent = "web/1.1"},
                              {.id = "3", .user = account, .agent = "curl/8.0"},
                              {.id = "4", .user = account, .agent = "curl/8.0"}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, "kubernetes-service-account-with-a-new-client");
  EXPECT_EQ(found[0].audit_ids, std::vector<std::string>{"3"});
  EXPECT_TRUE(analyze({{.id = "1", .agent = "web/1"}, {.id = "2", .agent = "curl/8"}}).empty());
}

TEST(Analysis, CountsARepetitionOnce) {
  Analysis analysis({});
  const std::string event = LoggedAct{.id = "1"}.json();
  EXPECT_TRUE(take(analysis, event));
  EXPECT_FALSE(take(analysis, event));
  EXPECT_EQ(analysis.repeated(), 1U);
}

TEST(Analysis, TellsOfAnAuditIdUsedAgain) {
  const auto found =
      analyze({{.id = "1"}, {.id = "1", .verb = "delete"}, {.id = "2"}, {.id = "3"}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, "kubernetes-audit-id-used-again");
  EXPECT_EQ(found[0].requests, std::vector<std::string>{"delete secrets shop/"});
}

// An actor's successes may come after failures, which have no user.
TEST(Analysis, AnActorsFindingsAreThoseOfAll) {
  std::vector<LoggedAct> requests;
  for (int i = 0; i < 6; ++i) requests.push_back({.id = "1" + std::to_string(i), .code = 401});
  requests.push_back({.id = "2"});
  for (const AnalysisFilter& filter : {AnalysisFilter{}, AnalysisFilter{.actor = "ana"}}) {
    const auto found = analyze(requests, filter);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].id, "kubernetes-credential-accepted-after-failures");
    EXPECT_EQ(found[0].actor, "ana");
  }
  EXPECT_TRUE(analyze(requests, {.actor = "bob"}).empty());
}

// The actor is who really asked; what was done in another name is told apart, and of both.
TEST(Analysis, TellsInWhoseNameItWas) {
  const SuspicionKind kind{.title = "Odd", .severity = finding::Severity::notice};
  for (const char* of : {"", "ana", "root"}) {
    Analysis analysis({.actor = of});
    analysis.note(kind, TextRecord(LoggedAct{.id = "1"}.json()));
    analysis.note(kind, TextRecord(LoggedAct{.id = "2", .as = "root"}.json()));
    const std::vector<const Suspicion*> found = analysis.suspicions();
    ASSERT_EQ(found.size(), std::string_view(of) == "root" ? 1U : 2U);
    EXPECT_EQ(found.back()->actor, "ana");
    EXPECT_EQ(found.back()->impersonated, "root");
    EXPECT_EQ(found.back()->count, 1U);
  }
}

// The client chooses the id: another request is no repetition.
TEST(Analysis, AnotherRequestOfTheSameIdIsLookedAt) {
  Analysis analysis({});
  EXPECT_TRUE(take(analysis, LoggedAct{.id = "1"}.json()));
  EXPECT_TRUE(take(analysis, LoggedAct{.id = "1", .verb = "delete"}.json()));
  EXPECT_EQ(analysis.repeated(), 0U);
}

TEST(Analysis, FiltersByActorKindAndNamespace) {
  const std::vector<LoggedAct> requests = {
      {.id = "1", .code = 403}, {.id = "2", .code = 403}, {.id = "3"}};
  EXPECT_EQ(analyze(requests, {.actor = "ana"}).size(), 1U);
  EXPECT_EQ(analyze(requests, {.actor = "bob"}).size(), 0U);
  EXPECT_EQ(analyze(requests, {.resource = "secrets", .name_space = "shop"}).size(), 1U);
  EXPECT_EQ(analyze(requests, {.resource = "configmaps"}).size(), 0U);
  EXPECT_EQ(analyze(requests, {.name_space = "other"}).size(), 0U);
}

TEST(Analysis, KeepsTheFirstEvidenceAndCountsOn) {
  Analysis analysis({});
  const SuspicionKind kind{.title = "Odd: thing!",
                           .description = "d",
                           .severity = finding::Severity::notice,
                           .technique = "T1"};
  for (int i = 0; i < 50; ++i)
    analysis.note(kind, TextRecord(LoggedAct{.id = "1" + std::to_string(i)}.json()));
  ASSERT_EQ(analysis.suspicions().size(), 1U);
  const Suspicion& found = *analysis.suspicions().front();
  EXPECT_EQ(found.id, "odd-thing");
  EXPECT_EQ(found.count, 50U);
  EXPECT_EQ(found.audit_ids.size(), Analysis::kMostEvidence);
}

TEST(Analysis, TakesEventsThatLackEverything) {
  Analysis analysis({});
  EXPECT_TRUE(take(analysis, "{}"));
  EXPECT_TRUE(take(
      analysis,
      R"({"auditID":7,"user":[],"objectRef":"x","sourceIPs":{},"responseStatus":{"code":"x"}})"));
  EXPECT_TRUE(analysis.suspicions().empty());
}

}  // namespace saker::audit
