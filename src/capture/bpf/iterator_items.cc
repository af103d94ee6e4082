#include "capture/bpf/iterator_items.h"

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "kernel/shared_types.h"

namespace saker::capture {

namespace {

using kernel::FdItem;
using kernel::TaskItem;

std::string_view without_nul(std::string_view text) {
  while (text.ends_with('\0')) text.remove_suffix(1);
  return text;
}

// Splits the strings behind an item by their lengths.
class Strings {
 public:
  Strings(Bytes item, size_t from) : rest_(as_text(item).substr(from)) {}
  std::string_view take(size_t length) {
    const std::string_view part = rest_.substr(0, length);
    rest_.remove_prefix(part.size());
    return part;
  }

 private:
  std::string_view rest_;
};

}  // namespace

void send_task(Bytes bytes, uint64_t boot, event::SnapshotSink& sink) {
  if (bytes.size() < sizeof(TaskItem)) return;
  const auto item = load<TaskItem>(bytes.data());
  Strings strings(bytes, sizeof(TaskItem));
  event::ProcessEntry out;
  out.comm = without_nul(strings.take(item.length[kernel::TASK_COMM]));
  // The item holds command line and environment side by side, then the paths.
  const std::string_view command = strings.take(item.length[kernel::TASK_EXE_ARGS]);
  out.env = strings.take(item.length[kernel::TASK_ENV]);
  out.exepath = without_nul(strings.take(item.length[kernel::TASK_EXEPATH]));
  out.cwd = without_nul(strings.take(item.length[kernel::TASK_CWD]));
  out.root = without_nul(strings.take(item.length[kernel::TASK_ROOT]));
  out.cgroups = strings.take(item.length[kernel::TASK_CGROUPS]);
  const size_t end = command.find('\0');
  out.exe = command.substr(0, end);
  if (end != std::string_view::npos) out.args = command.substr(end + 1);
  out.tid = item.tid;
  out.pid = item.pid;
  out.ptid = item.ptid;
  out.sid = item.sid;
  out.vpgid = item.vpgid;
  out.pgid = item.pgid;
  out.vtid = item.vtid;
  out.vpid = item.vpid;
  out.fdlimit = item.fdlimit;
  out.uid = item.uid;
  out.gid = item.gid;
  out.loginuid = item.loginuid;
  out.tty = item.tty;
  out.vmsize_kb = item.vmsize_kb;
  out.vmrss_kb = item.vmrss_kb;
  out.vmswap_kb = item.vmswap_kb;
  out.pfmajor = item.pfmajor;
  out.pfminor = item.pfminor;
  out.pidns_init_start_ts = boot + item.pidns_init_start;
  out.clone_ts = boot + item.start_boottime;
  out.cap_inheritable = item.cap_inheritable;
  out.cap_permitted = item.cap_permitted;
  out.cap_effective = item.cap_effective;
  out.exe_ino = item.exe_ino;
  out.exe_ino_ctime = item.exe_ctime;
  out.exe_ino_mtime = item.exe_mtime;
  out.exe_writable = (item.flags & 1) != 0;
  out.exe_upper_layer = (item.flags & 2) != 0;
  out.exe_from_memfd = (item.flags & 4) != 0;
  out.exe_lower_layer = (item.flags & 8) != 0;
  sink.on_process(out);
}

namespace {

struct AnonymousKind {
  std::string_view name;
  event::FdType type;
};

constexpr AnonymousKind kAnonymous[] = {
    {"[eventfd]", event::FdType::eventfd},
    {"[eventpoll]", event::FdType::eventpoll},
    {"inotify", event::FdType::inotify},
    {"[signalfd]", event::FdType::signalfd},
    {"[timerfd]", event::FdType::timerfd},
    {"[io_uring]", event::FdType::io_uring},
    {"[userfaultfd]", event::FdType::userfaultfd},
    {"[pidfd]", event::FdType::pidfd},
    {"bpf-map", event::FdType::bpf},
    {"bpf-prog", event::FdType::bpf},
    {"bpf_link", event::FdType::bpf},
    {"bpf_iter", event::FdType::bpf},
};

event::FdType anonymous_type(std::string_view name) {
  for (const AnonymousKind& kind : kAnonymous) {
    if (name == kind.name || name.find(kind.name) != std::string_view::npos) return kind.type;
  }
  return event::FdType::unsupported;
}

// Open flags of a file as it is, in the numbering of captures.
uint32_t flags_of_file(uint32_t native) {
  static constexpr std::pair<uint32_t, uint32_t> kBits[] = {
      {02000, 8},    {04000, 64},     {010000, 16},    {04010000, 128},
      {040000, 512}, {0200000, 1024}, {0100000, 2048},
  };
  const uint32_t mode = native & 3;
  uint32_t out = mode == 1 ? 2 : mode == 2 ? 3 : 1;
  for (const auto& [bit, ours] : kBits)
    if ((native & bit) != 0) out |= ours;
  return out;
}

void copy_addresses(const FdItem& item, event::FdEntry& out) {
  // The side that a connection came from is its source; of a socket that was there before us that
  // can't be seen, so the local side counts as the client, as the reference does.
  std::memcpy(out.source_ip.data(), item.local_ip, 16);
  std::memcpy(out.dest_ip.data(), item.remote_ip, 16);
  out.source_port = item.local_port;
  out.dest_port = item.remote_port;
  out.l4 = static_cast<event::L4Proto>(item.l4);
}

}  // namespace

void send_file(Bytes bytes, event::SnapshotSink& sink) {
  if (bytes.size() < sizeof(FdItem)) return;
  const auto item = load<FdItem>(bytes.data());
  event::FdEntry out;
  out.tid = item.tgid;
  out.fd = item.fd;
  out.ino = item.ino;
  out.dev = item.dev;
  std::string name(without_nul(as_text(bytes).substr(sizeof(FdItem), item.name_length)));
  constexpr uint8_t kAnonymousMark = 100;
  out.type =
      item.type == kAnonymousMark ? anonymous_type(name) : static_cast<event::FdType>(item.type);
  switch (out.type) {
    case event::FdType::ipv4_socket:
    case event::FdType::ipv6_socket:
      copy_addresses(item, out);
      if (item.remote_port == 0 && item.listening != 0) {
        out.type = out.type == event::FdType::ipv4_socket ? event::FdType::ipv4_server
                                                          : event::FdType::ipv6_server;
        // Servers have their own address in the place of the source.
        out.dest_ip = {};
        out.dest_port = 0;
      }
      break;
    case event::FdType::unix_socket:
      out.unix_source = item.unix_self;
      out.unix_dest = item.unix_peer;
      break;
    case event::FdType::fifo:
      if (name.empty()) name = "pipe:[" + std::to_string(item.ino) + "]";
      break;
    case event::FdType::unknown: return;
    default: break;
  }
  out.name = name;
  out.open_flags = flags_of_file(item.open_flags);
  sink.on_fd(out);
}

}  // namespace saker::capture
