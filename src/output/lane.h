// One sink with its own queue and thread, so that it can be slow without anybody noticing.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "output/sink.h"

namespace saker::output {

// What became of the findings that a sink was handed. Every one is in exactly one of the counts
// once the queue is empty.
struct SinkStats {
  std::string name;
  uint64_t delivered = 0;
  uint64_t dropped = 0;  // the queue was full
  uint64_t failed = 0;   // given up after errors, or at the end of the program
  uint64_t retries = 0;
  size_t queued = 0;  // waiting or under way
  size_t capacity = 0;
  std::chrono::milliseconds busy_for{0};  // how long the present delivery has been under way
  std::string last_error;
};

// push() is for any thread.
class Lane {
 public:
  using Clock = std::chrono::steady_clock;

  Lane(std::string name, std::unique_ptr<Sink> sink, finding::Severity least, size_t capacity,
       std::chrono::milliseconds slow_after);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void start();
  void push(const SharedFinding& finding);
  void reopen() { sink_->reopen(); }
  [[nodiscard]] bool idle() const { return queued_ == 0; }
  [[nodiscard]] SinkStats stats() const;

  // The end, in steps, so that all lanes end at the same time: no more findings; wait for what is
  // queued; give up what is left; wait for the thread. wait_until() is false when time is up.
  void close() { queue_.close(); }
  bool wait_until(Clock::time_point deadline);
  void abandon();
  void join() { thread_.join(); }
  // When the thread is stuck in a call that nothing can interrupt. The lane must never be deleted.
  void leave_behind() {
    stuck_ = true;
    thread_.detach();
  }
  [[nodiscard]] bool stuck() const { return stuck_; }

 private:
  static constexpr size_t kLargestBatch = 64;

  void run();
  void deliver(std::vector<SharedFinding>& batch);
  Delivery try_once(std::span<const SharedFinding> batch);
  bool pause(std::chrono::milliseconds duration);
  [[nodiscard]] bool abandoned() const;
  void count_failed(size_t count);
  void note_error(const Error& error);
  void note_success();
  void note_drops();

  const std::string name_;
  const std::unique_ptr<Sink> sink_;
  const RetryPolicy policy_;
  const finding::Severity least_;
  const size_t capacity_;
  const std::chrono::milliseconds slow_after_;
  BoundedQueue<SharedFinding> queue_;

  std::atomic<size_t> queued_ = 0;
  std::atomic<uint64_t> delivered_ = 0, failed_ = 0, retries_ = 0;
  std::atomic<Clock::rep> busy_since_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool abandoned_ = false, ended_ = false;
  std::string last_error_;

  // Of the lane's thread alone.
  bool failing_ = false;
  uint64_t drops_told_ = 0;
  Clock::time_point error_told_{}, drop_told_{};

  bool stuck_ = false;  // of the thread that stops the lanes

  std::thread thread_;
};

}  // namespace saker::output
