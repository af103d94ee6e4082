#include "procfs/threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/strings.h"
#include "procfs/open_files.h"

namespace saker::procfs {

namespace {

constexpr size_t kLargestText = 256 * 1024;
constexpr size_t kMostArguments = 4096;

std::string read_text(const std::string& path) {
  Result<std::string> text = read_file(path, kLargestText);
  return text ? std::move(*text) : std::string();
}

std::string read_target(const std::string& path) {
  char target[4096];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<size_t>(length)) : std::string();
}

// The value of a "Name:\tvalue" line.
std::string_view line_value(std::string_view text, std::string_view name) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':')
      return trim(line.substr(name.size() + 1));
    at = end + 1;
  }
  return {};
}

// The n-th word of a value with several; the last one when n is too large.
std::string_view word(std::string_view value, size_t n) {
  std::string_view out;
  size_t at = 0;
  for (size_t i = 0; i <= n && at < value.size(); ++i) {
    while (at < value.size() && (value[at] == '\t' || value[at] == ' ')) ++at;
    size_t end = at;
    while (end < value.size() && value[end] != '\t' && value[end] != ' ') ++end;
    if (end > at) out = value.substr(at, end - at);
    at = end;
  }
  return out;
}

uint64_t number(std::string_view text, int base = 10) {
  uint64_t value = 0;
  for (const char c : text) {
    unsigned digit = 99;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
    if (digit >= static_cast<unsigned>(base)) break;
    value = value * static_cast<unsigned>(base) + digit;
  }
  return value;
}

