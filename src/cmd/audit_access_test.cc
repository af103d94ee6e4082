// The table of accesses: machinery is told together, hostile names are made harmless.
#include "cmd/audit_access.h"

#include <gtest/gtest.h>

namespace saker::cmd {

namespace {

using audit::ActorKind;
using audit::ObjectAccess;

ObjectAccess access_of(const std::string& actor, ActorKind kind, const std::string& space) {
  return {.actor = actor,
          .actor_kind = kind,
          .resource = "secrets",
          .reads = 2,
          .named = 1,
          .namespaces = {space},
          .objects = {space + "/db"}};
}

}  // namespace

TEST(AuditAccess, FoldsMachinery) {
  const AccessLines out =
      access_lines({access_of("ana", ActorKind::person, "shop"),
                    access_of("system:node:a", ActorKind::node, "shop"),
                    access_of("system:node:b", ActorKind::node, "blog"),
                    access_of("system:apiserver", ActorKind::system, "kube-system")},
                   10);
  ASSERT_EQ(out.lines.size(), 3U);
  EXPECT_EQ(out.lines[0].actor, "ana");
  EXPECT_EQ(out.lines[1].actor, "2 nodes");
  EXPECT_EQ(out.lines[1].reads, 4U);
  EXPECT_EQ(out.lines[1].namespaces, "blog, shop");
  EXPECT_EQ(out.lines[1].objects, "blog/db, shop/db");
  EXPECT_EQ(out.lines[2].actor, "system:apiserver");
}

// A node in whose name somebody acts is none of the machinery.
TEST(AuditAccess, DoesNotHideABorrowedName) {
  ObjectAccess borrowed = access_of("system:node:a", ActorKind::node, "shop");
  borrowed.impersonated = "root";
  const AccessLines out =
      access_lines({borrowed, access_of("system:node:b", ActorKind::node, "shop")}, 10);
  ASSERT_EQ(out.lines.size(), 2U);
  EXPECT_EQ(out.lines[0].actor, "system:node:a as root");
}

TEST(AuditAccess, SaysWhatIsLeftOut) {
  std::vector<ObjectAccess> accesses;
  for (int i = 0; i < 40; ++i)
    accesses.push_back(access_of("user" + std::to_string(i), ActorKind::person, "shop"));
  EXPECT_NE(access_report(accesses, Medium::terminal).find("and 15 more: --json"),
            std::string::npos);
  EXPECT_EQ(access_report({}, Medium::terminal), "");
  EXPECT_EQ(access_report({access_of("a<b\x1b[2J", ActorKind::person, "shop")}, Medium::markdown)
                .find_first_of("<\x1b"),
            std::string::npos);
}

}  // namespace saker::cmd
