#include "agent/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace saker::agent {

namespace {
// CAP_BPF and CAP_PERFMON are 39 and 38 on kernels from 5.8; older headers don't name them.
constexpr unsigned kCapPerfmon = 38, kCapBpf = 39, kLastCap = 40;
constexpr std::initializer_list<unsigned> kKept = {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, kCapPerfmon,
                                                   kCapBpf, CAP_SYS_RESOURCE};
}  // namespace

Status drop_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return errno_error("cannot set no_new_privs", errno);
  uint64_t kept = 0;
  for (unsigned capability : kKept) kept |= uint64_t{1} << capability;
  for (unsigned capability = 0; capability <= kLastCap; ++capability)
    if ((kept >> capability & 1) == 0) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[2] = {};
  if (::syscall(SYS_capget, &header, held) != 0)
    return errno_error("cannot read the capabilities", errno);
  for (int word = 0; word < 2; ++word) {
    const auto mask = static_cast<uint32_t>(kept >> (32 * word));
    held[word].permitted &= mask;
    held[word].effective &= mask;
    held[word].inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, held) != 0)
    return errno_error("cannot drop capabilities", errno);
  return {};
}

}  // namespace saker::agent
