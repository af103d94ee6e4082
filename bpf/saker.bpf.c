// The programs: one on every system call's exit, and those of process life. A call that nobody wants leaves by the first
// look-up.
#include "ops.h"
#include "iterators.h"

char LICENSE[] SEC("license") = "GPL";

enum { kCompatMark = 2, kClone = 56, kFork = 57, kVfork = 58, kExecve = 59, kExecveat = 322, kClone3 = 435 };
enum { kSendmmsg = 307, kRecvmmsg = 299, kCompatSocketcall = 102 };

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, u32);
} handlers SEC(".maps");

ALWAYS int is_tracked(u32 tgid) { return !control.only_tracked || bpf_map_lookup_elem(&tracked, &tgid) != 0; }

ALWAYS int ports_match(struct Record *r) {
  if (!r->has_ports) return 1;
  const u32 a = r->ports[0], b = r->ports[1];
  return ((port_bits[a >> 3] >> (a & 7)) & 1) || ((port_bits[b >> 3] >> (b & 7)) & 1);
}

ALWAYS int put_ops(struct Record *r, u32 number) {
  if (number >= kSyscalls) return 0;
  const u32 count = plans[number].ops_count;
  for (u32 i = 0; i < kMaxOps; ++i) {
    if (i >= count) break;
    put_op(r, *(const volatile u32 *)&plans[number].ops[i]);
  }
  return 0;
}

struct Messages {
  u32 number;
  u32 tid;
  u64 array;
  s64 count;
};

static long message_step(u32 index, struct Messages *m) {
  struct Record *r = scratch();
  const u32 number = m->number;
  if (!r || number >= kSyscalls) return 1;
  const u32 size = r->compat ? 32 : 64, length_at = r->compat ? 28 : 56;
  const u64 header = m->array + index * size;
  read_message(r, header);
  r->ret = user_u32(header + length_at);
  begin_record(r, plans[bounded(number, kSyscalls - 1)].type, plans[bounded(number, kSyscalls - 1)].count, m->tid);
  put_ops(r, number);
  submit(r, 0);
  return 0;
}

// sendmmsg and recvmmsg: one event a message.
ALWAYS void send_messages(struct Record *r, u32 number, u32 tid) {
  struct Messages m = {number, tid, r->args[1], r->ret};
  if (m.count > 16) m.count = 16;
  bpf_loop(m.count, message_step, &m, 0);
}

// Everything behind the first look-up. The record holds number, arguments and result. A program of its own, so that
// the first one stays small and the calls of this one may go deep.
SEC("tp_btf/sys_exit")
int BPF_PROG(on_wanted_call, struct pt_regs *regs, long result) {
  struct Record *r = scratch();
  if (!r) return 0;
  const u32 number = *(volatile u32 *)&r->number;
  if (number >= kSyscalls) return 0;
  const u32 want = wanted[number];
  const struct task_struct *task = current_task(r);
  const u32 tgid = task->tgid, tid = task->pid;
  if (!(want & (WANT_RULES | WANT_STATE)) || tgid == control.self_tgid || !is_tracked(tgid)) return 0;
  struct Counters *c = my_counters();
  if (!c) return 0;
  c->seen++;
  if ((number == kExecve || number == kExecveat) && r->ret == 0) return 0;  // sched_process_exec told it
  if (control.emit_fork && r->ret == 0 && (number == kClone || number == kFork || number == kVfork || number == kClone3))
    return 0;  // sched_process_fork told it
  if (control.drop_failed && r->ret < 0 && !(number == 42 && r->ret == -115)) return 0;
  const u32 rules = (want & WANT_RULES) && passes_tests(r, number);
  const u32 state = !rules && (want & WANT_STATE) && state_needs(r, tests[number].state_when);
  if (!rules && !state) {
    c->filtered++;
    return 0;
  }
  if ((number == kSendmmsg || number == kRecvmmsg) && r->ret > 0) {
    send_messages(r, number, tid);
    return 0;
  }
  run_pre_step(r, plans[number].pre, plans[number].pre_arg);
  begin_record(r, plans[number].type, plans[number].count, tid);
  if (plans[number].generic_id) {
    put_u16(r, plans[number].generic_id);
    put_u16(r, number);
  } else {
    put_ops(r, number);
  }
  if (rules && (tests[number].flags & TEST_PORTS) && !ports_match(r) &&
      !((want & WANT_STATE) && state_needs(r, tests[number].state_when))) {
    c->filtered++;
    return 0;
  }
  return submit(r, plans[number].ring);
}

