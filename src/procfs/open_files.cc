#include "procfs/open_files.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/strings.h"

namespace saker::procfs {

namespace {

constexpr size_t kLargestTable = 64 << 20;
constexpr size_t kMostSockets = 262144;

std::string target_of(const std::string& path) {
  char target[4096];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<size_t>(length)) : std::string();
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  for (std::string_view part : split(line, ' '))
    if (!part.empty()) out.push_back(part);
  return out;
}

std::optional<uint64_t> from_hex(std::string_view text) {
  uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0100007F:0035": address in groups of four bytes, each in host order, and the port.
bool read_end(std::string_view text, std::array<uint8_t, 16>& ip, uint16_t& port) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || (colon != 8 && colon != 32)) return false;
  for (size_t group = 0; group < colon / 8; ++group) {
    const std::optional<uint64_t> value = from_hex(text.substr(group * 8, 8));
    if (!value) return false;
    for (size_t i = 0; i < 4; ++i) ip[group * 4 + i] = static_cast<uint8_t>(*value >> (8 * i));
  }
  const std::optional<uint64_t> number = from_hex(text.substr(colon + 1));
  if (!number) return false;
  port = static_cast<uint16_t>(*number);
  return true;
}

// The number in "socket:[123]", "pipe:[123]".
std::optional<uint64_t> bracketed(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix) || !text.ends_with(']')) return std::nullopt;
  return parse_uint(text.substr(prefix.size(), text.size() - prefix.size() - 1));
}

uint32_t open_flags(uint64_t native) {
  static constexpr std::pair<uint64_t, uint32_t> kBits[] = {
      {02000, 8},    {04000, 64},     {010000, 16},    {04010000, 128},
      {040000, 512}, {0200000, 1024}, {0100000, 2048}, {02000000, 4096},
  };
  const uint64_t mode = native & 3;
  uint32_t out = mode == 1 ? 2 : mode == 2 ? 3 : 1;
  for (const auto& [bit, ours] : kBits)
    if ((native & bit) != 0) out |= ours;
  return out;
}

event::FdType anonymous_type(std::string_view target) {
  static constexpr std::pair<std::string_view, event::FdType> kKinds[] = {
      {"[eventfd]", event::FdType::eventfd},
      {"[eventpoll]", event::FdType::eventpoll},
      {"inotify", event::FdType::inotify},
      {"[signalfd]", event::FdType::signalfd},
      {"[timerfd]", event::FdType::timerfd},
      {"[io_uring]", event::FdType::io_uring},
      {"[userfaultfd]", event::FdType::userfaultfd},
      {"[pidfd]", event::FdType::pidfd},
      {"bpf", event::FdType::bpf},
  };
  for (const auto& [name, type] : kKinds)
    if (target.find(name) != std::string_view::npos) return type;
  return event::FdType::unsupported;
}

void describe_path(const std::string& link, const std::string& folder, int64_t fd,
                   std::string& name, event::FdEntry& out) {
  struct stat file{};
  if (stat(link.c_str(), &file) == 0) {
    out.ino = file.st_ino;
    out.dev = (major(file.st_dev) << 8) | (minor(file.st_dev) & 0xff) |
              ((minor(file.st_dev) & ~0xffu) << 12);
    out.type = S_ISDIR(file.st_mode)    ? event::FdType::directory
               : S_ISFIFO(file.st_mode) ? event::FdType::fifo
                                        : event::FdType::file_v2;
  } else {
    out.type = event::FdType::file_v2;
  }
  constexpr std::string_view kDeleted = " (deleted)";
  if (name.ends_with(kDeleted)) name.resize(name.size() - kDeleted.size());
  if (name.starts_with("/memfd:")) {
    out.type = event::FdType::memfd;
    name.erase(0, 1);
  }
  const Result<std::string> info = read_file(folder + "/fdinfo/" + std::to_string(fd), 65536);
  if (!info) return;
  const size_t at = info->find("flags:");
  if (at == std::string::npos) return;
  uint64_t native = 0;
  for (const char c : trim(std::string_view(*info).substr(at + 6, 16))) {
    if (c < '0' || c > '7') break;
    native = native * 8 + static_cast<uint64_t>(c - '0');
  }
  out.open_flags = open_flags(native);
}

}  // namespace

