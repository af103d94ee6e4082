// How far a long read has come: a line on the terminal that is rewritten a few times a second, and
// gone at the end. Nothing where stderr is no terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace saker::agent {

class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  // `total`: the size of all that will be read; 0: not known, or not in bytes that are read.
  void update(uint64_t bytes, uint64_t total);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool shown_, told_ = false;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

}  // namespace saker::agent
