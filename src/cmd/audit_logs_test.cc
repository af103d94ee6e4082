// Policies tried on whole logs: of every form, with lines of any length; and that a real server's
// log is what its policy says.
#include "cmd/audit_logs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "audit/policy_log.h"

namespace saker::cmd {

namespace {

namespace fs = std::filesystem;

class Scratch {
 public:
  Scratch() : path_(fs::temp_directory_path() / ("saker-logs-" + std::to_string(::getpid()))) {}
  ~Scratch() { fs::remove(path_); }
  std::string write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_.string();
  }

 private:
  fs::path path_;
};

std::string event(const std::string& rest = "") {
  return R"({"kind":"Event","level":"Request","auditID":"a","stage":"ResponseComplete",)"
         R"("requestURI":"/x","verb":"get","user":{"username":"ana"},"objectRef":{"resource":"pods"},)"
         R"("stageTimestamp":"2026-11-25T01:02:03.000000Z")" +
         rest + "}";
}

struct Outcome {
  audit::PolicyTrial trial;
  LogsRead read;
};

Outcome try_policy(const std::string& policy_text, const std::string& log) {
  const audit::PolicyFile file = audit::load_policy(policy_text, "p.yaml");
  audit::PolicyTester tester(file.policy);
  audit::LoggedRequest request;
  const std::vector<std::string> logs = {log};
  Result<LogsRead> read =
      read_audit_logs(logs, [&](const audit::AuditRecord& record, const event::Event& event) {
        EXPECT_NE(event.timestamp, 0U);
        ASSERT_TRUE(request.read(record));
        tester.take(request);
      });
  EXPECT_TRUE(read.ok());
  return {tester.result(), read.ok() ? *read : LogsRead{}};
}

constexpr const char* kAll =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: Request}\n";

TEST(AuditLogs, LinesAndListsGiveTheSame) {
  Scratch scratch;
  const Outcome lines = try_policy(kAll, scratch.write(event() + "\n" + event() + "\n"));
  const Outcome list = try_policy(
      kAll, scratch.write(R"({"kind":"EventList","items":[)" + event() + "," + event() + "]}\n"));
  EXPECT_EQ(lines.trial.kept.events, 2U);
  EXPECT_EQ(list.trial.kept.events, 2U);
  EXPECT_EQ(list.trial.kept.bytes, lines.trial.kept.bytes);
  EXPECT_EQ(list.read.events, 2U);
}

TEST(AuditLogs, WhatIsNoEventIsCounted) {
  Scratch scratch;
  const Outcome out = try_policy(kAll, scratch.write(event() + "\n{\"half\": \nx\n" + event()));
  EXPECT_EQ(out.trial.kept.events, 2U);
  EXPECT_EQ(out.read.skipped, 2U);
}

TEST(AuditLogs, LinesOfAnyLength) {
  Scratch scratch;
  const std::string text =
      event(R"(,"requestObject":{"data":")" + std::string(5'000'000, 'x') + "\"}") + "\n";
  const Outcome out = try_policy(kAll, scratch.write(text + text + event() + "\n"));
  EXPECT_EQ(out.trial.kept.events, 3U);
  EXPECT_EQ(out.trial.kept.bytes, 2 * text.size() + event().size() + 1);
  const std::vector<std::string> nothing = {"/nonexistent"};
  EXPECT_FALSE(
      read_audit_logs(nothing, [](const audit::AuditRecord&, const event::Event&) {}).ok());
}

// The policy that the server had decides each of its events as the server did.
TEST(AuditLogs, ARealLogIsWhatItsPolicySays) {
  const std::string folder = std::string(SAKER_SOURCE_DIR) + "/../shared/conformance/audit/real/";
  std::ifstream stream(folder + "policy.yaml");
  if (!stream) GTEST_SKIP() << folder << " is not there";
  const std::string text((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  for (const char* log : {"shop.log", "server-start.log.gz"}) {
    const Outcome out = try_policy(text, folder + log);
    EXPECT_GT(out.trial.all.events, 100U);
    EXPECT_EQ(out.trial.lost.events, 0U) << log;
    EXPECT_EQ(out.trial.deeper, 0U) << log;
    EXPECT_EQ(out.trial.kept.bytes, out.trial.all.bytes) << log;
    EXPECT_EQ(out.read.skipped, 0U) << log;
  }
}

}  // namespace

}  // namespace saker::cmd
