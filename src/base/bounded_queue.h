// A bounded queue between two threads (or more): a full queue refuses and counts, never blocks the
// producer unless asked to.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace saker {

struct CountsOne {
  size_t operator()(const auto&) const { return 1; }
};

// Thread-safe. For alerts and batches (thousands a second), not for single events. `Weight` says
// how much of the capacity an item takes; one that is heavier than all of it is taken alone.
template <typename T, typename Weight = CountsOne>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // False, and counted as dropped, when the queue is full or closed.
  bool try_push(T item) {
    std::lock_guard lock(mutex_);
    if (closed_ || !has_room(item)) {
      ++dropped_;
      return false;
    }
    add(std::move(item));
    return true;
  }

  // Waits for room. False only when the queue is closed.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [&] { return closed_ || has_room(item); });
    if (closed_) return false;
    add(std::move(item));
    return true;
  }

  // The next item; nothing once the queue is closed and empty, or after `timeout`.
  std::optional<T> pop(std::chrono::milliseconds timeout = std::chrono::milliseconds::max()) {
    std::unique_lock lock(mutex_);
    auto ready = [&] { return closed_ || !items_.empty(); };
    if (timeout == std::chrono::milliseconds::max()) {
      not_empty_.wait(lock, ready);
    } else if (!not_empty_.wait_for(lock, timeout, ready)) {
      return std::nullopt;
    }
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    load_ -= Weight()(item);
    not_full_.notify_one();
    return item;
  }

  // No more pushes; what is queued can still be popped.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    not_empty_.notify_all();
    not_full_.notify_all();
  }

  [[nodiscard]] bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  [[nodiscard]] size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }
  [[nodiscard]] uint64_t dropped() const {
    std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  [[nodiscard]] bool has_room(const T& item) const {
    return items_.empty() || load_ + Weight()(item) <= capacity_;
  }
  void add(T item) {
    load_ += Weight()(item);
    items_.push_back(std::move(item));
    not_empty_.notify_one();
  }

  const size_t capacity_;
  size_t load_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::deque<T> items_;
  uint64_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace saker
