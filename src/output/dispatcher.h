// Hands findings to all sinks. Each has its own queue and thread: a slow one stalls nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "output/lane.h"
#include "output/rate_limit.h"
#include "output/sink.h"

namespace saker::output {

struct DispatcherOptions {
  size_t queue_capacity = 8192;  // of each sink
  double rate = 0;               // findings a second and rule that pass; 0: all
  double burst = 1000;
  std::chrono::milliseconds slow_after{2000};  // a delivery that takes longer is logged
};

// submit() is for any thread and never blocks on a sink.
class Dispatcher {
 public:
  explicit Dispatcher(DispatcherOptions options);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  // Before the first submit(). `least`: findings less severe than that are not for this sink.
  Status add(const SinkInfo& info, const SinkSettings& settings,
             finding::Severity least = finding::Severity::debug);
  void add(std::string name, std::unique_ptr<Sink> sink,
           finding::Severity least = finding::Severity::debug);

  void submit(SharedFinding finding);
  void submit(finding::Finding finding) {
    submit(std::make_shared<const finding::Finding>(std::move(finding)));
  }

  // Files are opened anew (SIGHUP).
  void reopen();

  // Waits until every sink has delivered what it was handed so far; false when time is up.
  bool flush(std::chrono::milliseconds timeout);
  // The same, and the end of all threads. What is left when time is up is counted as failed.
  // To be called by the thread that owns the dispatcher; stats() stay.
  bool stop(std::chrono::milliseconds timeout);

  [[nodiscard]] std::vector<SinkStats> stats() const;
  [[nodiscard]] uint64_t rate_limited() const;

 private:
  DispatcherOptions options_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  bool stopped_ = false;
  mutable std::mutex mutex_;  // guards what follows
  RateLimit rate_limit_;
  uint64_t rate_limited_ = 0;
};

}  // namespace saker::output
