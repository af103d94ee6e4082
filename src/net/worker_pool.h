// The threads of the HTTP server: started when needed, up to a limit.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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
    if (idle_ < jobs_.size() && threads_.size() < max_threads_)
      threads_.emplace_back([this] { work(); });
    work_.notify_one();
  }

  // Waits for the jobs that are there. The pool can be used again afterwards.
  void drain() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    for (std::function<void()>& job : jobs_) job();  // a job owns a socket: it must run
    threads_.clear();
    jobs_.clear();
    stopping_ = false;
  }

  // Frees an accepting thread that waits for room.
  void release() {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    room_.notify_all();
  }

 private:
  static constexpr size_t kMaxQueued = 64;

  void work() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the main thread
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      work_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
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
  }

  const size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable work_, room_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
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
