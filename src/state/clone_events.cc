// clone, clone3, fork, vfork: seen from the parent (the result is the child's tid) and from the
// child (the result is 0). Whichever side comes first makes the child's record.
#include "state/world.h"

namespace saker::state {

namespace {

using namespace event;

// Parameters of the clone family.
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
  kFlags,
  kUid,
  kGid,
  kVtid,
  kVpid,
  kPidnsStart,
};

enum CloneFlags : uint32_t {
  kNewPid = 64,
  kCloneParent = 256,
  kCloneThread = 8192,
  kCloneVfork = 134217728,
  kChildInPidns = 536870912,
};

// A record that another side of the same clone made is younger than this.
constexpr int64_t kFresh = 2'000'000'000;

bool is_fresh(const Thread& thread, uint64_t timestamp) {
  return thread.clone_ts != 0 && static_cast<int64_t>(timestamp - thread.clone_ts) < kFresh;
}

// What an exec set and the fork copied: the parent's image itself when exe and args are its own.
Ref<Image> inherit_image(World& world, const Image* base, const Event& event) {
  const std::string_view exe = event.text(kExe);
  const std::string_view args = as_text(event.param(kArgs));
  if (base != nullptr && base->exe == exe && base->args == args)
    return Ref<Image>(const_cast<Image*>(base));
  Ref<Image> image = world.new_image();
  if (base != nullptr) {
    const size_t charged = image->charged;
    TextBudget* budget = image->budget;
    const uint32_t references = image->references;
    *image = *base;
    image->references = references;
    image->budget = budget;
    image->charged = charged;
  }
  world.set_texts(*image, exe, args, base != nullptr ? std::string_view(base->env) : "");
  return image;
}

void copy_from_event(World& world, Thread& thread, const Event& event) {
  thread.comm = event.text(kComm).substr(0, 64);
  thread.fdlimit = event.get<uint64_t>(kFdLimit, thread.fdlimit);
  thread.pfmajor = event.get<uint64_t>(kFaultsMajor, thread.pfmajor);
  thread.pfminor = event.get<uint64_t>(kFaultsMinor, thread.pfminor);
  thread.vmsize_kb = event.get<uint32_t>(kVmSize, thread.vmsize_kb);
  thread.vmrss_kb = event.get<uint32_t>(kVmRss, thread.vmrss_kb);
  thread.vmswap_kb = event.get<uint32_t>(kVmSwap, thread.vmswap_kb);
  thread.uid = event.get<uint32_t>(kUid, thread.uid);
  thread.gid = event.get<uint32_t>(kGid, thread.gid);
  const Bytes cgroups = event.param(kCgroups);
  if (!cgroups.empty()) world.set_cgroups(thread, as_text(cgroups));
}

// What only the record of the parent (or of the main thread, for a thread) can tell.
void copy_from_record(Thread& thread, const Thread& from) {
  thread.sid = from.sid;
  thread.pgid = from.pgid;
  thread.vpgid = from.vpgid;
  thread.tty = from.tty;
  thread.loginuid = from.loginuid;
  thread.cap_inheritable = from.cap_inheritable;
  thread.cap_permitted = from.cap_permitted;
  thread.cap_effective = from.cap_effective;
  thread.root = from.root;
  thread.cgroups = from.cgroups;
  thread.fdlimit = from.fdlimit;
  thread.pidns_init_start_ts = from.pidns_init_start_ts;
}

// A new record for `tid`, whatever had that number before.
Thread* fresh_record(World& world, int64_t tid, uint64_t timestamp) {
  if (Thread* old = world.threads.find(tid)) world.remove_process(*old);
  if (Thread* old = world.threads.find(tid)) world.remove_process(*old);  // a dead main thread
  if (world.threads.find(tid) != nullptr) return nullptr;
  Thread* thread = world.add_thread(tid);
  if (thread != nullptr) thread->last_access_ts = timestamp;
  return thread;
}

void fill_child(World& world, Thread& child, const Thread& from, const Event& event, int64_t pid,
                int64_t ptid) {
  const auto flags = event.get<uint32_t>(kFlags);
  const bool is_thread = (flags & kCloneThread) != 0;
  child.flags = flags;
  child.clone_ts = event.timestamp;
  child.last_access_ts = event.timestamp;
  copy_from_record(child, from);
  child.image = inherit_image(world, from.image.get(), event);
  if (is_thread) {
    child.lastexec_ts = from.lastexec_ts;
  } else {
    child.cwd = from.leader->cwd;
    child.fds = from.leader->fds;
  }
  world.set_group(child, pid);
  world.set_parent(child, ptid);
  copy_from_event(world, child, event);
}

// What the event tells of its own thread, for one that the capture never told of.
void repair(World& world, Thread& thread, const Event& event) {
  if (!thread.placeholder) return;
  world.become_real(thread);
  thread.image = inherit_image(world, nullptr, event);
  world.set_group(thread, event.get<int64_t>(kPid, -1));
  world.set_parent(thread, event.get<int64_t>(kPtid, -1));
  thread.vtid = event.get<int64_t>(kVtid, thread.tid);
  thread.vpid = event.get<int64_t>(kVpid, thread.pid);
  copy_from_event(world, thread, event);
  world.touch(thread, true);
}

void child_side(World& world, const Event& event) {
  const int64_t tid = event.tid;
  if (tid < 0) return;
  Thread* existing = world.threads.find(tid);
  if (existing != nullptr && !existing->placeholder && !existing->dead &&
      is_fresh(*existing, event.timestamp)) {
    world.applied.thread = existing;
    return;
  }
  const auto flags = event.get<uint32_t>(kFlags);
  const int64_t pid = event.get<int64_t>(kPid, tid);
  const int64_t ptid = event.get<int64_t>(kPtid, -1);
  const int64_t from_tid = (flags & kCloneThread) != 0 ? pid : ptid;
  Thread* child = fresh_record(world, tid, event.timestamp);
  if (child == nullptr) return;
  world.applied.thread = child;
  Thread* from = from_tid == tid ? child : world.thread_or_placeholder(from_tid, event.timestamp);
  if (from == nullptr) from = child;
  fill_child(world, *child, *from, event, pid, ptid);
  child->vtid = event.get<int64_t>(kVtid, tid);
  child->vpid = event.get<int64_t>(kVpid, pid);
  const auto start = event.get<uint64_t>(kPidnsStart);
  const bool in_pidns = (flags & kChildInPidns) != 0 || child->vtid != tid;
  child->pidns_init_start_ts = world.machine.boot_time_ns + (in_pidns ? start : 0);
}

void parent_side(World& world, const Event& event, int64_t child_tid) {
  Thread* caller = world.thread_or_placeholder(event.tid, event.timestamp);
  world.applied.thread = caller;
  if (caller == nullptr) return;
  repair(world, *caller, event);
  const auto flags = event.get<uint32_t>(kFlags);
  const bool is_thread = (flags & kCloneThread) != 0;
  // The result is a number of the caller's pid namespace, which need not be the host's; and a
  // vfork's parent runs on when the child has long become something else.
  if ((flags & (kNewPid | kCloneParent | kChildInPidns | kCloneVfork)) != 0 ||
      event.type == SYSCALL_VFORK_20_X || caller->tid != caller->vtid || child_tid == caller->tid)
    return;
  Thread* existing = world.threads.find(child_tid);
  if (existing != nullptr && !existing->dead && !existing->placeholder &&
      is_fresh(*existing, event.timestamp))
    return;
  if (world.exits.contains(child_tid, event.timestamp)) return;
  if (existing == caller->leader) return;
  Thread* child = fresh_record(world, child_tid, event.timestamp);
  if (child == nullptr) return;
  caller = world.threads.find(event.tid);
  world.applied.thread = caller;
  if (caller == nullptr) {  // a dead main thread, whose last thread had the child's number
    world.remove_process(*child);
    return;
  }
  const Thread& from = is_thread ? *caller->leader : *caller;
  fill_child(world, *child, from, event, is_thread ? caller->pid : child_tid,
             is_thread ? caller->ptid : caller->tid);
  child->vtid = child->tid;
  child->vpid = child->pid;
}

void on_clone(World& world, const Event& event) {
  const int64_t result = event.get<int64_t>(kRes, -1);
  if (result < 0) return;
  world.applied.thread = nullptr;  // its record may be replaced
  if (result == 0) child_side(world, event);
  if (result > 0) parent_side(world, event, result);
}

}  // namespace

void add_process_steps(Step* steps) {
  for (uint16_t type :
       {SYSCALL_CLONE_20_X, SYSCALL_CLONE3_X, SYSCALL_FORK_20_X, SYSCALL_VFORK_20_X})
    steps[type] = {.who = Step::Who::know, .handle_alone = on_clone};
}

}  // namespace saker::state
