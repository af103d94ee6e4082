// What conditions over the real fields ask of the kernel.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "event/demand.h"
#include "fields/catalog.h"
#include "rules/engine.h"
#include "rules/ruleset.h"

namespace saker::cmd {
namespace {

// How opens are narrowed down by rules with these conditions, a group of calls a line.
std::string opens_of(std::initializer_list<std::string> conditions) {
  std::string text;
  for (const std::string& condition : conditions)
    text += "- rule: r" + std::to_string(text.size()) +
            "\n  desc: d\n  condition: evt.type = openat and " + condition +
            "\n  output: o\n  priority: INFO\n";
  const std::vector<rules::RulesText> files = {{"test.yaml", text}};
  rules::LoadResult loaded = rules::load(files, {.catalog = &fields::catalog()});
  EXPECT_TRUE(loaded.ok()) << rules::to_text(loaded.reports[0], true);
  const rules::Engine engine(std::move(loaded.set), rules::Matching::all);
  return join(event::describe(engine.demand().tests[event::SYSCALL_OPENAT_2_X]), "\n");
}

TEST(Demand, PathsOfTheWholeNameItsFolderAndItsLastPart) {
  EXPECT_EQ(opens_of({"fd.name startswith /etc/ and proc.name = x"}), "paths /etc/*");
  EXPECT_EQ(opens_of({"fd.name in (/a, /b/)"}), "paths /a* /b*");
  EXPECT_EQ(opens_of({"fd.directory = /var/log"}), "paths /var/log*");
  EXPECT_EQ(opens_of({"fd.filename in (syslog, x)"}), "paths */syslog */x");
  EXPECT_EQ(opens_of({"fd.name endswith agent"}), "paths *agent");
  EXPECT_EQ(opens_of({"fd.name contains id_rsa"}), "paths *id_rsa*");
  EXPECT_EQ(opens_of({"fd.nameraw contains ../"}), "paths *../* as passed");
}

TEST(Demand, WhatSaysNothingAboutThePathLetsAllPass) {
  for (const char* condition :
       {"proc.name = x", "fd.name != /etc", "not fd.name startswith /etc", "fd.name startswith etc",
        "fd.name startswith /etc or proc.name = x", "fd.name exists", "fd.name glob /e*",
        "fd.nameraw startswith /etc", "toupper(fd.name) startswith /ETC"})
    EXPECT_EQ(opens_of({condition}), "") << condition;
}

TEST(Demand, ModesAndResultsAreToldApart) {
  EXPECT_EQ(opens_of({"evt.is_open_write = true"}), "opened for writing or for both");
  EXPECT_EQ(opens_of({"evt.is_open_write = false"}), "opened for reading");
  EXPECT_EQ(opens_of({"not evt.is_open_read = true and evt.failed = true"}),
            "opened for writing, failed");
  EXPECT_EQ(opens_of({"fd.num >= 0"}), "successful");
  EXPECT_EQ(opens_of({"evt.res startswith E"}), "failed");
  EXPECT_EQ(opens_of({"fd.num = -1 and evt.res = SUCCESS"}), "never");
  EXPECT_EQ(
      opens_of({"evt.is_open_read = true and evt.failed = false and fd.name startswith /etc"}),
      "opened for reading or for both, successful: paths /etc*");
}

// Each rule narrows the calls of its own classes; a class that no rule wants is not sent.
TEST(Demand, RulesAddUpClassByClass) {
  EXPECT_EQ(opens_of({"evt.is_open_read = true and fd.name startswith /etc",
                      "evt.is_open_write = true and fd.name endswith .log"}),
            "opened for reading: paths /etc*\nopened for writing: paths *.log\n"
            "opened for both: paths /etc* *.log");
  EXPECT_EQ(opens_of({"evt.failed = true", "fd.name startswith /etc"}),
            "successful: paths /etc*\nfailed");
  EXPECT_EQ(opens_of({"(fd.name startswith /etc or fd.name contains rsa) and "
                      "fd.nameraw contains ../"}),
            "paths *../* as passed");
}

}  // namespace
}  // namespace saker::cmd
