#include "capture/bpf/snapshot.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/log.h"
#include "base/strings.h"
#include "capture/bpf/iterator_items.h"
#include "procfs/threads.h"
#include "procfs/users.h"

namespace saker::capture {

namespace {

uint64_t now_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

void send_machine(event::SnapshotSink& sink) {
  utsname name{};
  uname(&name);
  event::MachineInfo info;
  info.cpus = static_cast<uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
  struct sysinfo memory{};
  sysinfo(&memory);
  info.memory_bytes = static_cast<uint64_t>(memory.totalram) * memory.mem_unit;
  info.hostname = name.nodename;
  info.boot_time_ns = boot_epoch_ns();
  if (Result<std::string> text = read_file("/proc/sys/kernel/pid_max", 64))
    info.max_pid = parse_uint(trim(*text)).value_or(0);
  sink.on_machine(info);
}

void send_interfaces(event::SnapshotSink& sink) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    event::InterfaceEntry out;
    out.is_ipv6 = family == AF_INET6;
    out.name = entry->ifa_name;
    const auto copy = [&](const sockaddr* from, std::array<uint8_t, 16>& to) {
      if (from == nullptr) return;
      if (out.is_ipv6)
        std::memcpy(to.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
      else
        std::memcpy(to.data(), &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
    };
    copy(entry->ifa_addr, out.address);
    copy(entry->ifa_netmask, out.netmask);
    sink.on_interface(out);
  }
}

}  // namespace

uint64_t boot_epoch_ns() {
  // Realtime is read between two readings of the boot clock; the tightest of a few tries counts.
  uint64_t best = UINT64_MAX, epoch = 0;
  for (int i = 0; i < 8; ++i) {
    const uint64_t before = now_ns(CLOCK_BOOTTIME);
    const uint64_t real = now_ns(CLOCK_REALTIME);
    const uint64_t after = now_ns(CLOCK_BOOTTIME);
    if (after - before >= best) continue;
    best = after - before;
    epoch = real - (before + (after - before) / 2);
  }
  return epoch;
}

Status send_snapshot(kernel::Probes& probes, event::SnapshotSink& sink) {
  send_machine(sink);
  send_interfaces(sink);
  procfs::send_users("/", sink);
  const uint64_t boot = boot_epoch_ns();
  Status tasks =
      probes.iterate(kernel::Iterator::tasks, [&](Bytes item) { send_task(item, boot, sink); });
  Status files;
  if (tasks.ok())
    files = probes.iterate(kernel::Iterator::files, [&](Bytes item) { send_file(item, sink); });
  if (tasks.ok() && files.ok()) return {};
  log::debug("reading processes from /proc: " +
             (tasks.ok() ? files.error().to_text() : tasks.error().to_text()));
  return procfs::send_all_threads("/proc", sink);
}

}  // namespace saker::capture