ALWAYS u32 number_of_socketcall(u32 call) {
  switch (call) {
    case 1: return 41;    // socket
    case 2: return 49;    // bind
    case 3: return 42;    // connect
    case 4: return 50;    // listen
    case 5: return 43;    // accept
    case 6: return 51;    // getsockname
    case 7: return 52;    // getpeername
    case 8: return 53;    // socketpair
    case 9:               // send
    case 11: return 44;   // sendto
    case 10:              // recv
    case 12: return 45;   // recvfrom
    case 13: return 48;   // shutdown
    case 14: return 54;   // setsockopt
    case 15: return 55;   // getsockopt
    case 16: return 46;   // sendmsg
    case 17: return 47;   // recvmsg
    case 18: return 288;  // accept4
    case 19: return 299;  // recvmmsg
    case 20: return 307;  // sendmmsg
    default: return kSyscalls;
  }
}

// A call of a 32-bit process: its arguments are in other registers, its number in another numbering.
ALWAYS int take_compat(struct Record *r, struct pt_regs *regs, u32 number) {
  r->args[0] = (u32)regs->bx;
  r->args[1] = (u32)regs->cx;
  r->args[2] = (u32)regs->dx;
  r->args[3] = (u32)regs->si;
  r->args[4] = (u32)regs->di;
  r->args[5] = (u32)regs->bp;
  r->compat = 1;
  if (number == kCompatSocketcall) {
    u32 args[6] = {};
    const u32 call = r->args[0];
    bpf_probe_read_user(args, sizeof args, (void *)r->args[1]);
#pragma unroll
    for (int i = 0; i < 6; ++i) r->args[i] = args[i];
    if (call == 9 || call == 10) r->args[4] = r->args[5] = 0;
    r->number = number_of_socketcall(call);
  } else if (number == kExecve || number == kExecveat) {
    r->number = number;  // an exec of a 32-bit image by a 64-bit process keeps its number
  } else {
    r->number = compat_numbers[number];
  }
  return r->number < kSyscalls;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret) {
  const u64 number = regs->orig_ax;
  if (number >= kSyscalls) return 0;
  if (!wanted[number]) return 0;
  struct Record *r = scratch();
  if (!r) return 0;
  r->ret = ret;
  struct task_struct *task = bpf_get_current_task_btf();
  r->task = (u64)task;
  if (task->thread_info.status & kCompatMark) {
    if (!take_compat(r, regs, number)) return 0;
  } else {
    r->number = number;
    r->compat = 0;
    r->args[0] = regs->di;
    r->args[1] = regs->si;
    r->args[2] = regs->dx;
    r->args[3] = regs->r10;
    r->args[4] = regs->r8;
    r->args[5] = regs->r9;
  }
  bpf_tail_call(ctx, &handlers, 0);
  return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm) {
  struct Record *r = scratch();
  if (!r || (task->flags & kKernelThread)) return 0;
  if ((u32)task->tgid == control.self_tgid || !is_tracked(task->tgid)) return 0;
  const u64 address = (u64)bpf_get_current_task();
  begin_record(r, SYSCALL_EXECVE_19_X, 31, task->pid);
  put_u64(r, 0);
  put_command_line(r, address);
  put_task_common(r, address);
  put_environment(r, address);
  put_task_identity(r, address);
  put_kernel_string(r, bprm->filename, kPath);
  return submit(r, 1);
}

// The event of a new task, as its own exit from clone would be, but before it can run.
ALWAYS int send_child(struct Record *r, struct task_struct *child) {
  struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
  const u64 number = BPF_CORE_READ(regs, orig_ax);
  u32 type = SYSCALL_CLONE_20_X;
  u64 native = 0;
  if (number == kFork)
    type = SYSCALL_FORK_20_X;
  else if (number == kVfork)
    type = SYSCALL_VFORK_20_X;
  else if (number == kClone3) {
    type = SYSCALL_CLONE3_X;
    native = user_u64(BPF_CORE_READ(regs, di));
  } else if (number == kClone)
    native = BPF_CORE_READ(regs, di);
  const u64 address = number_of(r, child);
  u32 flags = translate_flags(native, 4);
  if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) flags |= kCloneThread | kCloneSighand | kCloneVm;
  if (BPF_CORE_READ(child, files) == BPF_CORE_READ(bpf_get_current_task_btf(), files)) flags |= kCloneFiles;
  begin_record(r, type, 21, BPF_CORE_READ(child, pid));
  put_u64(r, 0);
  put_command_line(r, (u64)bpf_get_current_task());
  put_task_common(r, address);
  put_clone_rest(r, address, flags, 1);
  return submit(r, 1);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child) {
  const u32 parent_tgid = parent->tgid, child_tgid = child->tgid;
  if (control.only_tracked) {
    u8 one = 1;
    if (!bpf_map_lookup_elem(&tracked, &parent_tgid)) return 0;
    if (child_tgid != parent_tgid) bpf_map_update_elem(&tracked, &child_tgid, &one, BPF_ANY);
  }
  if (!control.emit_fork || parent_tgid == control.self_tgid || (child->flags & kKernelThread)) return 0;
  struct Record *r = scratch();
  return r ? send_child(r, child) : 0;
}

