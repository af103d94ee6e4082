// Hands findings to all sinks. Each has its own queue and thread: a slow one stalls nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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

  bool operator==(const DispatcherOptions&) const = default;
};

// A sink that there should be.
struct SinkSpec {
  const SinkInfo* info = nullptr;
  SinkSettings settings;
  finding::Severity least = finding::Severity::debug;

  bool operator==(const SinkSpec&) const = default;
};

// submit() is for any thread and never blocks on a sink.
class Dispatcher {
 public:
  explicit Dispatcher(DispatcherOptions options);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  // Findings less severe than `least` are not for this sink.
  Status add(const SinkInfo& info, const SinkSettings& settings,
             finding::Severity least = finding::Severity::debug);
  void add(std::string name, std::unique_ptr<Sink> sink,
           finding::Severity least = finding::Severity::debug);

  // Other sinks for the present ones, in two steps: prepare() opens what is new and may fail;
  // exchange() can't. Sinks that stay the same go on undisturbed; those that go deliver what they
  // were handed, in a limited time. What is prepared must be exchanged before the next prepare().
  struct Prepared {
    DispatcherOptions options;
    std::vector<SinkSpec> specs;
    std::vector<std::unique_ptr<Lane>> lanes;  // one a spec; null: the present one stays
  };
  Result<Prepared> prepare(DispatcherOptions options, std::vector<SinkSpec> specs) const;
  void exchange(Prepared prepared);

  void submit(SharedFinding finding);
  void submit(finding::Finding finding) {
    submit(std::make_shared<const finding::Finding>(std::move(finding)));
  }

  // Files are opened anew (SIGHUP).
  void reopen();
  // Lets go of sinks that exchange() retired; to be called now and then.
  void tidy();

  // Waits until every sink has delivered what it was handed so far; false when time is up.
  bool flush(std::chrono::milliseconds timeout);
  // The same, and the end of all threads. What is left when time is up is counted as failed.
  // To be called by the thread that owns the dispatcher; stats() stay.
  bool stop(std::chrono::milliseconds timeout);

  [[nodiscard]] std::vector<SinkStats> stats() const;
  [[nodiscard]] uint64_t rate_limited() const;

 private:
  struct Active {
    std::unique_ptr<Lane> lane;
    std::optional<SinkSpec> spec;
  };
  struct Retired {
    std::unique_ptr<Lane> lane;
    Lane::Clock::time_point deadline;
    bool abandoned = false;
  };
  // The lane of a sink that is the same; how many there are when none is.
  [[nodiscard]] size_t find(const SinkSpec& spec) const;
  bool tidy_one(Retired& retired, Lane::Clock::time_point now);

  bool stopped_ = false;
  mutable std::mutex mutex_;  // guards what follows
  DispatcherOptions options_;
  std::vector<Active> lanes_;
  std::vector<Retired> retired_;
  std::map<std::string, SinkStats> past_;  // counts of lanes that are gone
  RateLimit rate_limit_;
  uint64_t rate_limited_ = 0;
};

}  // namespace saker::output
