// Calls that close, duplicate or make descriptors of other kinds than files and sockets.
#include <algorithm>

#include "state/world.h"

namespace saker::state {

namespace {

using namespace event;

constexpr uint32_t kCloseOnExec = 4096;  // file_flags

void on_close(World& world, const Event& event, Thread& thread) {
  if (event.get<int64_t>(0, -1) < 0 || world.applied.fd == nullptr) return;
  world.pending = {.kind = Pending::Kind::close,
                   .tid = thread.tid,
                   .first = world.applied.fd_number,
                   .last = world.applied.fd_number};
}

void on_close_range(World& world, const Event& event, Thread& thread) {
  constexpr uint32_t kRangeCloexec = 4;
  if (event.get<int64_t>(0, -1) < 0) return;
  const int64_t first = event.get<uint32_t>(1, 0xffffffff);
  const int64_t last = event.get<uint32_t>(2, 0);
  if ((event.get<uint32_t>(3) & kRangeCloexec) == 0) {
    world.pending = {
        .kind = Pending::Kind::close_range, .tid = thread.tid, .first = first, .last = last};
    return;
  }
  const FdTable* table = thread.leader->fds.get();
  if (table == nullptr) return;
  std::vector<int64_t> numbers;
  table->for_each([&](int64_t number, const Ref<Fd>& fd) {
    if (number >= first && number <= last && !fd->cloexec) numbers.push_back(number);
    return number < last;
  });
  for (int64_t number : numbers)
    if (Fd* fd = world.own_fd(thread, number)) fd->cloexec = true;
}

// The new number gets the file of the old one, which the event names.
void duplicate(World& world, Thread& thread, int64_t to, bool cloexec) {
  const int64_t from = world.applied.fd_number;
  const Fd* old = world.applied.fd;
  if (to == from) return;
  world.applied.fd_number = to;
  world.applied.fd = nullptr;
  if (old == nullptr) {
    world.remove_fd(thread, to);
    return;
  }
  if (old->cloexec == cloexec) {
    world.add_fd(thread, to, Ref<Fd>(const_cast<Fd*>(old)));
    return;
  }
  Ref<Fd> copy = clone_fd(*old);
  copy->cloexec = cloexec;
  world.add_fd(thread, to, std::move(copy));
}

void on_dup(World& world, const Event& event, Thread& thread) {
  const int64_t to = event.get<int64_t>(0, -1);
  if (to >= 0) duplicate(world, thread, to, false);
}

void on_dup3(World& world, const Event& event, Thread& thread) {
  const int64_t to = event.get<int64_t>(0, -1);
  if (to >= 0) duplicate(world, thread, to, (event.get<uint32_t>(3) & kCloseOnExec) != 0);
}

void on_fcntl(World& world, const Event& event, Thread& thread) {
  enum : uint8_t { kDupFd = 1, kSetFd = 3, kDupFdCloexec = 26 };
  const int64_t result = event.get<int64_t>(0, -1);
  if (result < 0) return;
  switch (event.get<uint8_t>(2)) {
    case kDupFd: duplicate(world, thread, result, false); break;
    case kDupFdCloexec: duplicate(world, thread, result, true); break;
    case kSetFd: {
      const bool cloexec = (event.get<uint64_t>(3) & 1) != 0;
      if (world.applied.fd == nullptr || world.applied.fd->cloexec == cloexec) break;
      if (Fd* fd = world.own_fd(thread, world.applied.fd_number)) {
        fd->cloexec = cloexec;
        world.applied.fd = fd;
      }
      break;
    }
    default: break;
  }
}

// Both ends; the event is about the second.
template <uint16_t kType>
void on_pipe(World& world, const Event& event, Thread& thread) {
  if (event.get<int64_t>(0, -1) < 0) return;
  const uint32_t flags = kType == SYSCALL_PIPE2_X ? event.get<uint32_t>(4) : 0;
  for (size_t end : std::initializer_list<size_t>{1, 2}) {
    Ref<Fd> fd = new_fd();
    fd->type = FdType::fifo;
    fd->ino = event.get<uint64_t>(3);
    fd->open_flags = flags;
    fd->cloexec = (flags & kCloseOnExec) != 0;
    world.add_fd(thread, event.get<int64_t>(end, -1), std::move(fd));
  }
}

Fd* make(World& world, const Event& event, Thread& thread, FdType type, bool cloexec) {
  const int64_t number = event.get<int64_t>(0, -1);
  if (number < 0) return nullptr;
  Ref<Fd> fd = new_fd();
  Fd* record = fd.get();
  fd->type = type;
  fd->cloexec = cloexec;
  world.add_fd(thread, number, std::move(fd));
  return world.applied.fd == nullptr ? nullptr : record;
}

// Kinds that have no name. kFlags: the index of the parameter with O_CLOEXEC (or the flag of the
// call's own that means it) among its bits.
template <FdType kType, typename Flags, int kFlags, uint32_t kCloexecBit>
void on_make(World& world, const Event& event, Thread& thread) {
  const bool cloexec = (static_cast<uint32_t>(event.get<Flags>(kFlags)) & kCloexecBit) != 0;
  make(world, event, thread, kType, cloexec);
}

template <FdType kType, bool kCloexec>
void on_make_plain(World& world, const Event& event, Thread& thread) {
  make(world, event, thread, kType, kCloexec);
}

void on_memfd(World& world, const Event& event, Thread& thread) {
  Fd* fd = make(world, event, thread, FdType::memfd, (event.get<uint32_t>(2) & 1) != 0);
  if (fd == nullptr) return;
  fd->name.assign(event.text(1).substr(0, 1024));
  world.applied.fd_name_changed = !fd->name.empty();
}

void on_pidfd_open(World& world, const Event& event, Thread& thread) {
  Fd* fd = make(world, event, thread, FdType::pidfd, true);
  if (fd == nullptr) return;
  fd->target_pid = event.get<int64_t>(1, -1);
  fd->name = "/proc/" + std::to_string(fd->target_pid);
  world.applied.fd_name_changed = true;
}

// The same file as another process has under `target_fd`.
void on_pidfd_getfd(World& world, const Event& event, Thread& thread) {
  const int64_t number = event.get<int64_t>(0, -1);
  if (number < 0) return;
  world.applied.fd_number = number;
  const Fd* pidfd = world.fd_of(thread, event.get<int64_t>(1, -1));
  const Thread* target = pidfd == nullptr ? nullptr : world.threads.find(pidfd->target_pid);
  const Fd* file = target == nullptr ? nullptr : world.fd_of(*target, event.get<int64_t>(2, -1));
  if (file == nullptr) {
    world.remove_fd(thread, number);
    return;
  }
  Ref<Fd> copy = clone_fd(*file);
  copy->cloexec = true;
  world.add_fd(thread, number, std::move(copy));
}

// Only some commands of bpf(2) give a descriptor; the others give counts and zeros.
void on_bpf(World& world, const Event& event, Thread& thread) {
  constexpr int32_t kMakeFds[] = {0, 5, 7, 13, 14, 17, 18, 19, 28, 30, 32, 33, 36};
  if (std::ranges::find(kMakeFds, event.get<int32_t>(1, -1)) == std::end(kMakeFds)) {
    world.applied.fd_number = event.get<int64_t>(0, -1);
    return;
  }
  make(world, event, thread, FdType::bpf, true);
}

// signalfd with an fd of its own changes that one, which is a signalfd already.
void on_signalfd(World& world, const Event& event, Thread& thread) {
  make(world, event, thread, FdType::signalfd, false);
}

}  // namespace

void add_fd_steps(Step* steps) {
  steps[SYSCALL_CLOSE_X].handle = on_close;
  steps[SYSCALL_CLOSE_RANGE_X].handle = on_close_range;
  steps[SYSCALL_DUP_1_X].handle = on_dup;
  steps[SYSCALL_DUP2_X].handle = on_dup;
  steps[SYSCALL_DUP3_X].handle = on_dup3;
  steps[SYSCALL_FCNTL_X].handle = on_fcntl;
  steps[SYSCALL_PIPE_X].handle = on_pipe<SYSCALL_PIPE_X>;
  steps[SYSCALL_PIPE2_X].handle = on_pipe<SYSCALL_PIPE2_X>;
  steps[SYSCALL_EVENTFD_X].handle = on_make_plain<FdType::eventfd, false>;
  steps[SYSCALL_EVENTFD2_X].handle = on_make<FdType::eventfd, uint16_t, 1, kCloseOnExec>;
  steps[SYSCALL_SIGNALFD_X].handle = on_signalfd;
  steps[SYSCALL_SIGNALFD4_X].handle = on_make<FdType::signalfd, uint16_t, 1, kCloseOnExec>;
  steps[SYSCALL_TIMERFD_CREATE_X].handle = on_make_plain<FdType::timerfd, false>;
  steps[SYSCALL_INOTIFY_INIT_X].handle = on_make_plain<FdType::inotify, false>;
  steps[SYSCALL_INOTIFY_INIT1_X].handle = on_make<FdType::inotify, uint16_t, 1, kCloseOnExec>;
  steps[SYSCALL_EPOLL_CREATE_X].handle = on_make_plain<FdType::eventpoll, false>;
  steps[SYSCALL_EPOLL_CREATE1_X].handle = on_make<FdType::eventpoll, uint32_t, 1, 1>;
  steps[SYSCALL_USERFAULTFD_X].handle = on_make<FdType::userfaultfd, uint32_t, 1, kCloseOnExec>;
  steps[SYSCALL_IO_URING_SETUP_X].handle = on_make_plain<FdType::io_uring, true>;
  steps[SYSCALL_MEMFD_CREATE_X].handle = on_memfd;
  steps[SYSCALL_PIDFD_OPEN_X].handle = on_pidfd_open;
  steps[SYSCALL_PIDFD_GETFD_X].handle = on_pidfd_getfd;
  steps[SYSCALL_BPF_2_X].handle = on_bpf;
}

}  // namespace saker::state
