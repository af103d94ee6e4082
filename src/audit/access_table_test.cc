// Who touched what: counts by actor and kind, names, what does not count, bounds.
#include "audit/access_table.h"

#include <gtest/gtest.h>

#include "audit/test_records.h"

namespace saker::audit {

namespace {

using test::LoggedAct;
using test::TextRecord;

class Counter {
 public:
  void count(const std::string& json, bool wanted = true) {
    const TextRecord record(json);
    table.count(digest_of(record), [&]() { return wanted ? &record : nullptr; });
  }
  void act(const LoggedAct& logged) { count(logged.json()); }

  AccessTable table;
};

std::string named(const std::string& name, const std::string& more = "") {
  return R"({"auditID":"1","stage":"ResponseComplete","verb":"get","user":{"username":"ana"},)"
         R"("objectRef":{"resource":"secrets","namespace":"shop","name":")" +
         name + R"("},"responseStatus":{"code":200})" + more + "}";
}

std::string watch(const std::string& stage) {
  return R"({"auditID":"1","stage":")" + stage +
         R"(","verb":"watch","user":{"username":"ana"},"objectRef":{"resource":"secrets"},)"
         R"("responseStatus":{"code":200}})";
}

}  // namespace

TEST(AccessTable, CountsByActorAndKind) {
  Counter counter;
  counter.act({.id = "1", .user = "system:node:n1", .verb = "get"});
  counter.act({.id = "1"});
  counter.act({.id = "2", .verb = "get"});
  counter.act({.id = "3", .verb = "patch", .space = "blog"});
  counter.act({.id = "4", .verb = "get", .space = "blog", .code = 403});
  counter.act({.id = "5", .verb = "get", .resource = "configmaps"});
  counter.act({.id = "6", .as = "root"});
  const std::vector<ObjectAccess> rows = counter.table.rows();
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].resource, "configmaps");
  EXPECT_EQ(rows[1].actor, "ana");
  EXPECT_EQ(rows[1].impersonated, "");
  EXPECT_EQ(rows[1].reads, 1U);
  EXPECT_EQ(rows[1].lists, 1U);
  EXPECT_EQ(rows[1].writes, 1U);
  EXPECT_EQ(rows[1].refused, 1U);
  EXPECT_EQ(rows[1].namespaces, (std::set<std::string>{"blog", "shop"}));
  EXPECT_EQ(rows[2].actor, "ana");
  EXPECT_EQ(rows[2].impersonated, "root");
  EXPECT_EQ(rows[2].lists, 1U);
  EXPECT_EQ(rows[3].actor, "system:node:n1");
}

TEST(AccessTable, OtherKindsAndWhatDidNotHappenDoNotCount) {
  Counter counter;
  counter.act({.id = "1", .resource = "pods"});
  counter.act({.id = "2", .code = 404});
  counter.act({.id = "3", .code = 401});
  counter.act({.id = "4", .verb = "proxy"});
  counter.count(
      R"({"stage":"ResponseComplete","verb":"patch","user":{"username":"ana"},"requestURI":"/x?dryRun=All",)"
      R"("objectRef":{"resource":"secrets"},"responseStatus":{"code":200}})");
  counter.count(named("x"), false);
  EXPECT_TRUE(counter.table.rows().empty());
}

TEST(AccessTable, AWatchCountsOnce) {
  Counter both, end;
  both.count(watch("ResponseStarted"));
  both.count(watch("ResponseComplete"));
  end.count(watch("ResponseComplete"));
  for (const AccessTable* table : {&both.table, &end.table}) {
    ASSERT_EQ(table->rows().size(), 1U);
    EXPECT_EQ(table->rows()[0].lists, 1U);
    EXPECT_EQ(table->rows()[0].namespaces, std::set<std::string>{"*"});
  }
}

TEST(AccessTable, NamesSomeAndCountsTheOthers) {
  Counter counter;
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 2000; ++i) counter.count(named("s" + std::to_string(i)));
  counter.count(named(std::string(5000, 'x')));
  ASSERT_EQ(counter.table.rows().size(), 1U);
  const ObjectAccess row = counter.table.rows()[0];
  EXPECT_EQ(row.reads, 4001U);
  EXPECT_EQ(row.named, AccessTable::kMostNamesARow);
  EXPECT_EQ(row.objects.size(), AccessTable::kMostObjects);
  EXPECT_TRUE(row.objects.contains("shop/s0"));
}

TEST(AccessTable, SaysWhatItHasNoRoomFor) {
  Counter counter;
  for (size_t i = 0; i < AccessTable::kMostRows + 5; ++i)
    counter.act({.id = "1", .user = "user" + std::to_string(i)});
  EXPECT_EQ(counter.table.rows().size(), AccessTable::kMostRows);
  EXPECT_EQ(counter.table.forgotten(), 5U);
}

}  // namespace saker::audit
