// What the event handlers work on: all tables, and the few operations that keep them consistent.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "event/event.h"
#include "state/addresses.h"
#include "state/containers.h"
#include "state/fd_table.h"
#include "state/state.h"
#include "state/thread_table.h"
#include "state/users.h"

namespace saker::state {

// What finish() has to take away once the rules have seen it.
struct Pending {
  enum class Kind : uint8_t { none, close, close_range, exit, container };
  Kind kind = Kind::none;
  int64_t tid = 0;
  int64_t first = 0, last = 0;
};

// Threads that exited lately: a parent's side of a clone that comes late must not revive them.
class RecentExits {
 public:
  void add(int64_t tid, uint64_t timestamp) { ring_[next_++ % kSize] = {tid, timestamp}; }
  [[nodiscard]] bool contains(int64_t tid, uint64_t timestamp) const;

 private:
  static constexpr size_t kSize = 64;
  struct Exit {
    int64_t tid = -1;
    uint64_t timestamp = 0;
  };
  Exit ring_[kSize];
  size_t next_ = 0;
};

class World {
 public:
  World(Limits the_limits, event::SnapshotSink* sink);
  ~World();

  // -- Threads (processes.cc)
  // The thread of an event: its record, or else what a live source knows, or else a placeholder.
  // Null when the table is full.
  Thread* thread_or_placeholder(int64_t tid, uint64_t timestamp);
  Thread* add_thread(int64_t tid);
  Thread* add_placeholder(int64_t tid);
  // A placeholder that an event tells enough of to be counted.
  void become_real(Thread& thread);
  // Makes `thread` one of the group of `pid` (itself when tid == pid).
  void set_group(Thread& thread, int64_t pid);
  void set_parent(Thread& thread, int64_t ptid);
  // Counts the thread out of its group, before it goes.
  void mark_dead(Thread& thread);
  // Takes the thread away; its children get another parent. A main thread stays, dead, as long as
  // others of its group live.
  void remove_thread(Thread& thread);
  // The same, and the rest of its group first when it is the main thread.
  void remove_process(Thread& thread);
  // What an exec does to the rest of the group.
  void remove_other_threads(Thread& thread);
  [[nodiscard]] Thread* parent_process(const Thread& thread) const;

  // -- Rule epochs
  // The thread's own constants changed; with `descendants` also what they see of it.
  void touch(Thread& thread, bool descendants);
  // Something changed that any thread might see (a leader, a user's name, a container).
  void touch_all() { ++shift_; }
  // Tells the thread of such a change.
  void catch_up(Thread& thread) const {
    if (thread.seen_shift == shift_) [[likely]]
      return;
    thread.seen_shift = shift_;
    ++thread.rules.epoch;
  }

  // -- Fds (fds.cc)
  [[nodiscard]] Fd* fd_of(const Thread& thread, int64_t number) const {
    const FdTable* table = thread.leader->fds.get();
    return table == nullptr ? nullptr : table->find(number);
  }
  // The process's table, not shared with any other; null when that would take too much.
  FdTable* own_table(Thread& thread);
  // The fd, not shared with any other number or process; null when it is not there.
  Fd* own_fd(Thread& thread, int64_t number);
  // Opens `fd` at `number` and makes it the event's.
  void add_fd(Thread& thread, int64_t number, Ref<Fd> fd);
  void remove_fd(Thread& thread, int64_t number);
  // Takes the name that tuples have as text.
  void name_by_tuple(Fd& fd);

  // -- Images and containers (images.cc)
  Ref<Image> new_image();
  // Sets the texts within the budget and charges it.
  void set_texts(Image& image, std::string_view exe, std::string_view args, std::string_view env);
  void set_cgroups(Thread& thread, std::string_view text);
  void request_metadata(const Thread& thread);
  void forget_container(const Cgroups& gone);

  void settle();  // does what is pending

  Limits limits;
  SlotBudget slots;
  TextBudget texts;
  ThreadTable threads;
  UserTable users;
  CgroupTable cgroups;
  ContainerTable containers;
  Interfaces interfaces;
  RecentExits exits;

  Applied applied;
  Pending pending;
  StateStats stats;
  event::MachineInfo machine;
  std::string hostname;
  bool reference_quirks = false;

  event::SnapshotSink* self;
  LiveLookup* lookup = nullptr;
  std::function<void(const Cgroups&, const Thread&)> container_request;
  std::function<void(const Cgroups&)> container_forget;
  std::unordered_set<std::string> requested_containers;

  // Fds that a snapshot told of, whose roles wait for the server ports to be known.
  bool snapshot_pending = false;
  std::unordered_set<uint16_t> server_ports;
  std::vector<std::pair<int64_t, int64_t>> unsettled;  // thread, fd
  void settle_snapshot();

  std::string scratch;
  std::string gone_container;

 private:
  std::vector<int64_t>* siblings_of(int64_t ptid);
  void unlink_parent(Thread& thread);
  void leave_group(Thread& thread);
  void reparent_children(Thread& thread);
  Thread* find_reaper(Thread& thread);
  void erase_record(Thread& thread);
  void purge(uint64_t timestamp);

  uint32_t shift_ = 0;
  // Children whose parent has no record, by the parent's tid.
  std::unordered_map<int64_t, std::vector<int64_t>> orphans_;
  uint64_t purged_at_ = 0;
  std::vector<int64_t> walk_;
};

// A directory fd as the base of a path: the working directory for AT_FDCWD, "<UNKNOWN>" for an fd
// that is not known. The view lives until `scratch` changes.
std::string_view base_of_dirfd(const World& world, const Thread& thread, int64_t dirfd,
                               std::string& scratch);

inline constexpr int64_t kAtFdCwd = -100;

// The handlers by event type; see steps.cc.
using Handler = void (*)(World& world, const event::Event& event, Thread& thread);
using LoneHandler = void (*)(World& world, const event::Event& event);
struct Step {
  // The thread: a placeholder when it is unknown, only one that is known, or none at all.
  enum class Who : uint8_t { make, know, nobody };
  Handler handle = nullptr;
  int8_t fd_index = -1;  // the parameter with the fd that the event uses
  Who who = Who::make;
  LoneHandler handle_alone = nullptr;  // for events that have no thread, or make it themselves
};
const Step* steps();

// Where the families put their handlers in.
void add_process_steps(Step* steps);
void add_exec_steps(Step* steps);
void add_credential_steps(Step* steps);
void add_file_steps(Step* steps);
void add_fd_steps(Step* steps);
void add_socket_steps(Step* steps);
void add_meta_steps(Step* steps);

}  // namespace saker::state
