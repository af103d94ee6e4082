// Process, fd, user and container state, kept up to date by the event stream. One thread owns it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "event/snapshot.h"
#include "k8s/container.h"
#include "state/thread.h"

namespace saker::state {

struct Limits {
  size_t max_threads = 262144;
  size_t max_fds_per_process = 262144;
  size_t max_containers = 16384;
  size_t max_fd_slots = 8 << 20;      // entries of all fd tables together
  size_t max_users = 262144;          // users and groups of all containers together
  size_t max_text_bytes = 256 << 20;  // arguments and environments of all processes together
};

// Live sources answer questions that a capture can't: /proc of a thread or an fd that the stream
// never told of.
class LiveLookup {
 public:
  virtual ~LiveLookup() = default;
  // Sends the thread (and its main thread, and the main thread's fds) to the sink; false when it is
  // gone.
  virtual bool look_up_thread(int64_t tid, event::SnapshotSink& sink) = 0;
};

struct User {
  std::string name, home, shell;
  uint32_t gid = 0;
};

// What apply() found out about an event: who made it, and which fd it is about.
struct Applied {
  Thread* thread = nullptr;
  const Fd* fd = nullptr;  // null when the event uses none or it is unknown
  int64_t fd_number = -1;
  bool fd_name_changed = false;  // the event gave the fd another name (open, connect, datagram)
  // Of an event about a container (not of a process in it): that container.
  const k8s::ContainerInfo* container = nullptr;
};

struct StateStats {
  uint64_t threads = 0, fds = 0, containers = 0;
  uint64_t dropped_threads = 0;  // the table was full
  uint64_t dropped_fds = 0;
  uint64_t placeholders = 0;
  uint64_t dropped_texts = 0;  // arguments and environments cut since there were too many
};

// Not thread-safe. Thread and Fd pointers live until the next apply() or finish().
class State : public event::SnapshotSink {
 public:
  explicit State(Limits limits = {});
  ~State() override;

  void set_live_lookup(LiveLookup* lookup);
  // Called when a thread enters a container that has no metadata yet (once a container).
  void set_container_request(std::function<void(const Cgroups&, const Thread&)> request);

  // Called when a container is forgotten, see forget_deserted_containers().
  void set_container_forget(std::function<void(const Cgroups&)> forget);
  // A live source tells of no container's end: to be called now and then, to let go of what is
  // known of containers that no thread is in any more.
  void forget_deserted_containers();

  // Some of what the reference gets wrong, the same way: openat relative to a directory fd is shown
  // with that fd instead of the one that it opened. Off by default, since rules miss files by it.
  void set_reference_quirks(bool on);
  [[nodiscard]] bool reference_quirks() const;

  // SnapshotSink
  void on_machine(const event::MachineInfo& machine) override;
  void on_process(const event::ProcessEntry& process) override;
  void on_fd(const event::FdEntry& fd) override;
  void on_user(const event::UserEntry& user) override;
  void on_interface(const event::InterfaceEntry& interface) override;

  // Updates the state by one event and says what it is about. Rules run next and see the state that
  // the event left, with closed fds and exited threads still there; then finish() removes those.
  Applied apply(const event::Event& event);
  void finish(const event::Event& event);

  // Look-ups. Null when unknown.
  [[nodiscard]] const Thread* thread(int64_t tid) const;
  [[nodiscard]] const Fd* fd(const Thread& thread, int64_t number) const;
  // The n-th ancestor process: 0 the main thread of `thread`, 1 its parent process.
  [[nodiscard]] const Thread* ancestor(const Thread& thread, unsigned n) const;
  // The record that `thread.ptid` names (may be a thread, not a main thread); for walking the whole
  // chain.
  [[nodiscard]] const Thread* parent_record(const Thread& thread) const;
  [[nodiscard]] const Thread* session_leader(const Thread& thread) const;
  [[nodiscard]] const Thread* group_leader(const Thread& thread) const;       // by vpgid
  [[nodiscard]] const Thread* host_group_leader(const Thread& thread) const;  // by pgid
  [[nodiscard]] const User* user(std::string_view container_id, uint32_t uid) const;
  [[nodiscard]] const std::string* group(std::string_view container_id, uint32_t gid) const;
  [[nodiscard]] const k8s::ContainerInfo* container(std::string_view id) const;
  [[nodiscard]] bool is_local_address(const std::array<uint8_t, 16>& ip, bool v6) const;
  [[nodiscard]] size_t open_fds(const Thread& thread) const;
  // Calls back for every open fd of the thread's process, in ascending order of number.
  void for_each_fd(const Thread& thread,
                   const std::function<void(int64_t, const Fd&)>& visit) const;
  void for_each_thread(const std::function<void(const Thread&)>& visit) const;

  // Adds or replaces metadata (from a runtime or a container event) and moves the epoch of the
  // threads inside.
  void set_container(k8s::ContainerInfo info);
  void remove_container(std::string_view id);

  [[nodiscard]] const event::MachineInfo& machine() const;
  [[nodiscard]] std::string_view hostname() const;
  [[nodiscard]] StateStats stats() const;
  // The result of the last apply(), for fields that need more than thread and fd.
  [[nodiscard]] const Applied& applied() const;
  // When the events began: the time of the first that is no description of the system (procinfo,
  // container ...); 0 before it.
  [[nodiscard]] uint64_t first_timestamp() const { return first_timestamp_; }
  // The time of the event before that of the last apply(); 0 when there was none.
  [[nodiscard]] uint64_t previous_timestamp() const { return previous_timestamp_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  uint64_t first_timestamp_ = 0;
  uint64_t previous_timestamp_ = 0;
  uint64_t last_timestamp_ = 0;
};

// Joins `path` onto `base` (which an absolute path ignores), resolving "//", "/./" and "..",
// without touching a file system: as captures must. Longer than 1024 bytes:
// "/DIR_TOO_LONG/FILENAME_TOO_LONG".
std::string concatenate_paths(std::string_view base, std::string_view path);
// The same into a reused string.
void concatenate_paths(std::string_view base, std::string_view path, std::string& out);

// "1.2.3.4:5->6.7.8.9:10" and the like for an inet fd's addresses.
void append_tuple_text(const Fd& fd, std::string& out);

}  // namespace saker::state
