// What is there when watching starts: tasks and their open files, written in binary to the iterator's reader.
#pragma once

#include "socket.h"
#include "task.h"

// Iterators may be preempted and may sleep, so they don't share the record of their CPU. One runs at a time.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct Record);
} iterator_record SEC(".maps");

ALWAYS struct Record *iterator_scratch(void) {
  u32 zero = 0;
  return bpf_map_lookup_elem(&iterator_record, &zero);
}

CHECKED_APART int fill_task_numbers(struct Record *r, u64 address) {
  if (!r) return 0;
  struct task_struct *task = (struct task_struct *)address;
  struct TaskItem *item = (struct TaskItem *)r->buf;
  struct pid *group = BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]);
  item->tid = BPF_CORE_READ(task, pid);
  item->pid = BPF_CORE_READ(task, tgid);
  item->ptid = BPF_CORE_READ(task, real_parent, pid);
  item->sid = global_number(BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]));
  item->vpgid = pid_in_own_namespace(group, task);
  item->pgid = global_number(group);
  item->vtid = pid_in_own_namespace(BPF_CORE_READ(task, thread_pid), task);
  item->vpid = pid_in_own_namespace(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]), task);
  item->fdlimit = BPF_CORE_READ(task, signal, rlim[7].rlim_cur);
  item->pfmajor = BPF_CORE_READ(task, maj_flt);
  item->pfminor = BPF_CORE_READ(task, min_flt);
  item->pidns_init_start = BPF_CORE_READ(namespace_of(task), child_reaper, start_time);
  item->start_boottime = BPF_CORE_READ(task, start_boottime);
  const struct cred *cred = BPF_CORE_READ(task, cred);
  item->cap_inheritable = capabilities(BPF_CORE_READ(cred, cap_inheritable.val));
  item->cap_permitted = capabilities(BPF_CORE_READ(cred, cap_permitted.val));
  item->cap_effective = capabilities(BPF_CORE_READ(cred, cap_effective.val));
  item->uid = BPF_CORE_READ(cred, euid.val);
  item->gid = BPF_CORE_READ(cred, egid.val);
  item->loginuid = login_uid(task);
  item->tty = terminal_of(task);
  read_sizes(r, task);
  item->vmsize_kb = r->v[0];
  item->vmrss_kb = r->v[1];
  item->vmswap_kb = r->v[2];
  item->flags = exe_flags(address);
  struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
  item->exe_ino = BPF_CORE_READ(inode, i_ino);
  item->exe_ctime = inode ? change_time(inode) : 0;
  item->exe_mtime = inode ? modify_time(inode) : 0;
  return 0;
}

ALWAYS void note_length(struct Record *r, u32 which, u32 before) {
  ((struct TaskItem *)r->buf)->length[which] = r->pos - before;
}

ALWAYS void copy_area(struct Record *r, struct task_struct *task, u32 which, u64 start, u64 end) {
  const u32 before = r->pos;
  u64 length = end > start ? end - start : 0;
  if (length > kPath) length = kPath;
  if (!bpf_copy_from_user_task(BYTE_AT(r, r->pos), bounded(length, 2 * kPath - 1), (void *)start, task, 0)) r->pos += length;
  note_length(r, which, before);
}

ALWAYS void copy_path(struct Record *r, struct path *path, u32 which) {
  const u32 before = r->pos;
  struct vfsmount *mount = BPF_CORE_READ(path, mnt);
  if (mount) put_path_of(r, (u64)mount, (u64)BPF_CORE_READ(path, dentry));
  note_length(r, which, before);
}

SEC("iter.s/task")
int list_tasks(struct bpf_iter__task *ctx) {
  struct task_struct *task = ctx->task;
  if (!task || (task->flags & kKernelThread)) return 0;
  struct Record *r = iterator_scratch();
  if (!r) return 0;
  __builtin_memset(r->buf, 0, sizeof(struct TaskItem));
  const u64 address = number_of(r, task);
  fill_task_numbers(r, address);
  struct TaskItem *item = (struct TaskItem *)r->buf;
  r->pos = sizeof(struct TaskItem);
  u32 before = r->pos;
  const long comm = bpf_probe_read_kernel_str(BYTE_AT(r, r->pos), 16, &task->comm);
  if (comm > 0) r->pos += comm;
  note_length(r, TASK_COMM, before);
  struct mm_struct *mm = task->mm;
  copy_area(r, task, TASK_EXE_ARGS, BPF_CORE_READ(mm, arg_start), BPF_CORE_READ(mm, arg_end));
  copy_area(r, task, TASK_ENV, BPF_CORE_READ(mm, env_start), BPF_CORE_READ(mm, env_end));
  struct file *exe = BPF_CORE_READ(mm, exe_file);
  if (exe) copy_path(r, &exe->f_path, TASK_EXEPATH);
  struct fs_struct *fs = BPF_CORE_READ(task, fs);
  if (fs) {
    copy_path(r, &fs->pwd, TASK_CWD);
    copy_path(r, &fs->root, TASK_ROOT);
  }
  before = r->pos;
  put_cgroups(r, address);
  note_length(r, TASK_CGROUPS, before);
  item->size = r->pos;
  if (r->pos <= kBufferMask) bpf_seq_write(ctx->meta->seq, r->buf, r->pos & kBufferMask);
  return 0;
}