void SocketTable::read_inet(const std::string& path, event::L4Proto l4, bool is_ipv6) {
  const Result<std::string> text = read_file(path, kLargestTable);
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) {
    const std::vector<std::string_view> parts = words(line);
    if (parts.size() < 10 || sockets_.size() >= kMostSockets) continue;
    event::FdEntry entry;
    if (!read_end(parts[1], entry.source_ip, entry.source_port) ||
        !read_end(parts[2], entry.dest_ip, entry.dest_port))
      continue;
    const std::optional<uint64_t> inode = parse_uint(parts[9]);
    if (!inode || *inode == 0) continue;
    constexpr std::string_view kListening = "0A";
    const bool server = l4 == event::L4Proto::tcp && parts[3] == kListening;
    entry.ino = *inode;
    entry.l4 = l4;
    entry.type = is_ipv6 ? (server ? event::FdType::ipv6_server : event::FdType::ipv6_socket)
                         : (server ? event::FdType::ipv4_server : event::FdType::ipv4_socket);
    sockets_.insert_or_assign(*inode, entry);
  }
}

void SocketTable::read_unix(const std::string& path) {
  const Result<std::string> text = read_file(path, kLargestTable);
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) {
    const std::vector<std::string_view> parts = words(line);
    if (parts.size() < 7 || sockets_.size() >= kMostSockets) continue;
    const std::optional<uint64_t> inode = parse_uint(parts[6]);
    if (!inode) continue;
    event::FdEntry entry;
    entry.ino = *inode;
    entry.type = event::FdType::unix_socket;
    if (parts.size() > 7) {
      std::string_view name = parts[7];
      if (name.starts_with('@')) name.remove_prefix(1);
      entry.name = unix_paths_.insert_or_assign(*inode, std::string(name)).first->second;
    }
    sockets_.insert_or_assign(*inode, entry);
  }
}

void SocketTable::read_namespace(const std::string& process_folder) {
  if (!seen_.insert(target_of(process_folder + "/ns/net")).second) return;
  using event::L4Proto;
  const std::string net = process_folder + "/net/";
  read_inet(net + "tcp", L4Proto::tcp, false);
  read_inet(net + "tcp6", L4Proto::tcp, true);
  read_inet(net + "udp", L4Proto::udp, false);
  read_inet(net + "udp6", L4Proto::udp, true);
  read_inet(net + "raw", L4Proto::raw, false);
  read_inet(net + "raw6", L4Proto::raw, true);
  read_unix(net + "unix");
}

const event::FdEntry* SocketTable::find(const std::string& process_folder, uint64_t inode) {
  read_namespace(process_folder);
  const auto found = sockets_.find(inode);
  return found == sockets_.end() ? nullptr : &found->second;
}

void send_open_files(const std::string& proc, int64_t pid, SocketTable& sockets,
                     event::SnapshotSink& sink) {
  const std::string folder = proc + "/" + std::to_string(pid);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir((folder + "/fd").c_str()), closedir);
  if (!listing) return;
  while (const dirent* entry = readdir(listing.get())) {
    const std::optional<uint64_t> fd = parse_uint(entry->d_name);
    if (!fd) continue;
    const std::string link = folder + "/fd/" + entry->d_name;
    std::string name = target_of(link);
    if (name.empty()) continue;
    event::FdEntry out;
    if (const std::optional<uint64_t> inode = bracketed(name, "socket:[")) {
      if (const event::FdEntry* socket = sockets.find(folder, *inode))
        out = *socket;
      else
        continue;
    } else if (const std::optional<uint64_t> pipe = bracketed(name, "pipe:[")) {
      out.type = event::FdType::fifo;
      out.ino = *pipe;
      out.name = name;
    } else if (name.starts_with("anon_inode:")) {
      out.type = anonymous_type(name);
      out.name = name;
    } else if (name.starts_with('/')) {
      describe_path(link, folder, static_cast<int64_t>(*fd), name, out);
      out.name = name;
    } else {
      continue;
    }
    out.tid = pid;
    out.fd = static_cast<int64_t>(*fd);
    sink.on_fd(out);
  }
}

}  // namespace saker::procfs
