// The threads of the HTTP server: started when needed, up to a limit.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/thread_signals.h"
#include "net/library.h"

namespace saker::net {

// Jobs are accepted connections. When all threads are busy and the queue is full, the accepting
// thread waits here: further clients wait in the kernel's backlog and cost no descriptors.
class WorkerPool {
 public:
  explicit WorkerPool(size_t max_threads) : max_threads_(max_threads) {}

  void enqueue(std::function<void()> job) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return stopping_ || jobs_.size() < kMaxQueued; });
    jobs_.push_back(std::move(job));
    if (idle_ < jobs_.size() && threads_.size() < max_threads_) {
      ++running_;
      threads_.emplace_back([this] { work(); });
    }
    work_.notify_one();
  }

  // Waits for the jobs that are there, but not for ever: a client that sends a byte now and then
  // could hold its thread as long as it likes. Such threads are left behind, and the pool with all
  // that its jobs use must then never be deleted. Otherwise the pool can be used again.
  void drain() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    work_.notify_all();
    room_.notify_all();
    stuck_ = !ended_.wait_for(lock, kGrace, [&] { return running_ == 0; });
    lock.unlock();
    for (std::thread& thread : threads_) stuck_ ? thread.detach() : thread.join();
    threads_.clear();
    if (stuck_) return;
    for (std::function<void()>& job : jobs_) job();  // a job owns a socket: it must run
    jobs_.clear();
    stopping_ = false;
  }
  [[nodiscard]] bool stuck() const { return stuck_; }

  // Whether jobs wait for a thread that may not be.
  [[nodiscard]] bool crowded() {
    std::lock_guard lock(mutex_);
    return !jobs_.empty() && idle_ == 0 && threads_.size() >= max_threads_;
  }

  // Frees an accepting thread that waits for room.
  void release() {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    room_.notify_all();
  }

 private:
  static constexpr size_t kMaxQueued = 64;
  static constexpr std::chrono::seconds kGrace{3};

  void work() {
    block_signals();
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      work_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) break;
      std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      room_.notify_one();
      lock.unlock();
      try {
        job();
      } catch (...) {  // a broken connection must not end the program
      }
      lock.lock();
    }
    --running_;
    ended_.notify_all();
  }

  const size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable work_, room_, ended_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0, running_ = 0;
  std::atomic<bool> stuck_ = false;
  bool stopping_ = false;
};

// What httplib owns and deletes: a handle on a pool of ours.
class WorkerPoolHandle : public httplib::TaskQueue {
 public:
  explicit WorkerPoolHandle(WorkerPool& pool) : pool_(pool) {}
  void enqueue(std::function<void()> job) override { pool_.enqueue(std::move(job)); }
  void shutdown() override { pool_.drain(); }

 private:
  WorkerPool& pool_;
};

}  // namespace saker::net
