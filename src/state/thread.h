// The records that state keeps: a thread, what its last exec set, its file descriptors. Plain data;
// State fills it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ref.h"
#include "event/rule_slot.h"
#include "event/snapshot.h"
#include "k8s/container.h"

namespace saker::state {

class State;
struct FdTable;

// How many bytes of text the records of a state hold; shared by those that have to report theirs.
struct TextBudget {
  size_t used = 0;
  size_t limit = 0;
};

// What an exec set. Shared by the threads and children that did not exec since, so a fork copies a
// pointer. Immutable once published: a change makes a new image.
struct Image : RefCounted {
  std::string exe;  // argv[0]
  std::string exepath;
  std::string args;  // after argv[0], NUL separated, each with its NUL
  std::string env;   // likewise
  uint64_t exe_ino = 0, exe_ino_ctime = 0, exe_ino_mtime = 0;
  // ctime_duration_*: set at exec, see the fields of the same name.
  uint64_t ctime_duration_clone_ts = 0, ctime_duration_pidns_start = 0;
  bool exe_writable = false, exe_upper_layer = false, exe_lower_layer = false,
       exe_from_memfd = false;

  TextBudget* budget = nullptr;  // where `charged` bytes are given back to
  size_t charged = 0;
  void dispose();
};

// The cgroups of a thread and the container that they name. Shared like Image; interned by State.
struct Cgroups : RefCounted {
  std::string text;          // "subsys=path" NUL separated, each with its NUL
  std::string container_id;  // 12 characters, "" for the host
  std::string full_container_id;
  k8s::ContainerType container_type = k8s::ContainerType::host;
  std::string pod_uid;
};

enum class SocketRole : uint8_t { none, client, server };

// What is plain about an open file.
struct FdValues {
  event::FdType type = event::FdType::unknown;
  bool cloexec = false;
  bool upper_layer = false, lower_layer = false;
  SocketRole role = SocketRole::none;
  bool connected = false;
  event::L4Proto l4 = event::L4Proto::unknown;
  uint16_t source_port = 0, dest_port = 0;
  uint32_t open_flags = 0;
  uint32_t dev = 0;
  uint64_t ino = 0;
  int64_t target_pid = -1;  // pidfd
  uint64_t unix_source = 0, unix_dest = 0;
  // Network byte order, IPv4 in the first four bytes; ports in host order. Source is the client.
  std::array<uint8_t, 16> source_ip{}, dest_ip{};
};

// An open file. Shared by the tables of forked processes; a handler that changes one makes it its
// own first.
struct Fd : RefCounted, FdValues {
  std::string name;      // resolved path, tuple text, or the name of the kind
  std::string name_raw;  // path as passed

  [[nodiscard]] bool is_file() const {
    return type == event::FdType::file || type == event::FdType::file_v2;
  }
  [[nodiscard]] bool is_ipv4() const {
    return type == event::FdType::ipv4_socket || type == event::FdType::ipv4_server;
  }
  [[nodiscard]] bool is_ipv6() const {
    return type == event::FdType::ipv6_socket || type == event::FdType::ipv6_server;
  }
  [[nodiscard]] bool is_inet() const { return is_ipv4() || is_ipv6(); }
  [[nodiscard]] bool is_inet_server() const {
    return type == event::FdType::ipv4_server || type == event::FdType::ipv6_server;
  }

  void clear();
  void dispose();  // to a free list, so that open and close allocate nothing once warm
};

// A path as it was when the call entered the kernel.
struct EnterCopy {
  uint16_t type = 0;  // the enter event's; 0 when there is nothing
  std::string path;
  uint32_t flags = 0;
  int64_t dirfd = 0;
};

struct Thread {
  int64_t tid = -1, pid = -1, ptid = -1, vtid = -1, vpid = -1, sid = -1, pgid = -1, vpgid = -1;
  int64_t reaper_tid = -1;
  uint32_t uid = 0xffffffff, gid = 0xffffffff, loginuid = 0xffffffff;
  uint32_t tty = 0;
  uint32_t flags = 0;  // clone_flags numbering
  uint64_t cap_inheritable = 0, cap_permitted = 0, cap_effective = 0;
  uint64_t clone_ts = 0, lastexec_ts = 0, pidns_init_start_ts = 0;
  uint64_t fdlimit = 0;
  uint32_t vmsize_kb = 0, vmrss_kb = 0, vmswap_kb = 0;
  uint64_t pfmajor = 0, pfminor = 0;
  std::string comm;
  std::string cwd;  // of the main thread; ends in "/"
  std::string root;
  Ref<Image> image;
  Ref<Cgroups> cgroups;
  Ref<FdTable> fds;  // of the main thread
  Thread* leader =
      nullptr;  // the main thread of the group; itself when it is the main thread. Never null.
  std::vector<int64_t> children;  // tids of threads whose ptid is this one
  uint32_t live_threads = 1;      // of the group, on the main thread's record
  uint64_t last_access_ts = 0;
  bool is_subreaper = false;
  bool dead = false;
  bool placeholder = false;  // made up because the capture never told of it
  mutable event::RuleSlot rules;

  // Kept by Processes: the ring of the records of this thread group, the place in the parent's list
  // of children, and the last change to everybody's surroundings that `rules` was told of.
  Thread* group_next = this;
  Thread* group_prev = this;
  uint32_t child_slot = kNoChildSlot;
  uint32_t seen_shift = 0;
  // What a call was asked to do at its entry, until its exit comes: the caller may rewrite the
  // memory in between.
  std::unique_ptr<EnterCopy> enter;

  static constexpr uint32_t kNoChildSlot = 0xffffffff;

  [[nodiscard]] bool is_main() const { return tid == pid; }
  [[nodiscard]] bool in_container() const { return cgroups && !cgroups->container_id.empty(); }
};

}  // namespace saker::state
