// A task's parameters, as exec, clone and exit events and the start-up iterator carry them.
#pragma once

#include "files.h"

enum { kKernelThread = 0x00200000, kExiting = 0x4 };
enum { kExeWritable = 1, kExeUpper = 2, kExeMemfd = 4, kExeLower = 8 };
enum { kCloneFiles = 1, kCloneSighand = 1 << 11, kCloneThread = 1 << 13, kCloneVm = 1 << 15, kCloneInPidns = 1 << 29 };

ALWAYS u32 pid_in_own_namespace(struct pid *pid, struct task_struct *task) {
  // The number that the task's own (deepest) namespace gives to `pid`; 0 when it is not visible there.
  if (!pid) return 0;
  struct pid *own = BPF_CORE_READ(task, thread_pid);
  const u32 level = BPF_CORE_READ(own, level) & 31;
  if (level > BPF_CORE_READ(pid, level)) return 0;
  struct upid upid = {};
  struct upid mine = {};
  bpf_probe_read_kernel(&upid, sizeof upid, (char *)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid));
  bpf_probe_read_kernel(&mine, sizeof mine, (char *)own + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid));
  return upid.ns == mine.ns ? upid.nr : 0;
}

ALWAYS u32 global_number(struct pid *pid) {
  int number = 0;
  if (pid) bpf_probe_read_kernel(&number, sizeof number, (char *)pid + bpf_core_field_offset(struct pid, numbers));
  return number;
}

ALWAYS struct pid_namespace *namespace_of(struct task_struct *task) {
  struct pid *own = BPF_CORE_READ(task, thread_pid);
  const u32 level = BPF_CORE_READ(own, level) & 31;
  struct upid upid = {};
  bpf_probe_read_kernel(&upid, sizeof upid, (char *)own + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid));
  return upid.ns;
}

ALWAYS u32 resident_counter(struct mm_struct *mm, u32 which) {
  s64 pages = 0;
  struct mm_struct___v62 *fresh = (void *)mm;
  if (bpf_core_type_exists(struct mm_rss_stat)) {
    struct mm_struct___old *old = (void *)mm;
    pages = BPF_CORE_READ(old, rss_stat.count[0].counter);
    if (which == 1) pages = BPF_CORE_READ(old, rss_stat.count[1].counter);
    if (which == 2) pages = BPF_CORE_READ(old, rss_stat.count[2].counter);
    if (which == 3) pages = BPF_CORE_READ(old, rss_stat.count[3].counter);
  } else {
    pages = BPF_CORE_READ(fresh, rss_stat[0].count);
    if (which == 1) pages = BPF_CORE_READ(fresh, rss_stat[1].count);
    if (which == 2) pages = BPF_CORE_READ(fresh, rss_stat[2].count);
    if (which == 3) pages = BPF_CORE_READ(fresh, rss_stat[3].count);
  }
  return pages < 0 ? 0 : pages << 2;
}

// Sizes in KiB into v[0..2]: virtual, resident, swapped.
ALWAYS void read_sizes(struct Record *r, struct task_struct *task) {
  struct mm_struct *mm = BPF_CORE_READ(task, mm);
  r->v[0] = r->v[1] = r->v[2] = 0;
  if (!mm) return;
  r->v[0] = BPF_CORE_READ(mm, total_vm) << 2;
  r->v[1] = resident_counter(mm, 0) + resident_counter(mm, 1) + resident_counter(mm, 3);
  r->v[2] = resident_counter(mm, 2);
}

ALWAYS u32 terminal_of(struct task_struct *task) {
  struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
  if (!tty) return 0;
  const u32 major = BPF_CORE_READ(tty, driver, major);
  const u32 minor = BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index);
  return user_device((major << 20) | (minor & 0xfffff));
}

ALWAYS u32 login_uid(struct task_struct *task) {
  if (!bpf_core_field_exists(task->loginuid)) return 0xffffffff;
  return BPF_CORE_READ(task, loginuid.val);
}

ALWAYS u64 capabilities(u64 set) { return set & ((1ull << 41) - 1); }

struct GroupSearch {
  u64 base;
  u32 low, high, gid, found;
};

static long group_step(u32 index, struct GroupSearch *search) {
  if (search->low >= search->high) return 1;
  const u32 middle = (search->low + search->high) / 2;
  u32 value = 0;
  bpf_probe_read_kernel(&value, sizeof value, (void *)(search->base + middle * 4));
  if (value == search->gid) {
    search->found = 1;
    return 1;
  }
  if (value < search->gid)
    search->low = middle + 1;
  else
    search->high = middle;
  return 0;
}

