// What live capture needs of a machine, tried one by one.
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/strings.h"
#include "kernel/probes.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

namespace saker::kernel {

namespace {

int quiet(libbpf_print_level, const char*, va_list) {
  return 0;
}

SupportRow kernel_version() {
  utsname name{};
  uname(&name);
  unsigned major = 0, minor = 0;
  sscanf(name.release, "%u.%u", &major, &minor);
  const bool ok = major > 5 || (major == 5 && minor >= 18);
  return {"kernel", ok, name.release, ok ? "" : "live capture needs Linux 5.18 or newer"};
}

SupportRow type_information() {
  const bool ok = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
  return {"type information (BTF)", ok,
          ok ? "/sys/kernel/btf/vmlinux" : "there is no /sys/kernel/btf/vmlinux",
          ok ? "" : "use a kernel built with CONFIG_DEBUG_INFO_BTF=y"};
}

SupportRow capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  syscall(SYS_capget, &header, data);
  const auto has = [&](unsigned bit) {
    return ((data[bit / 32].effective >> (bit % 32)) & 1) != 0;
  };
  constexpr std::pair<unsigned, std::string_view> kNeeded[] = {
      {39, "CAP_BPF"}, {38, "CAP_PERFMON"}, {19, "CAP_SYS_PTRACE"}};
  std::string missing;
  const bool admin = has(21);
  for (const auto& [bit, name] : kNeeded)
    if (!has(bit) && !(admin && bit != 19))
      missing += (missing.empty() ? "" : ", ") + std::string(name);
  return {"privileges", missing.empty(), missing.empty() ? "enough" : "missing: " + missing,
          missing.empty() ? "" : "run it by sudo as root, or give the program these capabilities"};
}

SupportRow lockdown() {
  const Result<std::string> text = read_file("/sys/kernel/security/lockdown", 256);
  if (!text) return {"lockdown", true, "not built in", ""};
  const bool blocks = text->find("[confidentiality]") != std::string::npos;
  return {
      "lockdown", !blocks, std::string(trim(*text)),
      blocks ? "lockdown=confidentiality forbids reading kernel memory; boot with integrity or none"
             : ""};
}

SupportRow ring_buffer() {
  const int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "saker_probe", 0, 0, 65536, nullptr);
  if (fd < 0 && errno == EPERM) return {"ring buffer", false, "not permitted", "see privileges"};
  if (fd < 0)
    return {"ring buffer", false, std::strerror(errno), "ring buffers came with Linux 5.8"};
  close(fd);
  return {"ring buffer", true, "can be made", ""};
}

SupportRow hooks() {
  btf* types = btf__load_vmlinux_btf();
  std::string missing;
  for (const char* name : {"btf_trace_sys_exit", "btf_trace_sched_process_exec",
                           "btf_trace_sched_process_fork", "btf_trace_sched_process_exit"}) {
    if (types == nullptr || btf__find_by_name_kind(types, name, BTF_KIND_TYPEDEF) < 0)
      missing += std::string(missing.empty() ? "" : ", ") + (name + std::strlen("btf_trace_"));
  }
  btf__free(types);
  return {"trace points", missing.empty(),
          missing.empty() ? "sys_exit, exec, fork, exit" : "missing: " + missing,
          missing.empty() ? "" : "the kernel needs CONFIG_FTRACE_SYSCALLS=y and type information"};
}

SupportRow programs() {
  Result<std::unique_ptr<Probes>> probes =
      Probes::open({.file_ring = 65536, .process_ring = 65536});
  Status loaded = probes ? (*probes)->load() : Status(probes.error());
  if (!loaded.ok()) return {"programs", false, loaded.error().message, "see the rows above"};
  return {"programs", true, "all verified by the kernel", ""};
}

}  // namespace

Status check_support() {
  libbpf_set_print(quiet);
  for (SupportRow (*probe)() :
       {kernel_version, type_information, capabilities, lockdown, ring_buffer}) {
    SupportRow row = probe();
    if (row.ok) continue;
    return Error{.code = probe == capabilities ? Code::denied : Code::unsupported,
                 .message = "this machine can't be watched: " + row.name + ": " + row.detail,
                 .hint = row.advice + "; 'saker doctor' tells more"};
  }
  return {};
}

std::vector<SupportRow> probe_support() {
  libbpf_set_print(quiet);
  std::vector<SupportRow> rows = {kernel_version(), type_information(), capabilities(),
                                  lockdown(),       ring_buffer(),      hooks()};
  rows.push_back(programs());
  return rows;
}

}  // namespace saker::kernel
