// Which of many 64-bit hashes came lately: a set that forgets, in two tables of a fixed size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace saker {

// Remembers at least the last `window` different hashes, and never more than twice as many. Not
// thread-safe.
class RecentSet {
 public:
  explicit RecentSet(size_t window) : window_(window) {
    size_t slots = 2;
    while (slots < window * 2) slots *= 2;
    young_.resize(slots);
    old_.resize(slots);
  }

  // False when it is remembered already.
  bool insert(uint64_t hash) {
    if (hash == 0) hash = 1;  // an empty slot is 0
    if (slot_of(old_, hash) == hash) return false;
    uint64_t& slot = slot_of(young_, hash);
    if (slot == hash) return false;
    slot = hash;
    if (++count_ == window_) {
      young_.swap(old_);
      young_.assign(young_.size(), 0);
      count_ = 0;
    }
    return true;
  }

 private:
  // The slot that holds the hash, or the empty one where it belongs.
  static uint64_t& slot_of(std::vector<uint64_t>& table, uint64_t hash) {
    const size_t mask = table.size() - 1;
    size_t at = hash & mask;
    while (table[at] != 0 && table[at] != hash) at = (at + 1) & mask;
    return table[at];
  }

  size_t window_;
  size_t count_ = 0;  // in the young table
  std::vector<uint64_t> young_, old_;
};

}  // namespace saker
