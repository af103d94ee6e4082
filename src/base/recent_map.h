// What came lately, by 64-bit hash: a map that forgets, in two tables of a fixed size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace saker {

// Remembers at least the last `window` different hashes, and never more than twice as many. Not
// thread-safe.
template <typename Value>
class RecentMap {
 public:
  explicit RecentMap(size_t window) : window_(window) {
    size_t slots = 2;
    while (slots < window * 2) slots *= 2;
    young_.resize(slots);
    old_.resize(slots);
  }

  [[nodiscard]] bool contains(uint64_t hash) const {
    if (hash == 0) hash = 1;
    return old_[place_of(old_, hash)].hash == hash || young_[place_of(young_, hash)].hash == hash;
  }

  // The hash will be asked for soon: its place is anywhere in the tables, and memory is slow. Not
  // inlined, gcc takes it for a function without effect, and leaves it out.
  [[gnu::always_inline]] void expect(uint64_t hash) const {
    const size_t at = hash & (young_.size() - 1);
    __builtin_prefetch(&old_[at]);
    __builtin_prefetch(&young_[at]);
  }

  // What is remembered of the hash, until the next call; nothing when it is new, and then `value`
  // is remembered.
  Value* find_or_insert(uint64_t hash, const Value& value) {
    if (hash == 0) hash = 1;  // an empty slot is 0
    if (Slot& slot = old_[place_of(old_, hash)]; slot.hash == hash) return &slot.value;
    Slot& slot = young_[place_of(young_, hash)];
    if (slot.hash == hash) return &slot.value;
    slot = {hash, value};
    if (++count_ == window_) {
      young_.swap(old_);
      young_.assign(young_.size(), {});
      count_ = 0;
    }
    return nullptr;
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    Value value{};
  };

  // Of the slot that holds the hash, or of the empty one where it belongs.
  static size_t place_of(const std::vector<Slot>& table, uint64_t hash) {
    const size_t mask = table.size() - 1;
    size_t at = hash & mask;
    while (table[at].hash != 0 && table[at].hash != hash) at = (at + 1) & mask;
    return at;
  }

  size_t window_;
  size_t count_ = 0;  // in the young table
  std::vector<Slot> young_, old_;
};

}  // namespace saker
