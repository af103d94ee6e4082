// Rules that speak only when something happens often: `burst: {count: 20, seconds: 10, by:
// [proc.pid], distinct: fd.name}`. An extension of the rule language; the condition says what is
// counted.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "filter/compile.h"

namespace saker::rules {

struct Burst {
  uint32_t count = 2;                       // so many matches ...
  uint32_t seconds = 60;                    // ... within so many seconds
  std::vector<filter::Operand> by;          // counted apart for each combination of these values
  std::optional<filter::Operand> distinct;  // counts different values of this instead of matches
};

// Counts the matches of burst rules. For one thread; memory is bounded: the combinations that were
// quiet longest are forgotten first.
class BurstCounter {
 public:
  // Counts one match at the event's time and says whether the burst is complete with it; it starts
  // anew then.
  bool complete(uint32_t rule, const Burst& burst, const filter::EvalContext& context);

  [[nodiscard]] size_t tracked() const { return counters_.size(); }
  [[nodiscard]] uint64_t forgotten() const { return forgotten_; }

 private:
  struct Hit {
    uint64_t time_ns;
    uint64_t value;  // hash of the distinct value, 0 without one
  };
  struct Counter {
    std::deque<Hit> hits;
    uint64_t last_ns = 0;
  };
  static constexpr size_t kMostCounters = 16384;

  void make_key(uint32_t rule, const Burst& burst, const filter::EvalContext& context);
  void forget_quiet();

  std::unordered_map<std::string, Counter, StringHash, std::equal_to<>> counters_;
  std::string key_;
  std::string text_;
  filter::Values values_;
  uint64_t forgotten_ = 0;
};

}  // namespace saker::rules