struct Heir {
  struct task_struct *reaper;
  struct task_struct *candidate;
  struct list_head *head;
  struct list_head *node;
  struct task_struct *found;
  s32 state;  // 0 looking, 1 found, -1 gave up
  u32 steps;
};

static long thread_step(u32 index, struct Heir *heir) {
  if (!heir->node || heir->node == heir->head) return 1;
  struct task_struct *task = (struct task_struct *)((char *)heir->node - bpf_core_field_offset(struct task_struct, thread_node));
  if (!(BPF_CORE_READ(task, flags) & kExiting)) {
    heir->found = task;
    return 1;
  }
  heir->node = BPF_CORE_READ(task, thread_node.next);
  return 0;
}

ALWAYS struct task_struct *live_thread(struct Heir *heir, struct task_struct *task) {
  heir->head = (struct list_head *)((char *)BPF_CORE_READ(task, signal) + bpf_core_field_offset(struct signal_struct, thread_head));
  struct list_head *head = heir->head;
  heir->node = BPF_CORE_READ(head, next);
  heir->found = 0;
  bpf_loop(30, thread_step, heir, 0);
  return heir->found;
}

static long ancestor_step(u32 index, struct Heir *heir) {
  struct task_struct *before = heir->candidate, *reaper = heir->reaper;
  struct task_struct *task = BPF_CORE_READ(before, real_parent);
  heir->candidate = task;
  if (!task || task == reaper || BPF_CORE_READ(task, pid) == 0) return 1;
  if (BPF_CORE_READ(task, thread_pid, level) != BPF_CORE_READ(reaper, thread_pid, level)) return 1;
  struct signal_struct *shared = BPF_CORE_READ(task, signal);
  if (!BPF_CORE_READ_BITFIELD_PROBED(shared, is_child_subreaper)) return 0;
  heir->steps = 1;
  return 1;
}

// The thread that takes over the children of an exiting one; 0 when it has none.
CHECKED_APART int heir_of(u64 address) {
  struct task_struct *task = (struct task_struct *)address;
  struct list_head *children = (struct list_head *)((char *)task + bpf_core_field_offset(struct task_struct, children));
  if (BPF_CORE_READ(children, next) == children) return 0;
  struct Heir heir = {};
  struct task_struct *sibling = live_thread(&heir, task);
  if (sibling) return BPF_CORE_READ(sibling, pid);
  heir.reaper = BPF_CORE_READ(namespace_of(task), child_reaper);
  if (heir.reaper == task) return 0;
  struct signal_struct *shared = BPF_CORE_READ(task, signal);
  if (BPF_CORE_READ_BITFIELD_PROBED(shared, has_child_subreaper)) {
    heir.candidate = task;
    bpf_loop(60, ancestor_step, &heir, 0);
    if (heir.steps) {
      struct task_struct *alive = live_thread(&heir, heir.candidate);
      if (alive) return BPF_CORE_READ(alive, pid);
    }
  }
  struct task_struct *reaper = heir.reaper;
  return BPF_CORE_READ(reaper, pid);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task) {
  struct Record *r = scratch();
  const u32 tgid = task->tgid;
  if (!r || tgid == control.self_tgid) return 0;
  if ((task->flags & kKernelThread) && !control.everything) return 0;
  if (control.only_tracked) {
    if (!bpf_map_lookup_elem(&tracked, &tgid)) return 0;
    if (BPF_CORE_READ(task, signal, live.counter) == 0) bpf_map_delete_elem(&tracked, &tgid);
  }
  const u32 code = task->exit_code;
  const u32 signal = code & 0x7f;
  begin_record(r, PROCEXIT_1_E, 5, task->pid);
  put_u64(r, code);
  put_u64(r, (code >> 8) & 0xff);
  put_u8(r, signal != 0x7f ? signal : 0);
  put_u8(r, (code & 0x80) != 0);
  put_u64(r, (s64)heir_of((u64)bpf_get_current_task()));
  return submit(r, 1);
}

SEC("tp_btf/signal_deliver")
int BPF_PROG(on_signal, int signal, struct kernel_siginfo *info) {
  struct Record *r = scratch();
  const u64 ids = bpf_get_current_pid_tgid();
  if (!r || (ids >> 32) == control.self_tgid || !is_tracked(ids >> 32)) return 0;
  // Pid and uid of the sender come first in the union behind the three numbers.
  s32 sender = 0;
  bpf_probe_read_kernel(&sender, sizeof sender, (char *)info + 16);
  const s32 code = BPF_CORE_READ(info, si_code);
  s64 from = 0;
  if (signal == 9 || signal == 17 || signal >= 34)
    from = sender;
  else if ((signal == 15 || signal == 1 || signal == 2 || signal == 20 || signal == 3) && code <= 0)
    from = sender;
  begin_record(r, SIGNALDELIVER_E, 3, ids);
  put_u64(r, from);
  put_u64(r, (u32)ids);
  put_u8(r, signal);
  return submit(r, 0);
}
