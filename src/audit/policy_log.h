// What a policy would have made of the requests in an audit log: kept or lost, at which level, by
// which rule, how many bytes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "audit/policy.h"
#include "audit/policy_match.h"
#include "base/result.h"
#include "formats/json_pick.h"

namespace saker::audit {

struct Volume {
  uint64_t events = 0, bytes = 0;
  void add(uint64_t size) {
    ++events;
    bytes += size;
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
  uint64_t deeper = 0;        // events that the policy would give bodies that the log doesn't have
  uint64_t skipped = 0;       // lines that are no audit event
  std::string first_skipped;  // what was wrong with the first of them, and where
  std::string first_time, last_time;
};

// Feeds log files to a policy. Memory does not grow with the log.
class PolicyTester {
 public:
  explicit PolicyTester(const Policy& policy);

  // JSON lines, plain or compressed by gzip or zstd.
  Status read(const std::string& path);
  // One line, behind which formats::kJsonPadding bytes are readable.
  void take(std::string_view line, std::string_view path, uint64_t line_number);
  [[nodiscard]] const PolicyTrial& result() const { return trial_; }

 private:
  void judge(std::string_view line);
  [[nodiscard]] PolicyTrial::Day* day_of(std::string_view time);
  [[nodiscard]] RequestView request();
  void lose(const RequestView& request, size_t rule, uint64_t size);

  PolicyMatcher matcher_;
  formats::JsonPicker picker_;
  std::string path_text_;  // the request's path, decoded
  PolicyTrial trial_;
};

}  // namespace saker::audit
