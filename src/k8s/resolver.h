// Metadata of containers, looked up beside the event stream: the event thread asks and collects, a
// thread of the resolver's own does the waiting.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "k8s/container.h"
#include "k8s/runtimes.h"

namespace saker::k8s {

struct ResolverLimits {
  size_t max_queue = 4096;   // look-ups that wait
  size_t max_known = 16384;  // containers whose outcome is remembered
  // Pauses between attempts double from the first to the longest.
  std::chrono::milliseconds first_retry{50}, longest_retry{5000};
  // A container that runtimes deny is given up after this, and for so long nobody asks again.
  std::chrono::milliseconds give_up_after{10'000}, deny_for{60'000};
  // While a runtime is down its containers are waited for this long.
  std::chrono::milliseconds patience{600'000};
};

struct ResolverStats {
  uint64_t requested = 0;
  uint64_t resolved = 0;
  uint64_t partial = 0;    // found on disk while a runtime did not answer; completed later
  uint64_t given_up = 0;   // no runtime knew it, or none came back
  uint64_t denied = 0;     // requests for what was given up lately
  uint64_t dropped = 0;    // requests when the queue was full
  uint64_t forgotten = 0;  // outcomes that had to make room
  uint64_t attempts = 0;
  uint64_t failures = 0;  // attempts that a runtime did not answer
  uint64_t waiting = 0;   // look-ups in the queue now
  std::string last_error;
};

enum class Outcome : uint8_t { unknown, pending, resolved, failed };

// Thread-safe. No method waits for a runtime but wait_for().
class MetadataResolver {
 public:
  using LookUp = std::function<Result<FoundContainer>(const ContainerRequest&)>;

  explicit MetadataResolver(const RuntimeConfig& config, const ResolverLimits& limits = {});
  // With a look-up of the caller's own, which runs on the resolver's thread.
  explicit MetadataResolver(LookUp look_up, const ResolverLimits& limits = {});
  // Ends the thread; waits for the one call that is under way.
  ~MetadataResolver();

  // Asks for a container; false when that is of no use (denied lately) or has no room. What is
  // known already comes again with the next poll().
  bool request(ContainerRequest request);

  // Appends what was found since the last time; says how many. One container can come twice: first
  // what was on disk, later all of it.
  size_t poll(std::vector<ContainerInfo>& out);

  [[nodiscard]] Outcome outcome(std::string_view full_id) const;

  // Waits until the container's outcome is known, or the deadline. For the thread that holds back
  // an alert, never for the event thread.
  Outcome wait_for(std::string_view full_id, std::chrono::steady_clock::time_point deadline) const;

  // The container is gone: its name may be another's next.
  void forget(std::string_view full_id);

  [[nodiscard]] ResolverStats stats() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    Outcome outcome = Outcome::pending;
    uint64_t generation = 0;  // answers to an earlier request of a forgotten container don't count
    Clock::time_point denied_until;
    std::optional<ContainerInfo> info;
    std::list<std::string>::iterator age;
  };
  struct Job {
    ContainerRequest request;
    uint64_t generation = 0;
    Clock::time_point asked;
    std::chrono::milliseconds pause{0};
    bool found = false;  // in part
  };

  void start();
  void run();
  void attempt(std::unique_lock<std::mutex>& lock);
  void settle(Job job, Result<FoundContainer> found);
  void retry_or_give_up(Job job, const Error& error);
  void schedule_again(Job job);
  bool make_room();
  Known* find(const Job& job);

  const ResolverLimits limits_;
  std::unique_ptr<Runtimes> runtimes_;
  LookUp look_up_;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  mutable std::condition_variable news_;
  std::multimap<Clock::time_point, Job> queue_;
  std::unordered_map<std::string, Known> known_;
  std::list<std::string> ages_;  // oldest first
  std::vector<ContainerInfo> results_;
  ResolverStats stats_;
  uint64_t generation_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace saker::k8s
