// A token bucket a rule: a rule that fires like mad must not bury the others.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"

namespace saker::output {

// Not thread-safe. Time comes from outside.
class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `per_second` 0: no limit.
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  // Whether a finding of this rule may pass now.
  bool pass(std::string_view rule, Time now);

 private:
  struct Bucket {
    double tokens;
    Time filled;
  };
  double per_second_, burst_;
  std::unordered_map<std::string, Bucket, StringHash, std::equal_to<>> buckets_;
};

}  // namespace saker::output
