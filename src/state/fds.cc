// The world's operations on open files: copy on write of tables and records, names.
#include "state/world.h"

namespace saker::state {

FdTable* World::own_table(Thread& thread) {
  Ref<FdTable>& table = thread.leader->fds;
  if (!table) table = make_ref<FdTable>(&slots);
  if (table.unique()) return table.get();
  Ref<FdTable> copy = table->copy();
  if (!copy) {
    ++stats.dropped_fds;
    return nullptr;
  }
  table = std::move(copy);
  return table.get();
}

Fd* World::own_fd(Thread& thread, int64_t number) {
  if (fd_of(thread, number) == nullptr) return nullptr;
  FdTable* table = own_table(thread);
  if (table == nullptr) return nullptr;
  const Ref<Fd>* slot = table->slot(number);
  if (slot->unique()) return slot->get();
  Ref<Fd> copy = clone_fd(**slot);
  Fd* fd = copy.get();
  table->set(number, std::move(copy));
  return fd;
}

void World::add_fd(Thread& thread, int64_t number, Ref<Fd> fd) {
  applied.fd_number = number;
  applied.fd = nullptr;
  if (number < 0) return;
  FdTable* table = own_table(thread);
  if (table == nullptr) return;
  Fd* record = fd.get();
  if ((table->count >= limits.max_fds_per_process && table->find(number) == nullptr) ||
      !table->set(number, std::move(fd))) {
    ++stats.dropped_fds;
    return;
  }
  applied.fd = record;
}

void World::remove_fd(Thread& thread, int64_t number) {
  if (fd_of(thread, number) == nullptr) return;
  if (FdTable* table = own_table(thread)) table->take(number);
}

void World::name_by_tuple(Fd& fd) {
  scratch.clear();
  append_tuple_text(fd, scratch);
  applied.fd_name_changed = fd.name != scratch;
  fd.name = scratch;
}

std::string_view base_of_dirfd(const World& world, const Thread& thread, int64_t dirfd,
                               std::string& scratch) {
  if (dirfd == kAtFdCwd) return thread.leader->cwd;
  const Fd* directory = world.fd_of(thread, dirfd);
  if (directory == nullptr) return "<UNKNOWN>";
  scratch.assign(directory->name);
  if (!scratch.ends_with('/')) scratch.push_back('/');
  return scratch;
}

}  // namespace saker::state
