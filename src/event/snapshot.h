// What a source knows before its first event: machine, processes, their fds, users, interfaces.
// Captures hold it in blocks, a live source reads it from the kernel. `state` is the usual sink.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace saker::event {

struct MachineInfo {
  uint32_t cpus = 0;
  uint64_t memory_bytes = 0;
  uint64_t max_pid = 0;
  std::string_view hostname;
  uint64_t boot_time_ns = 0;  // since the epoch; 0 when unknown
  uint64_t flags = 0;
};

// A thread. Views live only during the call. Lists are NUL separated, as on the wire.
struct ProcessEntry {
  int64_t tid = -1, pid = -1, ptid = -1, sid = -1, vpgid = -1, pgid = -1, vtid = -1, vpid = -1;
  std::string_view comm, exe, exepath, args, cwd, env, cgroups, root;
  uint64_t fdlimit = 0;
  uint32_t flags = 0;
  uint32_t uid = 0xffffffff, gid = 0xffffffff, loginuid = 0xffffffff;
  uint32_t vmsize_kb = 0, vmrss_kb = 0, vmswap_kb = 0;
  uint64_t pfmajor = 0, pfminor = 0;
  uint64_t pidns_init_start_ts = 0;
  uint64_t clone_ts = 0;  // ns since the epoch; 0 when the source does not know it
  uint32_t tty = 0;
  uint64_t cap_inheritable = 0, cap_permitted = 0, cap_effective = 0;
  uint64_t exe_ino = 0, exe_ino_ctime = 0, exe_ino_mtime = 0;
  bool exe_writable = false, exe_upper_layer = false, exe_lower_layer = false,
       exe_from_memfd = false;
};

// Types of file descriptors, with the numbers that captures use.
enum class FdType : uint8_t {
  unknown = 0,
  file = 1,
  directory = 2,
  ipv4_socket = 3,
  ipv6_socket = 4,
  ipv4_server = 5,
  ipv6_server = 6,
  fifo = 7,
  unix_socket = 8,
  eventfd = 9,
  unsupported = 10,
  signalfd = 11,
  eventpoll = 12,
  inotify = 13,
  timerfd = 14,
  netlink = 15,
  file_v2 = 16,
  bpf = 17,
  userfaultfd = 18,
  io_uring = 19,
  memfd = 20,
  pidfd = 21,
};

enum class L4Proto : uint8_t { unknown = 0, na = 1, tcp = 2, udp = 3, icmp = 4, raw = 5 };

struct FdEntry {
  int64_t tid = -1;  // the thread group that owns it
  int64_t fd = -1;
  uint64_t ino = 0;
  FdType type = FdType::unknown;
  uint32_t open_flags = 0;  // in the numbering of file_flags
  uint32_t dev = 0;
  std::string_view name;  // path, or the name of the kind
  // Sockets. Addresses in network byte order, IPv4 in the first four bytes; ports in host order.
  std::array<uint8_t, 16> source_ip{}, dest_ip{};
  uint16_t source_port = 0, dest_port = 0;
  L4Proto l4 = L4Proto::unknown;
  uint64_t unix_source = 0, unix_dest = 0;
};

struct UserEntry {
  bool is_group = false;
  uint32_t id = 0;
  uint32_t gid = 0;
  std::string_view name, home, shell;
  std::string_view container_id;  // empty: the host
};

struct InterfaceEntry {
  bool is_ipv6 = false;
  std::array<uint8_t, 16> address{}, netmask{};
  std::string_view name;
};

// Receives a snapshot. Called in the order machine, interfaces, users, processes, fds, on the
// reader's thread.
class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  virtual void on_machine(const MachineInfo& machine) = 0;
  virtual void on_process(const ProcessEntry& process) = 0;
  virtual void on_fd(const FdEntry& fd) = 0;
  virtual void on_user(const UserEntry& user) = 0;
  virtual void on_interface(const InterfaceEntry& interface) = 0;
};

}  // namespace saker::event
