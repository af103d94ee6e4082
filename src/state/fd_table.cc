#include "state/fd_table.h"

#include <algorithm>
#include <bit>

namespace saker::state {

namespace {

// Records given back, with the memory of their strings. One list a thread, since states of
// different threads share nothing.
struct FreeList {
  static constexpr size_t kKept = 4096;
  static constexpr size_t kLongestKept = 512;
  std::vector<Fd*> fds;
  ~FreeList() {
    for (Fd* fd : fds) delete fd;
    fds.clear();
    gone = true;
  }
  static thread_local bool gone;
};
thread_local bool FreeList::gone = false;
thread_local FreeList free_list;

}  // namespace

// Keeps the memory of the strings.
void Fd::clear() {
  name.clear();
  name_raw.clear();
  static_cast<FdValues&>(*this) = FdValues{};
}

void Fd::dispose() {
  if (FreeList::gone || free_list.fds.size() >= FreeList::kKept ||
      name.capacity() > FreeList::kLongestKept || name_raw.capacity() > FreeList::kLongestKept) {
    delete this;
    return;
  }
  free_list.fds.push_back(this);
}

Ref<Fd> new_fd() {
  if (FreeList::gone || free_list.fds.empty()) return make_ref<Fd>();
  Fd* fd = free_list.fds.back();
  free_list.fds.pop_back();
  fd->clear();
  return Ref<Fd>(fd);
}

Ref<Fd> clone_fd(const Fd& fd) {
  Ref<Fd> copy = new_fd();
  *copy = fd;
  copy->references = 1;
  return copy;
}

FdTable::~FdTable() {
  budget->used -= dense.size() + sparse.size();
}

const Ref<Fd>* FdTable::sparse_slot(int64_t number) const {
  auto found = sparse.find(number);
  return found == sparse.end() ? nullptr : &found->second;
}

// Makes the array long enough for `number` when that wastes little; moves in what now fits.
bool FdTable::grow_for(int64_t number) {
  constexpr size_t kFirst = 32;
  const auto wanted = static_cast<uint64_t>(number) + 1;
  if (wanted > 4 * (count + kFirst)) return false;
  const size_t size = std::max(kFirst, std::bit_ceil(static_cast<size_t>(wanted)));
  if (budget->used - dense.size() + size > budget->limit) return false;
  budget->used += size - dense.size();
  dense.resize(size);
  while (!sparse.empty()) {
    auto first = sparse.lower_bound(0);
    if (first == sparse.end() || first->first >= static_cast<int64_t>(size)) break;
    dense[static_cast<size_t>(first->first)] = std::move(first->second);
    sparse.erase(first);
    --budget->used;
  }
  return true;
}

bool FdTable::set(int64_t number, Ref<Fd> fd) {
  if (static_cast<uint64_t>(number) < dense.size() || (number >= 0 && grow_for(number))) {
    Ref<Fd>& entry = dense[static_cast<size_t>(number)];
    if (!entry) ++count;
    entry = std::move(fd);
    return true;
  }
  auto found = sparse.find(number);
  if (found != sparse.end()) {
    found->second = std::move(fd);
    return true;
  }
  if (budget->used >= budget->limit) return false;
  sparse.emplace(number, std::move(fd));
  ++budget->used;
  ++count;
  return true;
}

Ref<Fd> FdTable::take(int64_t number) {
  Ref<Fd> fd;
  if (static_cast<uint64_t>(number) < dense.size()) {
    std::swap(fd, dense[static_cast<size_t>(number)]);
    if (fd) --count;
    return fd;
  }
  auto found = sparse.find(number);
  if (found == sparse.end()) return fd;
  fd = std::move(found->second);
  sparse.erase(found);
  --budget->used;
  --count;
  return fd;
}

Ref<FdTable> FdTable::copy() const {
  const size_t slots = dense.size() + sparse.size();
  if (budget->used + slots > budget->limit) return {};
  auto table = make_ref<FdTable>(budget);
  table->dense = dense;
  table->sparse = sparse;
  table->count = count;
  budget->used += slots;
  return table;
}

}  // namespace saker::state
