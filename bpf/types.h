// The kernel types that the programs read, with only the members that they use. Offsets are relocated at load (CO-RE),
// so this needs no header of the building machine. Variants of a member by kernel version are in flavours (___name).
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s8 __s8;
typedef s16 __s16;
typedef s32 __s32;
typedef s64 __s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u64 __be64;
typedef u16 __le16;
typedef u32 __le32;
typedef u64 __le64;
typedef u32 __wsum;
typedef u16 __sum16;
typedef unsigned long size_t;
typedef int bool;

enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PROG_ARRAY = 3,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY = 0, BPF_F_CURRENT_CPU = 0xffffffff };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
  unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

struct list_head {
  struct list_head *next, *prev;
};

struct thread_info {
  u32 status;
};


struct user_namespace;

struct uid_gid_extent {
  u32 first, lower_first, count;
};
struct uid_gid_map {
  u32 nr_extents;
  struct uid_gid_extent extent[5];
};
struct user_namespace {
  struct uid_gid_map uid_map, gid_map;
};

typedef struct {
  u32 val;
} kuid_t;
typedef struct {
  u32 val;
} kgid_t;
typedef struct {
  u64 val;
} kernel_cap_t;

struct group_info {
  int ngroups;
  kgid_t gid[0];
};

struct cred {
  kuid_t uid, euid, fsuid;
  kgid_t gid, egid, fsgid;
  kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
  struct group_info *group_info;
  struct user_namespace *user_ns;
};

struct qstr {
  u32 len;
  const unsigned char *name;
};

struct inode;
struct super_block {
  u32 s_dev;
  unsigned long s_flags;
  unsigned long s_magic;
};
struct inode {
  u16 i_mode;
  kuid_t i_uid;
  kgid_t i_gid;
  u32 i_flags;
  struct super_block *i_sb;
  unsigned long i_ino;
  u32 i_rdev;
};
struct timespec64 {
  s64 tv_sec;
  long tv_nsec;
};
struct inode___v611 {
  s64 i_ctime_sec, i_mtime_sec;
  u32 i_ctime_nsec, i_mtime_nsec;
};
struct inode___v66 {
  struct timespec64 __i_ctime;
};
struct inode___v67 {
  struct timespec64 __i_mtime;
};
struct inode___old {
  struct timespec64 i_ctime, i_mtime;
};

struct dentry {
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
  struct super_block *d_sb;
};
struct vfsmount {
  struct dentry *mnt_root;
  int mnt_flags;
};
struct mount {
  struct mount *mnt_parent;
  struct dentry *mnt_mountpoint;
  struct vfsmount mnt;
  int mnt_id;
};
struct path {
  struct vfsmount *mnt;
  struct dentry *dentry;
};
struct file {
  u32 f_mode;
  u32 f_flags;
  struct inode *f_inode;
  struct path f_path;
  void *private_data;
};
struct fdtable {
  u32 max_fds;
  struct file **fd;
};
struct files_struct {
  struct fdtable *fdt;
};
struct fs_struct {
  struct path root, pwd;
};

struct mm_struct {
  unsigned long arg_start, arg_end, env_start, env_end, total_vm;
  struct file *exe_file;
};
struct percpu_counter {
  s64 count;
};
struct mm_struct___v62 {
  struct percpu_counter rss_stat[4];
};
typedef struct {
  s64 counter;
} atomic_long_t;
struct mm_rss_stat {
  atomic_long_t count[4];
};
struct mm_struct___old {
  struct mm_rss_stat rss_stat;
};

struct tty_driver {
  int major, minor_start;
};
struct tty_struct {
  struct tty_driver *driver;
  int index;
};

struct pid_namespace;
struct ns_common {
  u32 inum;
};
struct upid {
  int nr;
  struct pid_namespace *ns;
};
struct pid {
  u32 level;
  struct upid numbers[1];
};
struct task_struct;
struct pid_namespace {
  struct task_struct *child_reaper;
  u32 level;
};
struct nsproxy {
  struct pid_namespace *pid_ns_for_children;
};

struct rlimit {
  unsigned long rlim_cur, rlim_max;
};
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };
typedef struct {
  int counter;
} atomic_t;
struct signal_struct {
  atomic_t live;
  struct list_head thread_head;
  struct pid *pids[4];
  struct tty_struct *tty;
  struct rlimit rlim[16];
  u32 is_child_subreaper : 1;
  u32 has_child_subreaper : 1;
};

struct kernfs_node {
  const char *name;
};
struct kernfs_node___v615 {
  struct kernfs_node *__parent;
};
struct kernfs_node___old {
  struct kernfs_node *parent;
};
struct cgroup {
  struct kernfs_node *kn;
};
struct cgroup_subsys_state {
  struct cgroup *cgroup;
};
enum cgroup_subsys_id { cpuset_cgrp_id, cpu_cgrp_id, cpuacct_cgrp_id, io_cgrp_id, memory_cgrp_id };
struct css_set {
  struct cgroup_subsys_state *subsys[14];
  struct cgroup *dfl_cgrp;
};

struct task_struct {
  struct thread_info thread_info;
  u32 flags;
  struct mm_struct *mm;
  int exit_code;
  int pid, tgid;
  struct task_struct *real_parent;
  struct list_head children, sibling;
  struct list_head thread_node;
  struct task_struct *group_leader;
  struct pid *thread_pid;
  u64 start_time;
  u64 start_boottime;
  unsigned long min_flt, maj_flt;
  const struct cred *cred;
  char comm[16];
  struct fs_struct *fs;
  struct files_struct *files;
  struct nsproxy *nsproxy;
  struct signal_struct *signal;
  kuid_t loginuid;
  struct css_set *cgroups;
};

struct linux_binprm {
  const char *filename;
};

struct kernel_siginfo {
  int si_signo, si_errno, si_code;
};

struct in6_addr {
  u8 bytes[16];
};
struct sock_common {
  u16 skc_family;
  u8 skc_state;
  u32 skc_daddr;
  u32 skc_rcv_saddr;
  u16 skc_dport;
  u16 skc_num;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};
struct sock {
  struct sock_common __sk_common;
  u32 sk_ack_backlog;
  u32 sk_max_ack_backlog;
  u16 sk_type;
  u16 sk_protocol;
};
struct socket {
  struct sock *sk;
};
struct ipv6_pinfo {
  struct in6_addr saddr;
};
struct inet_sock {
  struct ipv6_pinfo *pinet6;
  u32 inet_saddr;
  u16 inet_sport;
};
struct sockaddr_un {
  u16 sun_family;
  char sun_path[108];
};
struct unix_address {
  int len;
  struct sockaddr_un name[];
};
struct unix_sock {
  struct unix_address *addr;
  struct sock *peer;
};

struct seq_file;
struct bpf_iter_meta {
  struct seq_file *seq;
};
struct bpf_iter__task {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
};
struct bpf_iter__task_file {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
  u32 fd;
  struct file *file;
};

#pragma clang attribute pop
