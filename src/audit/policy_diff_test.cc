// Differences between policies.
#include "audit/policy_diff.h"

#include <gtest/gtest.h>

namespace saker::audit {

namespace {

Policy load(const std::string& rules) {
  return load_policy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n" + rules, "p").policy;
}

TEST(PolicyDiff, SaysWhatChanges) {
  const Policy before =
      load("- {level: Metadata, verbs: [get, list], resources: [{resources: [secrets]}]}\n");
  const Policy after =
      load("- {level: Request, verbs: [get], resources: [{resources: [secrets]}]}\n");
  const PolicyDiff diff = diff_policies(before, after);
  ASSERT_EQ(diff.changes.size(), 2U);
  EXPECT_EQ(diff.changes[0].verb, "get");
  EXPECT_EQ(diff.changes[0].what, "secrets");
  EXPECT_EQ(diff.changes[0].who, "everyone");
  EXPECT_EQ(diff.changes[0].before.level, Level::metadata);
  EXPECT_EQ(diff.changes[0].after.level, Level::request);
  EXPECT_EQ(diff.changes[1].verb, "list");
  EXPECT_EQ(diff.changes[1].after.level, Level::none);
}

TEST(PolicyDiff, DifferentTextsThatDecideAlike) {
  const Policy before = load(
      "- {level: Metadata, verbs: [get], resources: [{resources: [pods]}]}\n"
      "- {level: Metadata, verbs: [get], resources: [{resources: [secrets]}]}\n"
      "- {level: None}\n");
  const Policy after =
      load("- {level: Metadata, verbs: [get], resources: [{resources: [secrets, pods]}]}\n");
  EXPECT_TRUE(diff_policies(before, after).changes.empty());
}

TEST(PolicyDiff, UsersNamespacesAndPaths) {
  const Policy before = load("- {level: Metadata}\n");
  const Policy after = load(
      "- {level: None, users: [bob], namespaces: [shop]}\n- {level: None, nonResourceURLs: "
      "['/health*']}\n- {level: Metadata}\n");
  const PolicyDiff diff = diff_policies(before, after);
  bool bob = false, path = false;
  for (const LevelChange& change : diff.changes) {
    bob |= change.who == "bob" && change.where == "namespace shop";
    path |= change.what.find("paths /health*") != std::string::npos && change.who == "everyone";
    EXPECT_EQ(change.after.level, Level::none);
  }
  EXPECT_TRUE(bob && path);
  EXPECT_TRUE(diff_policies(after, after).changes.empty());
}

}  // namespace

}  // namespace saker::audit
