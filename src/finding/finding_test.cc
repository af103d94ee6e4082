#include "finding/finding.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace saker::finding {
namespace {

Finding sample() {
  return Finding{.time_ns = 1795463957768779027ULL,
                 .rule = "R",
                 .severity = Severity::critical,
                 .hostname = "vm",
                 .message = "file \"/x\"\n",
                 .tags = {"T1", "container"},
                 .fields = {{"proc.tty", uint64_t{0}},
                            {"fd.name", std::monostate{}},
                            {"user.loginuid", int64_t{-1}},
                            {"proc.aname", std::string("a b")},
                            {"fd.types", std::vector<std::string>{"file", "pipe"}}}};
}

class FindingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

TEST_F(FindingTest, JsonHasSortedKeysAndTypedFields) {
  EXPECT_EQ(to_json(sample()),
            R"({"hostname":"vm","output":"19:59:17.768779027: Critical file \"/x\"\n",)"
            R"("output_fields":{"evt.time":1795463957768779027,"fd.name":null,)"
            R"("fd.types":["file","pipe"],"proc.aname":"a b","proc.tty":0,"user.loginuid":-1},)"
            R"("priority":"Critical","rule":"R","source":"syscall","tags":["T1","container"],)"
            R"("time":"2026-11-23T19:59:17.768779027Z"})");
}

TEST_F(FindingTest, JsonOptionsLeaveParts) {
  const std::string json = to_json(sample(), {.include_output = false,
                                              .include_message = true,
                                              .include_fields = false,
                                              .include_tags = false});
  EXPECT_EQ(json, R"({"hostname":"vm","message":"file \"/x\"\n","priority":"Critical","rule":"R",)"
                  R"("source":"syscall","time":"2026-11-23T19:59:17.768779027Z"})");
}

TEST_F(FindingTest, IsoTime) {
  EXPECT_EQ(to_line(sample(), true), "2026-11-23T19:59:17.768779027+0000: Critical file \"/x\"\n");
}

TEST_F(FindingTest, SeveritiesByAnyCase) {
  EXPECT_EQ(parse_severity("INFO"), Severity::informational);
  EXPECT_EQ(parse_severity("Informational"), Severity::informational);
  EXPECT_EQ(parse_severity("eMergency"), Severity::emergency);
  EXPECT_FALSE(parse_severity("warn"));
}

TEST_F(FindingTest, StringsAreValidJson) {
  std::string out;
  append_json_string(std::string_view("a\x01\xff\"\\", 5), out);
  EXPECT_EQ(out, "\"a\\u0001\xEF\xBF\xBD\\\"\\\\\"");
}

}  // namespace
}  // namespace saker::finding
