// Loads rules anew when they change, beside the running watch: the new engine is built on a thread
// of its own and handed over whole; a rule set with errors leaves the old one in place and says so.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/rule_files.h"
#include "base/fd.h"
#include "rules/engine.h"

namespace saker::agent {

// request() is for signal handlers; the rest is for the watching thread.
class Reloader {
 public:
  Reloader(RuleFileOptions options, rules::Matching matching, std::string hostname,
           bool watch_files);
  ~Reloader();

  // Asks for a reload (SIGHUP).
  void request() { requested_.store(true, std::memory_order_relaxed); }

  // Starts a load when one is due; gives the new engine once when one is ready.
  std::unique_ptr<rules::Engine> poll();

  [[nodiscard]] uint64_t reloads() const { return reloads_; }
  [[nodiscard]] uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  void watch();
  bool files_changed();
  // Tells one state of the rule files from another: names, sizes, times, inodes.
  [[nodiscard]] uint64_t fingerprint() const;
  void start();
  void load();

  const RuleFileOptions options_;
  const rules::Matching matching_;
  const std::string hostname_;
  UniqueFd inotify_;
  uint64_t seen_ = 0;  // fingerprint of what was loaded last
  std::atomic<bool> requested_ = false;
  std::atomic<bool> loading_ = false;
  std::atomic<uint64_t> failures_ = 0;
  uint64_t reloads_ = 0;
  std::mutex mutex_;
  std::unique_ptr<rules::Engine> ready_;  // guarded by mutex_
  std::jthread loader_;
};

}  // namespace saker::agent
