// Thread records by tid: an open-addressing table of pointers to records that stay where they are.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/hash.h"
#include "state/thread.h"

namespace saker::state {

class ThreadTable {
 public:
  explicit ThreadTable(size_t max_threads);
  ThreadTable(const ThreadTable&) = delete;
  ~ThreadTable();

  // Null when unknown. Most events come from the thread of the event before: that costs a compare.
  [[nodiscard]] Thread* find(int64_t tid) const {
    if (tid == last_tid_) return last_;
    Thread* thread = find_slow(tid);
    last_tid_ = tid;
    last_ = thread;
    return thread;
  }

  // A fresh record for a tid that has none; null when the table is full.
  Thread* add(int64_t tid);
  // Takes the record out and recycles it. Nothing may refer to it any more.
  void erase(Thread& thread);

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ >= max_threads_; }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_)
      if (slot.thread != nullptr) visit(*slot.thread);
  }

 private:
  struct Slot {
    int64_t tid = 0;
    Thread* thread = nullptr;
  };

  [[nodiscard]] size_t home(int64_t tid) const {
    return hash_int(static_cast<uint64_t>(tid) ^ seed_) & mask_;
  }
  [[nodiscard]] Thread* find_slow(int64_t tid) const {
    for (size_t i = home(tid);; i = (i + 1) & mask_) {
      if (slots_[i].thread == nullptr) return nullptr;
      if (slots_[i].tid == tid) return slots_[i].thread;
    }
  }
  void insert(int64_t tid, Thread* thread);
  void grow();

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t size_ = 0;
  size_t max_threads_;
  uint64_t seed_;
  mutable int64_t last_tid_ = INT64_MIN;
  mutable Thread* last_ = nullptr;
  std::vector<std::unique_ptr<Thread>> free_;
};

}  // namespace saker::state
