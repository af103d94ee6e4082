// Trying policies on logs: what is kept and lost, and that a real server's log is what its policy
// says.
#include "audit/policy_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace saker::audit {

namespace {

namespace fs = std::filesystem;

PolicyFile load(const std::string& rules) {
  return load_policy(
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n" + rules,
      "p.yaml");
}

class Scratch {
 public:
  Scratch()
      : path_(fs::temp_directory_path() / ("saker-policy-log-" + std::to_string(::getpid()))) {}
  ~Scratch() { fs::remove(path_); }
  std::string write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_.string();
  }

 private:
  fs::path path_;
};

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
  Scratch scratch;
  PolicyTester tester(file.policy);
  const std::string path =
      scratch.write(secret + patch + event("watch", "pods", "") + event("get", "pods", "") +
                    "\r\n" + "{\"half\": \n" + event("update", "secrets", "", "RequestReceived") +
                    "{\"kind\":\"EventList\"}");
  ASSERT_TRUE(tester.read(path).ok());
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
  EXPECT_EQ(trial.skipped, 2U);
  EXPECT_NE(trial.first_skipped.find(":6: "), std::string::npos) << trial.first_skipped;
}

TEST(PolicyTester, ACreateHasNoNameWhenThePolicyIsAsked) {
  const PolicyFile file = load(
      "- {level: Metadata, resources: [{resources: [pods, pods/exec], resourceNames: [web]}]}\n");
  Scratch scratch;
  PolicyTester tester(file.policy);
  ASSERT_TRUE(
      tester.read(scratch.write(event("create", "pods", "") + event("get", "pods", ""))).ok());
  EXPECT_EQ(tester.result().kept.events, 1U);
}

TEST(PolicyTester, LinesOfAnyLength) {
  const PolicyFile file = load("- {level: Request}\n");
  Scratch scratch;
  PolicyTester tester(file.policy);
  const std::string body = R"(,"requestObject":{"data":")" + std::string(5'000'000, 'x') + "\"}";
  const std::string text = event("create", "pods", body);
  ASSERT_TRUE(tester.read(scratch.write(text + text + event("get", "pods", ""))).ok());
  EXPECT_EQ(tester.result().kept.events, 3U);
  EXPECT_EQ(tester.result().kept.bytes, 2 * text.size() + event("get", "pods", "").size());
  EXPECT_FALSE(tester.read("/nonexistent").ok());
}

// The policy that the server had decides each of its events as the server did.
TEST(PolicyTester, ARealLogIsWhatItsPolicySays) {
  const std::string folder = std::string(SAKER_SOURCE_DIR) + "/../shared/conformance/audit/real/";
  std::ifstream stream(folder + "policy.yaml");
  if (!stream) GTEST_SKIP() << folder << " is not there";
  const std::string text((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  const PolicyFile file = load_policy(text, "policy.yaml");
  for (const char* log : {"shop.log", "server-start.log.gz"}) {
    PolicyTester tester(file.policy);
    ASSERT_TRUE(tester.read(folder + log).ok());
    EXPECT_GT(tester.result().all.events, 100U);
    EXPECT_EQ(tester.result().lost.events, 0U) << log;
    EXPECT_EQ(tester.result().deeper, 0U) << log;
    EXPECT_EQ(tester.result().kept.bytes, tester.result().all.bytes) << log;
    EXPECT_EQ(tester.result().skipped, 0U) << log;
  }
}

}  // namespace

}  // namespace saker::audit
