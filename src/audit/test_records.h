// Audit events for tests.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "audit/digest.h"
#include "base/time.h"
#include "event/audit_record.h"
#include "formats/json_index.h"

namespace saker::audit::test {

struct TextRecord : AuditRecord {
  explicit TextRecord(const std::string& json)
      : text_(json + std::string(formats::kJsonPadding, ' ')) {
    EXPECT_TRUE(index_.load(std::string_view(text_).substr(0, json.size()))) << json;
  }
  [[nodiscard]] std::string_view text() const override { return index_.text(); }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view pointer) const override {
    return index_.find(pointer);
  }
  [[nodiscard]] std::string_view value(AuditValue value) const override {
    return index_.value(static_cast<size_t>(value));
  }

 private:
  std::string text_;
  static inline const formats::JsonPaths kPaths{kAuditPointers};
  formats::JsonIndex index_{kPaths};
};

struct LoggedAct {
  std::string id, user = "ana", verb = "list", resource = "secrets", space = "shop";
  int code = 200;
  std::string agent = "kubectl/v1.30", address = "10.0.0.1", as;
  std::string time;  // of the day; without one the second that the id begins with

  [[nodiscard]] std::string stage_time() const {
    return "2026-03-02T" + (time.empty() ? "00:00:0" + id.substr(0, 1) : time) + ".000000Z";
  }
  [[nodiscard]] std::string json() const {
    const bool unknown = code == 401;
    return R"({"auditID":")" + id + R"(","stage":")" +
           (unknown ? "ResponseStarted" : "ResponseComplete") + R"(","verb":")" + verb +
           R"(","user":{)" + (unknown ? "" : R"("username":")" + user + "\"") + "}" +
           (as.empty() ? "" : R"(,"impersonatedUser":{"username":")" + as + "\"}") +
           R"(,"sourceIPs":[")" + address + R"("],"userAgent":")" + agent +
           R"(","objectRef":{"resource":")" + resource + R"(","namespace":")" + space +
           R"("},"responseStatus":{"code":)" + std::to_string(code) + R"(},"stageTimestamp":")" +
           stage_time() + "\"}";
  }
};

// As a reader of logs makes it.
inline AuditDigest digest_with_time(const AuditRecord& record) {
  AuditDigest digest = digest_of(record);
  const std::string_view time = record.value(AuditValue::stage_time);
  if (time.size() > 2) digest.time_ns = parse_rfc3339(time.substr(1, time.size() - 2)).value_or(0);
  return digest;
}

}  // namespace saker::audit::test
