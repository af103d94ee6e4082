// The open family: open, openat, openat2, creat, open_by_handle_at.
#include "state/world.h"

namespace saker::state {

namespace {

using namespace event;

enum OpenFlags : uint32_t {
  kWriteOnly = 2,
  kCreate = 4,
  kTruncate = 256,
  kDirectory = 1024,
  kCloseOnExec = 4096,
  kCreated = 16384,
  kUpperLayer = 32768,
  kLowerLayer = 65536,
};
// What the kernel found out, as opposed to what was asked for.
constexpr uint32_t kKernelFlags = ~(kCreated - 1);
constexpr size_t kLongestPath = 4096;

struct Opened {
  int64_t number = -1;
  int64_t dirfd = kAtFdCwd;
  std::string_view path;
  uint32_t flags = 0;
  uint32_t dev = 0;
  uint64_t ino = 0;
};

// Where an enter event and its exit keep the same things: parameter indices, -1 for none.
struct Layout {
  int dirfd, path, flags, dev, ino;
};

constexpr Layout layout_of(uint16_t type) {
  switch (type) {
    case SYSCALL_OPEN_X: return {-1, 1, 2, 4, 5};
    case SYSCALL_OPENAT_2_X: return {1, 2, 3, 5, 6};
    case SYSCALL_OPENAT2_X: return {1, 2, 3, 6, 7};
    case SYSCALL_CREAT_X: return {-1, 1, -1, 3, 4};
    case SYSCALL_OPEN_BY_HANDLE_AT_X: return {-1, 3, 2, 4, 5};
    case SYSCALL_OPEN_E: return {-1, 0, 1, -1, -1};
    case SYSCALL_CREAT_E: return {-1, 0, -1, -1, -1};
    default: return {0, 1, 2, -1, -1};  // openat and openat2 at their entry
  }
}

template <uint16_t kType>
void on_open_enter(World& /*world*/, const Event& event, Thread& thread) {
  constexpr Layout kAt = layout_of(kType);
  if (!thread.enter) thread.enter = std::make_unique<EnterCopy>();
  EnterCopy& enter = *thread.enter;
  enter.type = kType;
  enter.path.assign(event.text(static_cast<size_t>(kAt.path)).substr(0, kLongestPath));
  enter.dirfd =
      kAt.dirfd < 0 ? kAtFdCwd : event.get<int64_t>(static_cast<size_t>(kAt.dirfd), kAtFdCwd);
  enter.flags = kAt.flags < 0 ? kCreate | kTruncate | kWriteOnly
                              : event.get<uint32_t>(static_cast<size_t>(kAt.flags));
}

// What was passed at the entry wins: another thread may have changed the path since.
void prefer_enter(const EnterCopy& enter, Opened& opened) {
  if (enter.path.empty() || enter.path == "<NA>") return;
  opened.path = enter.path;
  opened.dirfd = enter.dirfd;
  opened.flags = (enter.flags & ~kKernelFlags) | (opened.flags & kKernelFlags);
}

void open_file(World& world, Thread& thread, const Opened& opened) {
  Ref<Fd> fd = new_fd();
  fd->type = (opened.flags & kDirectory) != 0 ? FdType::directory : FdType::file_v2;
  fd->open_flags = opened.flags;
  fd->cloexec = (opened.flags & kCloseOnExec) != 0;
  fd->upper_layer = (opened.flags & kUpperLayer) != 0;
  fd->lower_layer = (opened.flags & kLowerLayer) != 0;
  fd->dev = opened.dev;
  fd->ino = opened.ino;
  if (opened.path.empty()) {
    fd->name = "<NA>";
  } else {
    concatenate_paths(base_of_dirfd(world, thread, opened.dirfd, world.scratch), opened.path,
                      fd->name);
    fd->name_raw.assign(opened.path.substr(0, kLongestPath));
  }
  world.applied.fd_name_changed = true;
  world.add_fd(thread, opened.number, std::move(fd));
}

// See State::set_reference_quirks().
void show_directory(World& world, const Thread& thread, const Opened& opened) {
  if (!world.reference_quirks || opened.dirfd == kAtFdCwd || opened.path.starts_with('/')) return;
  const Fd* directory = world.fd_of(thread, opened.dirfd);
  if (directory != nullptr) world.applied.fd = directory;
}

template <uint16_t kType, uint16_t kEnterType>
void on_open(World& world, const Event& event, Thread& thread) {
  constexpr Layout kAt = layout_of(kType);
  EnterCopy* enter = thread.enter.get();
  const bool has_enter = enter != nullptr && enter->type == kEnterType && kEnterType != 0;
  if (enter != nullptr) enter->type = 0;
  Opened opened{.number = event.get<int64_t>(0, -1)};
  opened.dirfd =
      kAt.dirfd < 0 ? kAtFdCwd : event.get<int64_t>(static_cast<size_t>(kAt.dirfd), kAtFdCwd);
  opened.path = event.text(static_cast<size_t>(kAt.path));
  if (opened.number < 0) {
    show_directory(world, thread, opened);
    return;
  }
  opened.dev = event.get<uint32_t>(static_cast<size_t>(kAt.dev));
  opened.ino = event.get<uint64_t>(static_cast<size_t>(kAt.ino));
  if constexpr (kType == SYSCALL_CREAT_X) {
    const auto layers = event.get<uint16_t>(5);
    opened.flags = kCreate | kTruncate | kWriteOnly | ((layers & 1) != 0 ? kUpperLayer : 0u) |
                   ((layers & 2) != 0 ? kLowerLayer : 0u);
  } else {
    opened.flags = event.get<uint32_t>(static_cast<size_t>(kAt.flags));
  }
  if (has_enter) prefer_enter(*enter, opened);
  open_file(world, thread, opened);
  show_directory(world, thread, opened);
}

}  // namespace

void add_file_steps(Step* steps) {
  steps[SYSCALL_OPEN_X].handle = on_open<SYSCALL_OPEN_X, SYSCALL_OPEN_E>;
  steps[SYSCALL_OPENAT_2_X].handle = on_open<SYSCALL_OPENAT_2_X, SYSCALL_OPENAT_2_E>;
  steps[SYSCALL_OPENAT2_X].handle = on_open<SYSCALL_OPENAT2_X, SYSCALL_OPENAT2_E>;
  steps[SYSCALL_CREAT_X].handle = on_open<SYSCALL_CREAT_X, SYSCALL_CREAT_E>;
  steps[SYSCALL_OPEN_BY_HANDLE_AT_X].handle = on_open<SYSCALL_OPEN_BY_HANDLE_AT_X, 0>;
  steps[SYSCALL_OPEN_E].handle = on_open_enter<SYSCALL_OPEN_E>;
  steps[SYSCALL_OPENAT_2_E].handle = on_open_enter<SYSCALL_OPENAT_2_E>;
  steps[SYSCALL_OPENAT2_E].handle = on_open_enter<SYSCALL_OPENAT2_E>;
  steps[SYSCALL_CREAT_E].handle = on_open_enter<SYSCALL_CREAT_E>;
}

}  // namespace saker::state
