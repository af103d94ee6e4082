// Calls that change a thread's credentials, limits, namespaces, working directory or counters.
#include "state/world.h"

namespace saker::state {

namespace {

using namespace event;

constexpr uint64_t kAllCapabilities = (uint64_t{1} << 41) - 1;
constexpr uint8_t kNoFile = 7;
constexpr uint32_t kNewUser = 1048576;
constexpr uint32_t kSetChildSubreaper = 36;

bool succeeded(const Event& event) {
  return event.get<int64_t>(0, -1) >= 0;
}

template <size_t kIndex>
void on_set_uid(World& world, const Event& event, Thread& thread) {
  if (!succeeded(event)) return;
  thread.uid = event.get<uint32_t>(kIndex, thread.uid);
  world.touch(thread, false);
}

template <size_t kIndex>
void on_set_gid(World& world, const Event& event, Thread& thread) {
  if (!succeeded(event)) return;
  thread.gid = event.get<uint32_t>(kIndex, thread.gid);
  world.touch(thread, false);
}

void on_capset(World& world, const Event& event, Thread& thread) {
  if (!succeeded(event)) return;
  thread.cap_inheritable = event.get<uint64_t>(1, thread.cap_inheritable);
  thread.cap_permitted = event.get<uint64_t>(2, thread.cap_permitted);
  thread.cap_effective = event.get<uint64_t>(3, thread.cap_effective);
  world.touch(thread, false);
}

// In a new user namespace a thread may do everything.
template <size_t kFlagsIndex>
void on_namespace(World& world, const Event& event, Thread& thread) {
  if (!succeeded(event) || (event.get<uint32_t>(kFlagsIndex) & kNewUser) == 0) return;
  thread.cap_inheritable = thread.cap_permitted = thread.cap_effective = kAllCapabilities;
  world.touch(thread, false);
}

void on_setsid(World& world, const Event& event, Thread& thread) {
  if (!succeeded(event)) return;
  thread.sid = event.get<int64_t>(0);
  world.touch(thread, false);
}

void on_prctl(World& /*world*/, const Event& event, Thread& thread) {
  if (succeeded(event) && event.get<uint32_t>(1) == kSetChildSubreaper)
    thread.leader->is_subreaper = event.get<int64_t>(3) != 0;
}

// A limit is the process's: all its threads have it.
void set_fd_limit(Thread& thread, uint64_t limit) {
  constexpr int kMostThreads = 4096;
  Thread* at = &thread;
  for (int i = 0; i < kMostThreads; ++i) {
    at->fdlimit = limit;
    at = at->group_next;
    if (at == &thread) break;
  }
}

void on_rlimit(World& /*world*/, const Event& event, Thread& thread) {
  if (succeeded(event) && event.get<uint8_t>(3, 0xff) == kNoFile)
    set_fd_limit(thread, event.get<uint64_t>(1, thread.fdlimit));
}

// A call that only asks has a new limit of 0 in the event, which is taken for a limit all the same:
// so does the reference.
void on_prlimit(World& world, const Event& event, Thread& thread) {
  if (!succeeded(event) || event.get<uint8_t>(6, 0xff) != kNoFile) return;
  const int64_t limit = event.get<int64_t>(1, -1);
  const int64_t pid = event.get<int64_t>(5);
  Thread* target = pid == 0 ? &thread : world.threads.find(pid);
  if (limit != -1 && target != nullptr) set_fd_limit(*target, static_cast<uint64_t>(limit));
}

// The base has a slash at its end, so that paths can be put behind it.
void change_directory(Thread& thread, std::string_view path, std::string& scratch) {
  std::string& cwd = thread.leader->cwd;
  concatenate_paths(cwd, path, scratch);
  if (!scratch.ends_with('/')) scratch.push_back('/');
  cwd = scratch;
}

void on_chdir(World& world, const Event& event, Thread& thread) {
  if (succeeded(event)) change_directory(thread, event.text(1), world.scratch);
}

void on_fchdir(World& world, const Event& event, Thread& thread) {
  if (succeeded(event) && world.applied.fd != nullptr)
    change_directory(thread, world.applied.fd->name, world.scratch);
}

void on_chroot(World& /*world*/, const Event& event, Thread& thread) {
  if (succeeded(event)) concatenate_paths(thread.leader->cwd, event.text(1), thread.root);
}

// brk, mmap, munmap: of the process.
void on_memory(World& /*world*/, const Event& event, Thread& thread) {
  Thread& process = *thread.leader;
  process.vmsize_kb = event.get<uint32_t>(1, process.vmsize_kb);
  process.vmrss_kb = event.get<uint32_t>(2, process.vmrss_kb);
  process.vmswap_kb = event.get<uint32_t>(3, process.vmswap_kb);
}

void on_switch(World& /*world*/, const Event& event, Thread& thread) {
  thread.pfmajor = event.get<uint64_t>(1, thread.pfmajor);
  thread.pfminor = event.get<uint64_t>(2, thread.pfminor);
  Thread& process = *thread.leader;
  process.vmsize_kb = event.get<uint32_t>(3, process.vmsize_kb);
  process.vmrss_kb = event.get<uint32_t>(4, process.vmrss_kb);
  process.vmswap_kb = event.get<uint32_t>(5, process.vmswap_kb);
}

}  // namespace

void add_credential_steps(Step* steps) {
  steps[SYSCALL_SETUID_X].handle = on_set_uid<1>;
  steps[SYSCALL_SETREUID_X].handle = on_set_uid<2>;
  steps[SYSCALL_SETRESUID_X].handle = on_set_uid<2>;
  steps[SYSCALL_SETGID_X].handle = on_set_gid<1>;
  steps[SYSCALL_SETREGID_X].handle = on_set_gid<2>;
  steps[SYSCALL_SETRESGID_X].handle = on_set_gid<2>;
  steps[SYSCALL_CAPSET_X].handle = on_capset;
  steps[SYSCALL_SETNS_X].handle = on_namespace<2>;
  steps[SYSCALL_UNSHARE_X].handle = on_namespace<1>;
  steps[SYSCALL_SETSID_X].handle = on_setsid;
  steps[SYSCALL_PRCTL_X].handle = on_prctl;
  steps[SYSCALL_GETRLIMIT_X].handle = on_rlimit;
  steps[SYSCALL_SETRLIMIT_X].handle = on_rlimit;
  steps[SYSCALL_PRLIMIT_X].handle = on_prlimit;
  steps[SYSCALL_CHDIR_X].handle = on_chdir;
  steps[SYSCALL_GETCWD_X].handle = on_chdir;
  steps[SYSCALL_FCHDIR_X].handle = on_fchdir;
  steps[SYSCALL_CHROOT_X].handle = on_chroot;
  for (uint16_t type : {SYSCALL_BRK_4_X, SYSCALL_MMAP_X, SYSCALL_MMAP2_X, SYSCALL_MUNMAP_X})
    steps[type].handle = on_memory;
  steps[SCHEDSWITCH_6_E] = {.handle = on_switch, .who = Step::Who::know};
}

}  // namespace saker::state