uint64_t boot_time_ns() {
  timespec real{}, boot{};
  clock_gettime(CLOCK_REALTIME, &real);
  clock_gettime(CLOCK_BOOTTIME, &boot);
  const int64_t seconds = real.tv_sec - boot.tv_sec;
  return static_cast<uint64_t>(seconds * 1'000'000'000 + real.tv_nsec - boot.tv_nsec);
}

// A thread's texts, which the entry views.
struct ThreadTexts {
  std::string stat, status, command, environment, cgroup_file, cgroups, exe, cwd, root, comm;
};

// stat's fields follow the name in parentheses, which may hold anything.
void read_stat(std::string_view stat, event::ProcessEntry& out) {
  const size_t end = stat.rfind(')');
  if (end == std::string_view::npos || end + 2 >= stat.size()) return;
  const std::vector<std::string_view> fields = split(trim(stat.substr(end + 2)), ' ');
  if (fields.size() < 20) return;
  const auto field = [&](size_t number_in_manual) { return fields[number_in_manual - 3]; };
  out.pgid = static_cast<int64_t>(number(field(5)));
  out.sid = static_cast<int64_t>(number(field(6)));
  out.tty = static_cast<uint32_t>(number(field(7)));
  out.pfminor = number(field(10));
  out.pfmajor = number(field(12));
  static const auto ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  if (fields.size() >= 20 && ticks != 0)
    out.clone_ts = boot_time_ns() + number(field(22)) * (1'000'000'000 / ticks);
}

void read_status(std::string_view status, event::ProcessEntry& out) {
  const auto value = [&](std::string_view name) { return line_value(status, name); };
  out.pid = static_cast<int64_t>(number(value("Tgid")));
  out.ptid = static_cast<int64_t>(number(value("PPid")));
  out.uid = static_cast<uint32_t>(number(word(value("Uid"), 1)));
  out.gid = static_cast<uint32_t>(number(word(value("Gid"), 1)));
  out.vtid = static_cast<int64_t>(number(word(value("NSpid"), 31)));
  out.vpid = static_cast<int64_t>(number(word(value("NStgid"), 31)));
  out.vpgid = static_cast<int64_t>(number(word(value("NSpgid"), 31)));
  out.vmsize_kb = static_cast<uint32_t>(number(value("VmSize")));
  out.vmrss_kb = static_cast<uint32_t>(number(value("VmRSS")));
  out.vmswap_kb = static_cast<uint32_t>(number(value("VmSwap")));
  out.cap_inheritable = number(value("CapInh"), 16);
  out.cap_permitted = number(value("CapPrm"), 16);
  out.cap_effective = number(value("CapEff"), 16);
}

// "4:memory:/a" and "0::/b" as "memory=/a" NUL "unified=/b" NUL.
std::string cgroup_list(std::string_view text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view names = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (names.starts_with("name=")) continue;
    for (std::string_view name : split(names, ',')) {
      if (name.empty()) name = "unified";
      if (name == "blkio") name = "io";
      out.append(name).append("=").append(path).push_back('\0');
    }
  }
  return out;
}

void read_executable(const std::string& folder, ThreadTexts& texts, event::ProcessEntry& out) {
  constexpr std::string_view kDeleted = " (deleted)", kMemfd = "/memfd:";
  texts.exe = read_target(folder + "/exe");
  if (texts.exe.ends_with(kDeleted)) texts.exe.resize(texts.exe.size() - kDeleted.size());
  out.exe_from_memfd = texts.exe.starts_with(kMemfd);
  if (out.exe_from_memfd) texts.exe.erase(0, 1);
  struct stat file{};
  if (stat((folder + "/exe").c_str(), &file) == 0) {
    out.exe_ino = file.st_ino;
    out.exe_ino_ctime = static_cast<uint64_t>(file.st_ctim.tv_sec) * 1'000'000'000 +
                        static_cast<uint64_t>(file.st_ctim.tv_nsec);
    out.exe_ino_mtime = static_cast<uint64_t>(file.st_mtim.tv_sec) * 1'000'000'000 +
                        static_cast<uint64_t>(file.st_mtim.tv_nsec);
    const uint32_t class_bits = file.st_gid == out.gid ? 0020 : 0002;
    constexpr uint64_t kDacOverride = 1 << 1, kFowner = 1 << 3;
    out.exe_writable = file.st_uid == out.uid || (file.st_mode & class_bits) != 0 ||
                       (out.cap_effective & (kDacOverride | kFowner)) != 0;
  }
  out.exepath = texts.exe;
}

// False when it is gone or a kernel thread.
bool send_thread(const std::string& proc, int64_t pid, int64_t tid, event::SnapshotSink& sink) {
  const std::string folder = proc + "/" + std::to_string(pid) + "/task/" + std::to_string(tid);
  ThreadTexts texts;
  texts.status = read_text(folder + "/status");
  texts.stat = read_text(folder + "/stat");
  if (texts.status.empty() || texts.stat.empty()) return false;
  event::ProcessEntry out;
  out.tid = tid;
  read_status(texts.status, out);
  read_stat(texts.stat, out);
  constexpr int64_t kKernelThreads = 2;
  if (line_value(texts.status, "VmSize").empty() &&
      (tid == kKernelThreads || out.ptid == kKernelThreads))
    return false;
  texts.comm = read_text(folder + "/comm");
  out.comm = trim(texts.comm);
  texts.command = read_text(folder + "/cmdline");
  texts.command.resize(std::min(texts.command.size(), kMostArguments));
  const std::string_view command = texts.command;
  const size_t end = command.find('\0');
  out.exe = command.substr(0, end);
  if (end != std::string_view::npos) out.args = command.substr(end + 1);
  texts.environment = read_text(folder + "/environ");
  texts.environment.resize(std::min(texts.environment.size(), kMostArguments));
  out.env = texts.environment;
  texts.cgroups = cgroup_list(read_text(folder + "/cgroup"));
  out.cgroups = texts.cgroups;
  texts.cwd = read_target(folder + "/cwd");
  out.cwd = texts.cwd;
  texts.root = read_target(folder + "/root");
  out.root = texts.root;
  const std::string login = read_text(folder + "/loginuid");
  if (!login.empty()) out.loginuid = static_cast<uint32_t>(number(login));
  const std::string limits = read_text(folder + "/limits");
  if (const size_t at = limits.find("Max open files"); at != std::string::npos)
    out.fdlimit = number(word(std::string_view(limits).substr(at + 14), 0));
  read_executable(folder, texts, out);
  sink.on_process(out);
  return true;
}

std::vector<int64_t> numbers_in(const std::string& folder) {
  std::vector<int64_t> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(folder.c_str()), closedir);
  if (!listing) return out;
  while (const dirent* entry = readdir(listing.get())) {
    if (const std::optional<uint64_t> value = parse_uint(entry->d_name);
        value && entry->d_name[0] != '0')
      out.push_back(static_cast<int64_t>(*value));
  }
  return out;
}

}  // namespace

bool look_up_thread(const std::string& proc, int64_t tid, event::SnapshotSink& sink) {
  if (tid <= 0) return false;
  // /proc/TID is there for threads too, though not listed.
  const std::string status = read_text(proc + "/" + std::to_string(tid) + "/status");
  const auto pid = static_cast<int64_t>(number(line_value(status, "Tgid")));
  if (pid <= 0) return false;
  if (pid != tid && !send_thread(proc, pid, pid, sink)) return false;
  if (!send_thread(proc, pid, tid, sink)) return false;
  SocketTable sockets;
  send_open_files(proc, pid, sockets, sink);
  return true;
}

Status send_all_threads(const std::string& proc, event::SnapshotSink& sink) {
  const std::vector<int64_t> pids = numbers_in(proc);
  if (pids.empty())
    return Error{
        .code = Code::io, .message = proc + " holds no processes", .hint = "is it mounted?"};
  std::vector<int64_t> sent;
  for (const int64_t pid : pids) {
    if (!send_thread(proc, pid, pid, sink)) continue;
    sent.push_back(pid);
    for (const int64_t tid : numbers_in(proc + "/" + std::to_string(pid) + "/task"))
      if (tid != pid) send_thread(proc, pid, tid, sink);
  }
  SocketTable sockets;
  for (const int64_t pid : sent) send_open_files(proc, pid, sockets, sink);
  return {};
}

}  // namespace saker::procfs
