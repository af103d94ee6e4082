#include "capture/scap/snapshot_blocks.h"

#include <algorithm>
#include <array>

namespace saker::capture::scap {

namespace {

using event::FdEntry;
using event::FdType;
using event::ProcessEntry;
using State = EntryResult::State;

constexpr EntryResult kTooShort{.state = State::too_short};

EntryResult bad(std::string_view problem) {
  return {.state = State::bad, .problem = problem};
}

// Since file version 1.2 an entry starts with its length, so that fields can be added at its end.
// Narrows `bytes` to the entry. `extra` is what the length does not count.
EntryResult bound_entry(Bytes& bytes, size_t extra) {
  if (bytes.size() < sizeof(uint32_t)) return kTooShort;
  const size_t size = size_t{load<uint32_t>(bytes.data())} + extra;
  if (size < sizeof(uint32_t)) return bad("entry shorter than its own length");
  if (size > bytes.size()) return {.state = State::too_short, .size = size};
  bytes = bytes.first(size);
  return {.size = size};
}

// A bounded entry that does not hold its fields is corrupt; an unbounded one may only lack bytes.
EntryResult finish(const ByteReader& reader, bool bounded, size_t size) {
  if (!reader.ok()) return bounded ? bad("entry longer than its length says") : kTooShort;
  return {.size = bounded ? size : reader.position()};
}

// Reads a field of the optional tail when the entry still has room for it.
template <typename T, typename Field>
void read_optional(ByteReader& reader, Field& field) {
  if (reader.remaining() >= sizeof(T)) field = static_cast<Field>(reader.read<T>());
}

void read_process_tail(ByteReader& reader, ProcessEntry& process) {
  // Entries of at most 29 more bytes were written before these two existed.
  if (reader.remaining() > 29) {
    read_optional<uint64_t>(reader, process.pidns_init_start_ts);
    read_optional<uint32_t>(reader, process.tty);
  }
  auto read_flag = [&](bool& flag) {
    if (reader.remaining() >= 1) flag = reader.read<uint8_t>() != 0;
  };
  read_optional<uint32_t>(reader, process.loginuid);
  read_flag(process.exe_writable);
  read_optional<uint64_t>(reader, process.cap_inheritable);
  read_optional<uint64_t>(reader, process.cap_permitted);
  read_optional<uint64_t>(reader, process.cap_effective);
  read_flag(process.exe_upper_layer);
  read_optional<uint64_t>(reader, process.exe_ino);
  read_optional<uint64_t>(reader, process.exe_ino_ctime);
  read_optional<uint64_t>(reader, process.exe_ino_mtime);
  read_flag(process.exe_from_memfd);
  read_flag(process.exe_lower_layer);
  read_optional<int64_t>(reader, process.pgid);
}

void read_ip(ByteReader& reader, std::array<uint8_t, 16>& ip, size_t size) {
  Bytes bytes = reader.take(size);
  std::ranges::copy(bytes, ip.begin());
}

// What follows the type of an fd. False for a type that this version of Saker does not know.
bool read_fd_details(ByteReader& reader, bool bounded, FdEntry& fd) {
  const size_t ip_size = fd.type == FdType::ipv6_socket || fd.type == FdType::ipv6_server ? 16 : 4;
  switch (fd.type) {
    case FdType::unknown: return true;
    case FdType::ipv4_socket:
    case FdType::ipv6_socket:
      read_ip(reader, fd.source_ip, ip_size);
      read_ip(reader, fd.dest_ip, ip_size);
      fd.source_port = reader.read<uint16_t>();
      fd.dest_port = reader.read<uint16_t>();
      fd.l4 = static_cast<event::L4Proto>(std::min<uint8_t>(reader.read<uint8_t>(), 5));
      return true;
    case FdType::ipv4_server:
    case FdType::ipv6_server:
      read_ip(reader, fd.source_ip, ip_size);
      fd.source_port = reader.read<uint16_t>();
      fd.l4 = static_cast<event::L4Proto>(std::min<uint8_t>(reader.read<uint8_t>(), 5));
      return true;
    case FdType::unix_socket:
      fd.unix_source = reader.read<uint64_t>();
      fd.unix_dest = reader.read<uint64_t>();
      fd.name = reader.text16();
      return true;
    case FdType::file_v2:
      fd.open_flags = reader.read<uint32_t>();
      fd.name = reader.text16();
      if (bounded) read_optional<uint32_t>(reader, fd.dev);
      return true;
    default: break;
  }
  if (fd.type > FdType::pidfd) return false;
  fd.name = reader.text16();
  return true;
}

}  // namespace

EntryResult read_process(Bytes bytes, uint8_t version, event::SnapshotSink& sink) {
  const bool bounded = version >= 9;
  size_t size = 0;
  if (bounded) {
    EntryResult bound = bound_entry(bytes, 0);
    if (bound.state != State::done) return bound;
    size = bound.size;
  }
  ByteReader reader(bytes);
  if (bounded) reader.skip(sizeof(uint32_t));
  ProcessEntry process;
  process.tid = reader.read<int64_t>();
  process.pid = reader.read<int64_t>();
  process.ptid = reader.read<int64_t>();
  if (version >= 6) process.sid = reader.read<int64_t>();
  if (version >= 8) process.vpgid = reader.read<int64_t>();
  process.comm = reader.text16();
  process.exe = reader.text16();
  if (version >= 7) process.exepath = reader.text16();
  process.args = reader.text16();
  process.cwd = reader.text16();
  process.fdlimit = reader.read<uint64_t>();
  process.flags = reader.read<uint32_t>();
  process.uid = reader.read<uint32_t>();
  process.gid = reader.read<uint32_t>();
  if (version >= 2) {
    process.vmsize_kb = reader.read<uint32_t>();
    process.vmrss_kb = reader.read<uint32_t>();
    process.vmswap_kb = reader.read<uint32_t>();
    process.pfmajor = reader.read<uint64_t>();
    process.pfminor = reader.read<uint64_t>();
  }
  if (version >= 3) process.env = reader.text16();
  if (version >= 4) {
    process.vtid = reader.read<int64_t>();
    process.vpid = reader.read<int64_t>();
    process.cgroups = reader.text16();
  }
  if (version >= 5) process.root = reader.text16();
  if (bounded && reader.ok()) read_process_tail(reader, process);
  EntryResult result = finish(reader, bounded, size);
  if (result.state == State::done) sink.on_process(process);
  return result;
}

EntryResult read_fd(Bytes bytes, uint8_t version, int64_t tid, event::SnapshotSink& sink) {
  const bool bounded = version >= 2;
  size_t size = 0;
  if (bounded) {
    EntryResult bound = bound_entry(bytes, 0);
    if (bound.state != State::done) return bound;
    size = bound.size;
  }
  ByteReader reader(bytes);
  if (bounded) reader.skip(sizeof(uint32_t));
  FdEntry fd;
  fd.tid = tid;
  fd.fd = reader.read<int64_t>();
  fd.ino = reader.read<uint64_t>();
  fd.type = static_cast<FdType>(reader.read<uint8_t>());
  if (reader.ok() && !read_fd_details(reader, bounded, fd)) {
    if (!bounded) return bad("unknown type of file descriptor");
    fd.type = FdType::unsupported;
  }
  EntryResult result = finish(reader, bounded, size);
  if (result.state == State::done) sink.on_fd(fd);
  return result;
}

EntryResult read_user(Bytes bytes, uint8_t version, event::SnapshotSink& sink) {
  const bool bounded = version >= 2;
  size_t size = 0;
  if (bounded) {
    EntryResult bound = bound_entry(bytes, 0);
    if (bound.state != State::done) return bound;
    size = bound.size;
  }
  ByteReader reader(bytes);
  if (bounded) reader.skip(sizeof(uint32_t));
  event::UserEntry user;
  const auto type = reader.read<uint8_t>();
  user.is_group = type != 0;
  user.id = reader.read<uint32_t>();
  user.gid = user.is_group ? user.id : reader.read<uint32_t>();
  user.name = reader.text16();
  if (!user.is_group) {
    user.home = reader.text16();
    user.shell = reader.text16();
  }
  EntryResult result = finish(reader, bounded, size);
  if (result.state != State::done) return result;
  if (type > 1) {
    if (!bounded) return bad("neither a user nor a group");
  } else {
    sink.on_user(user);
  }
  return result;
}

EntryResult read_interface(Bytes bytes, uint8_t version, event::SnapshotSink& sink) {
  const bool bounded = version >= 2;
  size_t size = 0;
  if (bounded) {
    EntryResult bound = bound_entry(bytes, sizeof(uint32_t));
    if (bound.state != State::done) return bound;
    size = bound.size;
  }
  ByteReader reader(bytes);
  if (bounded) reader.skip(sizeof(uint32_t));
  const auto type = reader.read<uint16_t>();
  const auto name_size = reader.read<uint16_t>();
  if (reader.ok() && (type < 1 || type > 4))
    return bounded ? EntryResult{.size = size} : bad("unknown type of interface");
  event::InterfaceEntry interface;
  interface.is_ipv6 = type == 2 || type == 4;
  const size_t ip_size = interface.is_ipv6 ? 16 : 4;
  read_ip(reader, interface.address, ip_size);
  read_ip(reader, interface.netmask, ip_size);
  reader.skip(ip_size);                          // broadcast
  if (type <= 2) reader.skip(sizeof(uint64_t));  // speed
  interface.name = as_text(reader.take(name_size));
  EntryResult result = finish(reader, bounded, size);
  if (result.state == State::done) sink.on_interface(interface);
  return result;
}

EntryResult read_machine(Bytes bytes, event::SnapshotSink& sink) {
  ByteReader reader(bytes);
  event::MachineInfo machine;
  machine.cpus = reader.read<uint32_t>();
  machine.memory_bytes = reader.read<uint64_t>();
  machine.max_pid = reader.read<uint64_t>();
  machine.hostname = as_c_string(reader.take(128));
  if (!reader.ok()) return bad("machine info too short");
  // Times since boot stay raw in a replay, as the reference shows them: the boot time is skipped.
  uint64_t boot_time_ns = 0;
  read_optional<uint64_t>(reader, boot_time_ns);
  read_optional<uint64_t>(reader, machine.flags);
  sink.on_machine(machine);
  return {.size = bytes.size()};
}

}  // namespace saker::capture::scap
