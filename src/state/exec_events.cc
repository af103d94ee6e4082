// execve and execveat, and the end of threads.
#include "state/world.h"

namespace saker::state {

namespace {

using namespace event;

// Parameters of execve; execveat lacks the last.
enum : size_t {
  kRes,
  kExe,
  kArgs,
  kTid,
  kPid,
  kPtid,
  kCwd,
  kFdLimit,
  kFaultsMajor,
  kFaultsMinor,
  kVmSize,
  kVmRss,
  kVmSwap,
  kComm,
  kCgroups,
  kEnv,
  kTty,
  kVpgid,
  kLoginuid,
  kFlags,
  kCapInheritable,
  kCapPermitted,
  kCapEffective,
  kIno,
  kCtime,
  kMtime,
  kUid,
  kTrustedExepath,
  kPgid,
  kGid,
  kFilename,
};

enum ExecFlags : uint32_t { kWritable = 1, kUpperLayer = 2, kFromMemfd = 4, kLowerLayer = 8 };

// The path of the program: what the kernel found, else what was asked for.
void find_exepath(World& world, Thread& thread, const Event& event, std::string& exepath) {
  if (std::string_view trusted = event.text(kTrustedExepath); !trusted.empty()) {
    exepath.assign(trusted.substr(0, 4096));
    return;
  }
  std::string_view path = event.text(kFilename);
  std::string_view base = thread.leader->cwd;
  if (path.empty() && thread.enter && thread.enter->type != 0) {
    path = thread.enter->path;
    if (thread.enter->dirfd != kAtFdCwd && !path.starts_with('/'))
      base = base_of_dirfd(world, thread, thread.enter->dirfd, world.scratch);
  }
  if (path.empty()) return;  // not known
  if (path == "<NA>") {
    exepath = path;
    return;
  }
  concatenate_paths(base, path, exepath);
}

void set_image(World& world, Thread& thread, const Event& event) {
  Ref<Image> image = world.new_image();
  world.set_texts(*image, event.text(kExe), as_text(event.param(kArgs)),
                  as_text(event.param(kEnv)));
  find_exepath(world, thread, event, image->exepath);
  const auto flags = event.get<uint32_t>(kFlags);
  image->exe_writable = (flags & kWritable) != 0;
  image->exe_upper_layer = (flags & kUpperLayer) != 0;
  image->exe_lower_layer = (flags & kLowerLayer) != 0;
  image->exe_from_memfd = (flags & kFromMemfd) != 0;
  image->exe_ino = event.get<uint64_t>(kIno);
  image->exe_ino_ctime = event.get<uint64_t>(kCtime);
  image->exe_ino_mtime = event.get<uint64_t>(kMtime);
  if (thread.clone_ts > image->exe_ino_ctime)
    image->ctime_duration_clone_ts = thread.clone_ts - image->exe_ino_ctime;
  if (thread.pidns_init_start_ts != 0 && image->exe_ino_ctime > thread.pidns_init_start_ts)
    image->ctime_duration_pidns_start = image->exe_ino_ctime - thread.pidns_init_start_ts;
  thread.image = std::move(image);
}

void set_credentials(Thread& thread, const Event& event) {
  thread.tty = event.get<uint32_t>(kTty, thread.tty);
  thread.vpgid = event.get<int64_t>(kVpgid, thread.vpgid);
  thread.pgid = event.get<int64_t>(kPgid, thread.pgid);
  thread.loginuid = event.get<uint32_t>(kLoginuid, thread.loginuid);
  thread.cap_inheritable = event.get<uint64_t>(kCapInheritable, thread.cap_inheritable);
  thread.cap_permitted = event.get<uint64_t>(kCapPermitted, thread.cap_permitted);
  thread.cap_effective = event.get<uint64_t>(kCapEffective, thread.cap_effective);
  thread.uid = event.get<uint32_t>(kUid, thread.uid);
  thread.gid = event.get<uint32_t>(kGid, thread.gid);
}

void set_counters(Thread& thread, const Event& event) {
  thread.fdlimit = event.get<uint64_t>(kFdLimit, thread.fdlimit);
  thread.pfmajor = event.get<uint64_t>(kFaultsMajor, thread.pfmajor);
  thread.pfminor = event.get<uint64_t>(kFaultsMinor, thread.pfminor);
  thread.vmsize_kb = event.get<uint32_t>(kVmSize, thread.vmsize_kb);
  thread.vmrss_kb = event.get<uint32_t>(kVmRss, thread.vmrss_kb);
  thread.vmswap_kb = event.get<uint32_t>(kVmSwap, thread.vmswap_kb);
}

void close_on_exec(World& world, Thread& thread) {
  const FdTable* table = thread.leader->fds.get();
  if (table == nullptr) return;
  std::vector<int64_t> gone;
  table->for_each([&](int64_t number, const Ref<Fd>& fd) {
    if (fd->cloexec) gone.push_back(number);
    return true;
  });
  for (int64_t number : gone) world.remove_fd(thread, number);
}

// The calling thread becomes the only one, under the number of the main thread.
void become_process(World& world, Thread& thread, const Event& event) {
  const int64_t pid = event.get<int64_t>(kPid, thread.tid);
  if (thread.placeholder || thread.pid < 0) {
    world.become_real(thread);
    world.set_group(thread, pid);
    world.set_parent(thread, event.get<int64_t>(kPtid, -1));
    if (thread.vtid < 0) thread.vtid = thread.tid;
    if (thread.vpid < 0) thread.vpid = thread.pid;
  }
  world.remove_other_threads(thread);
  if (thread.dead) {  // the main thread had exited before another thread called exec
    thread.dead = false;
    ++thread.leader->live_threads;
  }
}

void on_exec(World& world, const Event& event, Thread& thread) {
  if (event.get<int64_t>(kRes, -1) < 0) return;
  become_process(world, thread, event);
  const bool leads =
      thread.sid == thread.tid || thread.pgid == thread.tid || thread.vpgid == thread.tid;
  thread.comm = event.text(kComm).substr(0, 64);
  set_credentials(thread, event);
  set_counters(thread, event);
  set_image(world, thread, event);
  thread.lastexec_ts = event.timestamp;
  const Bytes cgroups = event.param(kCgroups);
  if (!cgroups.empty()) world.set_cgroups(thread, as_text(cgroups));
  close_on_exec(world, thread);
  if (thread.enter) thread.enter->type = 0;
  world.touch(thread, true);
  if (leads) world.touch_all();
}

void on_exec_enter(World& /*world*/, const Event& event, Thread& thread) {
  if (!thread.enter) thread.enter = std::make_unique<EnterCopy>();
  const bool at = event.type == SYSCALL_EXECVEAT_E;
  thread.enter->type = event.type;
  thread.enter->path = event.text(at ? 1 : 0).substr(0, 4096);
  thread.enter->dirfd = at ? event.get<int64_t>(0, kAtFdCwd) : kAtFdCwd;
}

void on_exit(World& world, const Event& event, Thread& thread) {
  world.mark_dead(thread);
  thread.reaper_tid = event.get<int64_t>(4, -1);
  world.exits.add(thread.tid, event.timestamp);
  world.pending = {.kind = Pending::Kind::exit, .tid = thread.tid};
}

}  // namespace

void add_exec_steps(Step* steps) {
  steps[SYSCALL_EXECVE_19_X].handle = on_exec;
  steps[SYSCALL_EXECVEAT_X].handle = on_exec;
  steps[SYSCALL_EXECVE_19_E].handle = on_exec_enter;
  steps[SYSCALL_EXECVEAT_E].handle = on_exec_enter;
  steps[PROCEXIT_1_E] = {.handle = on_exit, .who = Step::Who::know};
}

}  // namespace saker::state