ALWAYS int in_groups(struct group_info *groups, u32 gid) {
  struct GroupSearch search = {(u64)groups + bpf_core_field_offset(struct group_info, gid), 0, BPF_CORE_READ(groups, ngroups), gid, 0};
  bpf_loop(16, group_step, &search, 0);
  return search.found;
}

ALWAYS int is_mapped(struct uid_gid_map *map, u32 id) {
  u32 count = BPF_CORE_READ(map, nr_extents);
#pragma unroll
  for (int i = 0; i < 5; ++i) {
    if (i >= count) return 0;
    const u32 lower = BPF_CORE_READ(map, extent[i].lower_first);
    if (id >= lower && id - lower < BPF_CORE_READ(map, extent[i].count)) return 1;
  }
  return 0;
}

// Whether the task's credentials could write to the inode.
ALWAYS int could_write(struct task_struct *task, struct inode *inode) {
  const u32 mode = BPF_CORE_READ(inode, i_mode);
  const u32 kind = mode & kModeMask;
  if ((BPF_CORE_READ(inode, i_sb, s_flags) & 1) && (kind == 0100000 || kind == kModeDirectory || kind == 0120000))
    return 0;
  if (BPF_CORE_READ(inode, i_flags) & 8) return 0;
  const u32 uid = BPF_CORE_READ(inode, i_uid.val), gid = BPF_CORE_READ(inode, i_gid.val);
  if (uid == 0xffffffff || gid == 0xffffffff) return 0;
  const struct cred *cred = BPF_CORE_READ(task, cred);
  if (BPF_CORE_READ(cred, fsuid.val) == uid) return 1;
  const int grouped = BPF_CORE_READ(cred, fsgid.val) == gid || in_groups(BPF_CORE_READ(cred, group_info), gid);
  if (mode & (grouped ? 0020 : 0002)) return 1;
  const u64 effective = BPF_CORE_READ(cred, cap_effective.val);
  struct user_namespace *ns = BPF_CORE_READ(cred, user_ns);
  const int uid_mapped = is_mapped(&ns->uid_map, uid);
  if ((effective & (1 << 1)) && uid_mapped && is_mapped(&ns->gid_map, gid)) return 1;
  return (effective & (1 << 3)) && uid_mapped;
}

