// The open files of a process by number. Shared by forked processes until one of them changes it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ref.h"
#include "state/thread.h"

namespace saker::state {

// Slots that all tables of a state have taken together.
struct SlotBudget {
  size_t used = 0;
  size_t limit = 0;
};

// Low numbers stand in an array that never grows far beyond what is in use; others in a map, so
// that a hostile number costs no memory. Null entries are closed.
struct FdTable : RefCounted {
  explicit FdTable(SlotBudget* slots) : budget(slots) {}
  FdTable(const FdTable&) = delete;
  ~FdTable();

  [[nodiscard]] const Ref<Fd>* slot(int64_t number) const {
    if (static_cast<uint64_t>(number) < dense.size()) {
      const Ref<Fd>& entry = dense[static_cast<size_t>(number)];
      return entry ? &entry : nullptr;
    }
    return sparse.empty() ? nullptr : sparse_slot(number);
  }
  [[nodiscard]] Fd* find(int64_t number) const {
    const Ref<Fd>* entry = slot(number);
    return entry == nullptr ? nullptr : entry->get();
  }

  // Adds or replaces; false when there is no room for one more.
  bool set(int64_t number, Ref<Fd> fd);
  // Takes it out; null when it is not there.
  Ref<Fd> take(int64_t number);
  // A copy of its own, or null when the budget does not allow one.
  [[nodiscard]] Ref<FdTable> copy() const;

  // Visits every open fd in ascending order until `visit` says false.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (size_t i = 0; i < dense.size(); ++i)
      if (dense[i] && !visit(static_cast<int64_t>(i), dense[i])) return;
    for (const auto& [number, fd] : sparse)
      if (!visit(number, fd)) return;
  }

  std::vector<Ref<Fd>> dense;
  std::map<int64_t, Ref<Fd>> sparse;
  size_t count = 0;
  SlotBudget* budget;

 private:
  [[nodiscard]] const Ref<Fd>* sparse_slot(int64_t number) const;
  bool grow_for(int64_t number);
};

// A cleared record, from the free list when there is one.
Ref<Fd> new_fd();
Ref<Fd> clone_fd(const Fd& fd);

}  // namespace saker::state
