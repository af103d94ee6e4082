#include "state/thread_table.h"

#include "base/assert.h"
#include "state/fd_table.h"

namespace saker::state {

namespace {

constexpr size_t kFirstSlots = 1024;
constexpr size_t kKeptRecords = 1024;

// Back to a new thread's values; the rule engine's bits are stale from here on but keep their
// memory.
void clear(Thread& thread) {
  event::RuleSlot rules = std::move(thread.rules);
  thread = Thread{};
  thread.group_next = thread.group_prev = &thread;
  ++rules.epoch;
  thread.rules = std::move(rules);
}

}  // namespace

ThreadTable::ThreadTable(size_t max_threads)
    : slots_(kFirstSlots), mask_(kFirstSlots - 1), max_threads_(max_threads), seed_(hash_seed()) {}

ThreadTable::~ThreadTable() {
  for (Slot& slot : slots_) delete slot.thread;
}

void ThreadTable::insert(int64_t tid, Thread* thread) {
  size_t i = home(tid);
  while (slots_[i].thread != nullptr) i = (i + 1) & mask_;
  slots_[i] = {tid, thread};
}

void ThreadTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (const Slot& slot : old)
    if (slot.thread != nullptr) insert(slot.tid, slot.thread);
}

Thread* ThreadTable::add(int64_t tid) {
  if (full()) return nullptr;
  if ((size_ + 1) * 2 > slots_.size()) grow();
  std::unique_ptr<Thread> thread;
  if (free_.empty()) {
    thread = std::make_unique<Thread>();
  } else {
    thread = std::move(free_.back());
    free_.pop_back();
  }
  thread->tid = tid;
  thread->leader = thread.get();
  insert(tid, thread.get());
  ++size_;
  last_tid_ = tid;
  last_ = thread.get();
  return thread.release();
}

void ThreadTable::erase(Thread& thread) {
  size_t hole = home(thread.tid);
  while (slots_[hole].thread != &thread) {
    SAKER_ASSERT(slots_[hole].thread != nullptr);
    hole = (hole + 1) & mask_;
  }
  // Move later entries of the run back over the hole, so that searches never meet a gap.
  for (size_t i = (hole + 1) & mask_; slots_[i].thread != nullptr; i = (i + 1) & mask_) {
    const size_t wanted = home(slots_[i].tid);
    if (((i - wanted) & mask_) < ((i - hole) & mask_)) continue;
    slots_[hole] = slots_[i];
    hole = i;
  }
  slots_[hole] = {};
  --size_;
  last_tid_ = INT64_MIN;
  last_ = nullptr;
  std::unique_ptr<Thread> record(&thread);
  if (free_.size() < kKeptRecords) {
    clear(*record);
    free_.push_back(std::move(record));
  }
}

}  // namespace saker::state