ALWAYS int is_memfd(struct dentry *dentry) {
  if (BPF_CORE_READ(dentry, d_parent) != dentry) return 0;
  char name[8] = {};
  bpf_probe_read_kernel(name, 6, BPF_CORE_READ(dentry, d_name.name));
  return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

// The flags of exec events, of the executable that the task runs.
CHECKED_APART int exe_flags(u64 address) {
  struct task_struct *task = (struct task_struct *)address;
  struct file *exe = BPF_CORE_READ(task, mm, exe_file);
  if (!exe) return 0;
  struct dentry *dentry = BPF_CORE_READ(exe, f_path.dentry);
  struct inode *inode = BPF_CORE_READ(exe, f_inode);
  const u32 layer = layer_of(dentry, inode);
  u32 flags = 0;
  if (could_write(task, inode)) flags |= kExeWritable;
  if (layer == 1) flags |= kExeUpper;
  if (layer == 2) flags |= kExeLower;
  if (is_memfd(dentry)) flags |= kExeMemfd;
  return flags;
}

enum { kCgroupDepth = 6, kCgroupName = 128 };

ALWAYS struct kernfs_node *parent_node(struct kernfs_node *node) {
  struct kernfs_node___v615 *fresh = (void *)node;
  if (bpf_core_field_exists(fresh->__parent)) return BPF_CORE_READ(fresh, __parent);
  struct kernfs_node___old *old = (void *)node;
  return BPF_CORE_READ(old, parent);
}

// Appends "/a/b" and a NUL at `pos` of the buffer; returns the position behind.
CHECKED_APART int append_cgroup_path(struct Record *r, u64 cgroup, u32 pos) {
  if (!r) return pos;
  struct kernfs_node *nodes[kCgroupDepth] = {};
  struct kernfs_node *node = BPF_CORE_READ((struct cgroup *)cgroup, kn);
  int count = 0;
#pragma unroll
  for (int i = 0; i < kCgroupDepth; ++i) {
    if (!node) break;
    struct kernfs_node *parent = parent_node(node);
    if (!parent) break;  // the root has an empty name
    nodes[i] = node;
    count = i + 1;
    node = parent;
  }
  if (count == 0) *BYTE_AT(r, pos++) = '/';
#pragma unroll
  for (int i = kCgroupDepth - 1; i >= 0; --i) {
    if (!nodes[i]) continue;
    *BYTE_AT(r, pos++) = '/';
    const long length = bpf_probe_read_kernel_str(BYTE_AT(r, pos), kCgroupName, BPF_CORE_READ(nodes[i], name));
    if (length > 0) pos += length - 1;
  }
  *BYTE_AT(r, pos++) = 0;
  return pos;
}

#define APPEND_CGROUP(id, word)                                                                      \
  if (bpf_core_enum_value_exists(enum cgroup_subsys_id, id)) {                                       \
    struct cgroup_subsys_state *css =                                                                \
        BPF_CORE_READ(set, subsys[bpf_core_enum_value(enum cgroup_subsys_id, id)]);                  \
    struct cgroup *group = BPF_CORE_READ(css, cgroup);                                               \
    if (group) {                                                                                     \
      __builtin_memcpy(BYTE_AT(r, pos), word "=", sizeof(word));                                     \
      pos = append_cgroup_path(r, (u64)group, pos + sizeof(word));                                   \
    }                                                                                                \
  }

// "cpuset=/a" NUL "cpu=/a" NUL ...; then the leaf of the unified hierarchy, where container ids are even when no
// controller is enabled that deep.
CHECKED_APART int put_cgroups(struct Record *r, u64 task) {
  if (!r) return 0;
  struct css_set *set = BPF_CORE_READ((struct task_struct *)task, cgroups);
  u32 pos = r->pos;
  APPEND_CGROUP(cpuset_cgrp_id, "cpuset")
  APPEND_CGROUP(cpu_cgrp_id, "cpu")
  APPEND_CGROUP(cpuacct_cgrp_id, "cpuacct")
  APPEND_CGROUP(io_cgrp_id, "io")
  APPEND_CGROUP(memory_cgrp_id, "memory")
  struct cgroup *leaf = BPF_CORE_READ(set, dfl_cgrp);
  if (leaf && parent_node(BPF_CORE_READ(leaf, kn))) {
    __builtin_memcpy(BYTE_AT(r, pos), "unified=", 8);
    pos = append_cgroup_path(r, (u64)leaf, pos + 8);
  }
  end_param(r, pos - r->pos);
  return 0;
}

// exe and args out of the argument area of the current address space; `from` .. `end` as the kernel notes them.
CHECKED_APART int put_command_line(struct Record *r, u64 task) {
  if (!r) return 0;
  struct mm_struct *mm = BPF_CORE_READ((struct task_struct *)task, mm);
  if (!mm) {
    put_empty(r);
    put_empty(r);
    return 0;
  }
  const u64 start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
  long exe = bpf_probe_read_user_str(BYTE_AT(r, r->pos), kPath, (void *)start);
  if (exe < 0) exe = 0;
  end_param(r, exe);
  u64 length = end > start + exe ? end - start - exe : 0;
  if (length > kPath - exe) length = kPath - exe;
  if (exe == 0 || bpf_probe_read_user(BYTE_AT(r, r->pos), bounded(length, 2 * kPath - 1), (void *)(start + exe))) length = 0;
  if (length) *BYTE_AT(r, r->pos + length - 1) = 0;
  end_param(r, length);
  return 0;
}

CHECKED_APART int put_environment(struct Record *r, u64 task) {
  if (!r) return 0;
  struct mm_struct *mm = BPF_CORE_READ((struct task_struct *)task, mm);
  const u64 start = BPF_CORE_READ(mm, env_start), end = BPF_CORE_READ(mm, env_end);
  u64 length = end > start ? end - start : 0;
  if (length > kPath) length = kPath;
  if (bpf_probe_read_user(BYTE_AT(r, r->pos), bounded(length, 2 * kPath - 1), (void *)start)) length = 0;
  if (length) *BYTE_AT(r, r->pos + length - 1) = 0;
  end_param(r, length);
  return 0;
}

struct Strings {
  u64 array;
  u32 index, total;
  u32 pointer_size;
  u32 pos;
};

static long copy_string(u32 index, struct Strings *s) {
  struct Record *r = scratch();
  if (!r) return 1;
  u64 pointer = 0;
  if (bpf_probe_read_user(&pointer, s->pointer_size == 4 ? 4 : 8, (void *)(s->array + (s->index + index) * s->pointer_size)))
    return 1;
  if (!pointer || s->total >= kPath) return 1;
  long length = bpf_probe_read_user_str(BYTE_AT(r, s->pos), kPath, (void *)pointer);
  if (length <= 0) return 1;
  if (s->total + length > kPath) {
    length = kPath - s->total;
    *BYTE_AT(r, s->pos + length - 1) = 0;
  }
  s->total += length;
  s->pos += length;
  return 0;
}

// Strings `first` .. of an array of user pointers, one after the other.
CHECKED_APART int put_string_array(struct Record *r, u64 array, u32 first, u32 limit) {
  if (!r) return 0;
  struct Strings s = {array, first, 0, r->compat ? 4 : 8, r->pos};
  if (array) bpf_loop(bounded(limit, 15), copy_string, &s, 0);
  end_param(r, s.total);
  return 0;
}

// tid, pid, ptid, cwd (user space keeps its own), fdlimit, page faults, sizes, comm, cgroups.
CHECKED_APART int put_task_common(struct Record *r, u64 address) {
  if (!r) return 0;
  struct task_struct *task = (struct task_struct *)address;
  put_u64(r, BPF_CORE_READ(task, pid));
  put_u64(r, BPF_CORE_READ(task, tgid));
  put_u64(r, BPF_CORE_READ(task, real_parent, pid));
  put_empty(r);
  put_u64(r, BPF_CORE_READ(task, signal, rlim[7].rlim_cur));
  put_u64(r, BPF_CORE_READ(task, maj_flt));
  put_u64(r, BPF_CORE_READ(task, min_flt));
  read_sizes(r, task);
  put_u32(r, r->v[0]);
  put_u32(r, r->v[1]);
  put_u32(r, r->v[2]);
  put_kernel_string(r, &task->comm, 16);
  put_cgroups(r, address);
  return 0;
}

// From the terminal to the gid.
CHECKED_APART int put_task_identity(struct Record *r, u64 address) {
  if (!r) return 0;
  struct task_struct *task = (struct task_struct *)address;
  put_u32(r, terminal_of(task));
  struct pid *group = BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]);
  put_u64(r, pid_in_own_namespace(group, task));
  put_u32(r, login_uid(task));
  put_u32(r, exe_flags(address));
  const struct cred *cred = BPF_CORE_READ(task, cred);
  put_u64(r, capabilities(BPF_CORE_READ(cred, cap_inheritable.val)));
  put_u64(r, capabilities(BPF_CORE_READ(cred, cap_permitted.val)));
  put_u64(r, capabilities(BPF_CORE_READ(cred, cap_effective.val)));
  struct file *exe = BPF_CORE_READ(task, mm, exe_file);
  struct inode *inode = BPF_CORE_READ(exe, f_inode);
  put_u64(r, BPF_CORE_READ(inode, i_ino));
  put_u64(r, inode ? change_time(inode) : 0);
  put_u64(r, inode ? modify_time(inode) : 0);
  put_u32(r, BPF_CORE_READ(cred, euid.val));
  put_path_of_file(r, (u64)exe);
  put_u64(r, global_number(group));
  put_u32(r, BPF_CORE_READ(cred, egid.val));
  return 0;
}

// flags, uid, gid, vtid, vpid, start of the pid namespace's init.
CHECKED_APART int put_clone_rest(struct Record *r, u64 address, u32 flags, u32 child) {
  if (!r) return 0;
  struct task_struct *task = (struct task_struct *)address;
  struct pid_namespace *own = namespace_of(task);
  if (BPF_CORE_READ(task, thread_pid, level) != 0 || BPF_CORE_READ(task, nsproxy, pid_ns_for_children) != own)
    flags |= kCloneInPidns;
  put_u32(r, flags);
  put_u32(r, BPF_CORE_READ(task, cred, euid.val));
  put_u32(r, BPF_CORE_READ(task, cred, egid.val));
  put_u64(r, pid_in_own_namespace(BPF_CORE_READ(task, thread_pid), task));
  put_u64(r, pid_in_own_namespace(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]), task));
  put_u64(r, child ? BPF_CORE_READ(own, child_reaper, start_time) : 0);
  return 0;
}
