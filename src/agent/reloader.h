// Loads configuration and rules anew when their files change, beside the running watch: all that is
// new is built on a thread of its own and handed over whole; what has errors leaves everything as
// it was and says so.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/config.h"
#include "agent/rule_files.h"
#include "base/fd.h"
#include "rules/engine.h"

namespace saker::agent {

// What a watch runs by that can change while it runs.
struct Policy {
  Config config;
  std::vector<std::string> config_files;  // that it came from
  RuleFileOptions rules;
  rules::Matching matching = rules::Matching::all;
  std::string hostname;
};

// request() is for signal handlers; the rest is for the watching thread.
class Reloader {
 public:
  // Reads the configuration anew, without the rules.
  using LoadPolicy = std::function<Result<Policy>()>;
  // What is left to do before the watching thread takes over: opening outputs.
  using Prepare = std::function<Status(const Config&)>;

  struct Loaded {
    Policy policy;
    std::unique_ptr<rules::Engine> engine;
  };

  Reloader(Policy policy, LoadPolicy load_policy, Prepare prepare);
  ~Reloader();

  // Asks for a reload (SIGHUP).
  void request() { requested_.store(true, std::memory_order_relaxed); }

  // Starts a load when one is due; gives what was loaded, once.
  std::optional<Loaded> poll();
  // What poll() gave is in use from now on; keys that need a restart are named when they changed.
  void adopt(Policy policy);

  [[nodiscard]] uint64_t reloads() const { return reloads_; }
  [[nodiscard]] uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
  void count_failure() { failures_.fetch_add(1, std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;

  void watch();
  bool files_changed(Clock::time_point now);
  // Whether nobody writes to the files, or somebody does for so long that waiting is of no use.
  bool is_calm(Clock::time_point now);
  // Tells one state of the files from another: names, sizes, times, inodes.
  [[nodiscard]] uint64_t fingerprint() const;
  [[nodiscard]] std::vector<std::string> paths() const;
  void start();
  void load();
  Result<Loaded> load_all() const;

  Policy policy_;
  const LoadPolicy load_policy_;
  const Prepare prepare_;
  UniqueFd inotify_;
  uint64_t seen_ = 0;           // fingerprint of what was loaded last
  uint64_t loading_print_ = 0;  // when the load under way began
  unsigned discarded_ = 0;      // loads in a row whose files changed meanwhile
  std::optional<Clock::time_point> settled_at_, wanted_since_;
  std::atomic<bool> requested_ = false;
  std::atomic<bool> loading_ = false;
  std::atomic<uint64_t> failures_ = 0;
  uint64_t reloads_ = 0;
  std::mutex mutex_;
  std::optional<Loaded> ready_;  // guarded by mutex_
  std::jthread loader_;
};

}  // namespace saker::agent
