// The page of an analysis: complete, and inert whatever the log holds.
#include "cmd/audit_html.h"

#include <gtest/gtest.h>

namespace saker::cmd {

namespace {

audit::Suspicion hostile() {
  const std::string bad = "<script>alert('1')</script>\"&\x1b";
  return {.id = "odd",
          .title = bad,
          .description = bad,
          .severity = finding::Severity::warning,
          .technique = "T1",
          .actor = bad,
          .first = "2026-03-02T10:00:00.000000Z",
          .last = "2026-03-02T10:00:01.000000Z",
          .count = 3,
          .source_ips = {bad},
          .audit_ids = {bad},
          .requests = {bad}};
}

audit::ObjectAccess hostile_access() {
  const std::string bad = "<script>alert('2')</script>";
  return {.actor = bad,
          .impersonated = bad,
          .resource = "secrets",
          .reads = 41,
          .named = 1,
          .namespaces = {bad},
          .objects = {bad}};
}

}  // namespace

TEST(AuditHtml, EscapesWhatTheLogHolds) {
  const audit::Suspicion suspicion = hostile();
  const std::string page = audit_html({.suspicions = {&suspicion},
                                       .accesses = {hostile_access()},
                                       .logs = {"<a>.log"},
                                       .events = 3});
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_EQ(page.find("<a>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"),
            std::string::npos);
  EXPECT_NE(page.find("alert(&#39;2&#39;)"), std::string::npos);
  EXPECT_NE(page.find("<td>41</td>"), std::string::npos);
  EXPECT_NE(page.find("and 2 more"), std::string::npos);
  EXPECT_NE(page.find("left:0.00%;width:100.00%"), std::string::npos);
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST(AuditHtml, SaysThatThereIsNothing) {
  const std::string page = audit_html({.logs = {"audit.log"}, .events = 7});
  EXPECT_NE(page.find("Nothing to tell."), std::string::npos);
  EXPECT_NE(page.find("audit.log: 7 events."), std::string::npos);
}

// Times that can't be read have no place on the line.
TEST(AuditHtml, TakesTimesThatAreNone) {
  audit::Suspicion suspicion = hostile();
  suspicion.first = suspicion.last = "yesterday";
  EXPECT_NE(audit_html({.suspicions = {&suspicion}}).find("left:0.00%;width:0.00%"),
            std::string::npos);
}

}  // namespace saker::cmd
