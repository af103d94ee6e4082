// What a policy would have made of the requests in an audit log: kept or lost, at which level, by
// which rule, how many bytes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/policy.h"
#include "audit/policy_match.h"
#include "base/arena.h"
#include "event/audit_record.h"

namespace saker::audit {

struct Volume {
  uint64_t events = 0, bytes = 0;
  void add(uint64_t size) {
    ++events;
    bytes += size;
  }
  void add(const Volume& other) {
    events += other.events;
    bytes += other.bytes;
  }
};

struct PolicyTrial {
  Volume all, kept, lost;
  std::array<Volume, kLevels.size()> levels;  // kept, by the level that the policy gives
  struct RuleVolume {
    Volume kept, lost;
  };
  std::vector<RuleVolume> rules;  // one more than the policy has: what no rule decides about
  struct Day {
    Volume all, kept;
  };
  std::map<std::string, Day, std::less<>> days;  // "2026-11-25"
  // "get secrets": what is lost, by verb and resource; "(other)" when there were too many kinds.
  std::map<std::string, Volume, std::less<>> lost_kinds;
  uint64_t deeper = 0;  // events that the policy would give bodies that the log doesn't have
  std::string first_time, last_time;

  // Of other events, judged by the same policy.
  void add(const PolicyTrial& other);
};

// What a policy decides about one event by, and how large the event is. Views of the record and of
// this, valid until the next read.
class LoggedRequest {
 public:
  // False when it is no audit event.
  bool read(const AuditRecord& record);

  [[nodiscard]] const RequestView& request() const { return request_; }
  [[nodiscard]] std::optional<Stage> stage() const { return stage_; }
  [[nodiscard]] std::optional<Level> level() const { return level_; }
  [[nodiscard]] std::string_view time() const { return time_; }
  [[nodiscard]] uint64_t size() const { return size_; }  // of its line
  // What the policy would have written of it; nothing: no event at all.
  [[nodiscard]] std::optional<uint64_t> kept_size(const Decision& decision) const;

 private:
  std::string_view text(const AuditRecord& record, AuditValue value);

  Arena arena_;
  std::vector<std::string_view> groups_;
  std::string path_text_;  // the request's path, decoded
  RequestView request_;
  std::optional<Stage> stage_;
  std::optional<Level> level_;
  std::string_view time_;
  uint64_t size_ = 0, request_body_ = 0, response_body_ = 0;
};

// Judges the events of logs by a policy. Memory does not grow with the log.
class PolicyTester {
 public:
  explicit PolicyTester(const Policy& policy);

  void take(const LoggedRequest& event);
  [[nodiscard]] const PolicyTrial& result() const { return trial_; }

 private:
  [[nodiscard]] PolicyTrial::Day* day_of(std::string_view time);
  void lose(const RequestView& request, size_t rule, uint64_t size);

  PolicyMatcher matcher_;
  PolicyTrial trial_;
};

}  // namespace saker::audit
