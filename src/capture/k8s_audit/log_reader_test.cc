#include "capture/k8s_audit/log_reader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace saker::capture {
namespace {

std::string event_of(int id, const std::string& more = "") {
  return R"({"kind":"Event","auditID":")" + std::to_string(id) +
         R"(","stageTimestamp":"2026-07-23T10:11:12.000001Z")" + more + "}";
}

class AuditLog : public ::testing::Test {
 protected:
  ~AuditLog() override {
    if (!path_.empty()) std::remove(path_.c_str());
  }

  // The auditIDs that are read from a file with this text.
  std::vector<std::string> read(const std::string& text) {
    path_ = ::testing::TempDir() + "saker-audit-" + std::to_string(::getpid());
    std::ofstream(path_, std::ios::binary) << text;
    auto reader = AuditLogReader::open(path_);
    EXPECT_TRUE(reader.ok());
    event::Event event;
    std::vector<std::string> ids;
    while ((end = (*reader)->next(event)) == Next::event) {
      EXPECT_EQ(event.source, event::Source::k8s_audit);
      EXPECT_EQ(event.timestamp, 1784801472000001000u);
      ids.emplace_back((*reader)->record().find("/auditID").value_or("?"));
    }
    lost = (*reader)->stats().lost;
    problems = (*reader)->problems();
    error = (*reader)->error();
    return ids;
  }

  using Ids = std::vector<std::string>;
  Next end{};
  std::map<std::string, uint64_t> lost;
  std::vector<std::string> problems;
  Error error;

 private:
  std::string path_;
};

TEST_F(AuditLog, LinesAndBlankLines) {
  EXPECT_EQ(read("\n" + event_of(1) + "\r\n\n" + event_of(2) + "\n"), (Ids{"\"1\"", "\"2\""}));
  EXPECT_TRUE(lost.empty());
  EXPECT_EQ(read(event_of(3)), (Ids{"\"3\""}));
  EXPECT_TRUE(read("").empty());
}

TEST_F(AuditLog, DocumentsOverSeveralLines) {
  EXPECT_EQ(read("{\n \"kind\": \"Event\", \"auditID\": \"1\",\n \"stageTimestamp\": "
                 "\"2026-07-23T10:11:12.000001Z\"\n}\n{\n\"auditID\":\"2\",\"stageTimestamp\": "
                 "\"2026-07-23T10:11:12.000001Z\"}"),
            (Ids{"\"1\"", "\"2\""}));
  const std::string list =
      R"({"kind":"EventList","items":[)" + event_of(1) + "," + event_of(2) + "]}";
  EXPECT_EQ(read(list), (Ids{"\"1\"", "\"2\""}));
  EXPECT_EQ(read(list + "\n" + event_of(3) + "\n"), (Ids{"\"1\"", "\"2\"", "\"3\""}));
  EXPECT_EQ(read("[" + event_of(1) + ",\n" + list + "," + event_of(3) + "]"),
            (Ids{"\"1\"", "\"1\"", "\"2\"", "\"3\""}));
}

TEST_F(AuditLog, WhatIsNoEventIsCounted) {
  EXPECT_EQ(read("x\"}\n" + event_of(1) + "\n{\"kind\":\"Pod\"}\n{\"kind\":\"Event\"}\n{]\n" +
                 event_of(2) + "\n{\"kind\":\"Ev"),
            (Ids{"\"1\"", "\"2\""}));
  EXPECT_EQ(lost, (std::map<std::string, uint64_t>{{"line that is not JSON", 1},
                                                   {"object that is no audit event", 1},
                                                   {"event without an auditID", 1},
                                                   {"event that is not complete", 2}}));
  ASSERT_EQ(problems.size(), 4u);
  EXPECT_NE(problems[1].find(":3: object that is no audit event, at byte 82; skipped"),
            std::string::npos)
      << problems[1];
}

TEST_F(AuditLog, ATimeThatTheServerDoesNotKnowIsNull) {
  EXPECT_EQ(read("{\"auditID\":\"1\",\"stageTimestamp\":null,\"requestReceivedTimestamp\":"
                 "\"2026-07-23T10:11:12.000001Z\"}\n"),
            (Ids{"\"1\""}));
  EXPECT_TRUE(lost.empty());
}

TEST_F(AuditLog, ABrokenFirstLineDoesNotSwallowTheLog) {
  EXPECT_EQ(read("{\"kind\":\"Event\",\"a\":{\"b\n" + event_of(1) + "\n"), (Ids{"\"1\""}));
  EXPECT_EQ(lost.size(), 1u);
}

TEST_F(AuditLog, LongLinesCrossWindows) {
  const std::string body(3'000'000, 'x');
  EXPECT_EQ(read(event_of(1) + "\n" + event_of(2, ",\"requestObject\":{\"a\":\"" + body + "\"}") +
                 "\n" + event_of(3) + "\n"),
            (Ids{"\"1\"", "\"2\"", "\"3\""}));
}

TEST_F(AuditLog, TheOldTextFormatIsRefused) {
  EXPECT_TRUE(read("2017-05-17T10:00:00.000000000Z AUDIT: id=\"x\" ip=\"1.2.3.4\"\n").empty());
  EXPECT_EQ(end, Next::failed);
  EXPECT_NE(error.to_text().find("--audit-log-format=json"), std::string::npos);
}

}  // namespace
}  // namespace saker::capture
