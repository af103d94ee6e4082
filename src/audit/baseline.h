// What actors are used to, learnt from a log and kept in a file: where they come from, with which
// programs, what they do, at which hours.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::audit {

using HoursOfDay = std::bitset<24>;  // in UTC

struct ActorHabits {
  std::string name;
  uint64_t requests = 0;
  uint64_t first_ns = 0, last_ns = 0;
  HoursOfDay hours;
  std::vector<std::string> addresses;
  std::vector<std::string> programs;  // user agents without their versions; "": none was named
  std::vector<std::string> deeds;     // verb and kind of object: "get pods/log"
};

struct Baseline {
  static constexpr size_t kMostActors = 20'000, kMostHabits = 100'000, kMostText = 512,
                          kMostBytes = size_t{32} * 1024 * 1024;

  std::vector<ActorHabits> actors;  // by name; lists in order, nothing twice
  uint64_t left_out = 0;            // events of what there was no room for
};

// The text of a file: JSON, an actor a line. The same baseline gives the same bytes.
std::string to_text(const Baseline& baseline);
// Refuses what is no such file, or breaks its bounds. `file` is for messages.
Result<Baseline> parse_baseline(std::string_view text, const std::string& file);

}  // namespace saker::audit