// Numbers of event::FdType.
enum {
  kTypeFile = 16, kTypeDirectory = 2, kTypeIpv4 = 3, kTypeIpv6 = 4, kTypeFifo = 7, kTypeUnix = 8, kTypeNetlink = 15,
  kTypeMemfd = 20, kTypeAnonymous = 100
};

ALWAYS void describe_socket(struct Record *r, struct FdItem *item, struct file *file) {
  struct sock *sk = sock_of_file(file);
  const u32 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
  const u32 protocol = BPF_CORE_READ(sk, sk_protocol);
  struct inet_sock *inet = (struct inet_sock *)sk;
  item->l4 = protocol == 6 ? 2 : protocol == 17 ? 3 : protocol == 1 || protocol == 58 ? 4 : 5;
  item->listening = BPF_CORE_READ(sk, __sk_common.skc_state) == 10;
  if (family == kInet || family == kInet6) {
    item->type = family == kInet ? kTypeIpv4 : kTypeIpv6;
    item->local_port = host_order(BPF_CORE_READ(inet, inet_sport));
    item->remote_port = host_order(BPF_CORE_READ(sk, __sk_common.skc_dport));
  }
  if (family == kInet) {
    *(u32 *)item->local_ip = BPF_CORE_READ(inet, inet_saddr);
    *(u32 *)item->remote_ip = BPF_CORE_READ(sk, __sk_common.skc_daddr);
  } else if (family == kInet6) {
    struct in6_addr address = {};
    BPF_CORE_READ_INTO(&address, inet, pinet6, saddr);
    __builtin_memcpy(item->local_ip, &address, 16);
    BPF_CORE_READ_INTO(&address, sk, __sk_common.skc_v6_daddr);
    __builtin_memcpy(item->remote_ip, &address, 16);
  } else if (family == kUnix) {
    item->type = kTypeUnix;
    item->unix_self = hidden(sk);
    struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
    item->unix_peer = hidden(peer);
    const u32 length = copy_bound_name(r, sk, r->pos);
    item->name_length = length;
    r->pos += length;
  } else if (family == 16) {
    item->type = kTypeNetlink;
  }
}

ALWAYS int is_anonymous(struct file *file) {
  const u64 magic = BPF_CORE_READ(file, f_inode, i_sb, s_magic);
  return magic == 0x09041934 || magic == 0x50494446;  // anon_inodefs, pidfs
}

CHECKED_APART int describe_file(struct Record *r, u64 address) {
  if (!r) return 0;
  struct file *file = (struct file *)address;
  struct FdItem *item = (struct FdItem *)r->buf;
  const u32 mode = mode_of(file);
  struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
  item->ino = BPF_CORE_READ(file, f_inode, i_ino);
  item->dev = user_device(BPF_CORE_READ(file, f_inode, i_sb, s_dev));
  item->open_flags = BPF_CORE_READ(file, f_flags);
  if (mode == kModeSocket) {
    describe_socket(r, item, file);
    return 0;
  }
  item->type = kTypeFile;
  if (mode == 0010000) item->type = kTypeFifo;
  if (mode == kModeDirectory) item->type = kTypeDirectory;
  if (is_memfd(dentry)) item->type = kTypeMemfd;
  if (is_anonymous(file)) item->type = kTypeAnonymous;
  const u32 before = r->pos;
  put_path_of_file(r, address);
  ((struct FdItem *)r->buf)->name_length = r->pos - before;
  return 0;
}

SEC("iter/task_file")
int list_files(struct bpf_iter__task_file *ctx) {
  struct task_struct *task = ctx->task;
  struct file *file = ctx->file;
  if (!task || !file || (task->flags & kKernelThread) || task->pid != task->tgid) return 0;
  struct Record *r = iterator_scratch();
  if (!r) return 0;
  __builtin_memset(r->buf, 0, sizeof(struct FdItem));
  struct FdItem *item = (struct FdItem *)r->buf;
  item->tgid = task->tgid;
  item->fd = ctx->fd;
  r->pos = sizeof(struct FdItem);
  describe_file(r, number_of(r, file));
  item->size = r->pos;
  if (r->pos <= kBufferMask) bpf_seq_write(ctx->meta->seq, r->buf, r->pos & kBufferMask);
  return 0;
}
