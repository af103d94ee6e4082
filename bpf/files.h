// Files as the kernel sees them: what an fd stands for, its path, its device and layer.
#pragma once

#include "record.h"

enum { kOverlayMagic = 0x794c7630, kModeMask = 0170000, kModeSocket = 0140000, kModeDirectory = 0040000 };
enum { kFileCreated = 0x100000 };

// Gives a plain address a kernel type, so that its members are read without a helper call each. Not before Linux 6.2.
extern void *bpf_rdonly_cast(const void *address, u32 type) __ksym __weak;

// The task that on_sys_exit found, without asking again.
ALWAYS const struct task_struct *current_task(struct Record *r) {
  if (bpf_rdonly_cast) return bpf_rdonly_cast((void *)r->task, bpf_core_type_id_kernel(struct task_struct));
  return bpf_get_current_task_btf();
}

// The file behind an fd of the current task. Reads through typed pointers where the verifier knows them, which is
// cheaper than a helper call a member.
ALWAYS struct file *file_of(struct Record *r, s64 wide) {
  const s32 fd = wide;
  if (fd < 0) return 0;
  const struct fdtable *table = current_task(r)->files->fdt;
  if (fd >= table->max_fds) return 0;
  struct file **slot = table->fd + fd;
  if (bpf_rdonly_cast) {
    // Any type that begins with a pointer will do.
    const struct list_head *typed = bpf_rdonly_cast(slot, bpf_core_type_id_kernel(struct list_head));
    return (struct file *)number_of(r, typed->next);
  }
  struct file *file = 0;
  bpf_probe_read_kernel(&file, sizeof file, slot);
  return file;
}

ALWAYS u32 mode_of(struct file *file) {
  if (!file) return 0;
  if (bpf_rdonly_cast) {
    const struct file *typed = bpf_rdonly_cast(file, bpf_core_type_id_kernel(struct file));
    return typed->f_inode->i_mode & kModeMask;
  }
  return BPF_CORE_READ(file, f_inode, i_mode) & kModeMask;
}

// A device number in user space's 32-bit form.
ALWAYS u32 user_device(u32 device) {
  const u32 major = device >> 20, minor = device & 0xfffff;
  return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

// 1 upper layer, 2 lower layer, 0 not on an overlay. The overlay's inode is followed by the pointer to the upper dentry.
ALWAYS u32 layer_of(struct dentry *dentry, struct inode *inode) {
  if (BPF_CORE_READ(dentry, d_sb, s_magic) != kOverlayMagic) return 0;
  struct dentry *upper = 0;
  bpf_probe_read_kernel(&upper, sizeof upper, (char *)inode + bpf_core_type_size(struct inode));
  if (!upper) return 2;
  return BPF_CORE_READ(upper, d_inode, i_ino) ? 1 : 2;
}

struct Walk {
  struct Record *record;
  struct dentry *dentry;
  struct mount *mount;
  u32 pos;
  u32 steps;
};

ALWAYS struct mount *mount_of(struct vfsmount *vfs) {
  return (struct mount *)((char *)vfs - bpf_core_field_offset(struct mount, mnt));
}

static long walk_step(u32 index, struct Walk *w) {
  struct Record *r = w->record;
  struct dentry *dentry = w->dentry;
  struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
  struct mount *mount = w->mount;
  struct dentry *root = BPF_CORE_READ(mount, mnt.mnt_root);
  if (dentry == root || dentry == parent) {
    struct mount *up = BPF_CORE_READ(mount, mnt_parent);
    if (dentry != root || up == mount || !up) return 1;
    w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
    w->mount = up;
    return 0;
  }
  u32 length = BPF_CORE_READ(dentry, d_name.len);
  if (length > 255) length = 255;
  const u32 pos = w->pos - length - 1;
  if (pos > kPath) return 1;
  r->path[pos & (kPath - 1)] = '/';
  bpf_probe_read_kernel(&r->path[(pos + 1) & (kPath - 1)], bounded(length, 255), BPF_CORE_READ(dentry, d_name.name));
  w->pos = pos;
  w->dentry = parent;
  w->steps++;
  return 0;
}

// Writes the path from the root of all mounts into r->path, ending at kPath with its NUL; returns where it starts.
// What has no place in the tree (memfd, sockets) is just its name.
CHECKED_APART int walk_path(struct Record *r, u64 vfs, u64 dentry) {
  if (!r) return kPath;
  struct Walk w = {r, (struct dentry *)dentry, mount_of((struct vfsmount *)vfs), kPath - 1, 0};
  r->path[kPath - 1] = 0;
  if (!vfs || !dentry) return kPath;
  bpf_loop(96, walk_step, &w, 0);
  if (w.steps == 0) {
    // The name lies after the walked path then; callers only see where it starts.
    const long length = bpf_probe_read_kernel_str(&r->path[kPath], 256, BPF_CORE_READ((struct dentry *)dentry, d_name.name));
    r->walked = length > 0 ? length : 0;
    return kPath;
  }
  r->walked = kPath - w.pos;
  return w.pos;
}

ALWAYS void put_walked(struct Record *r, u32 start) {
  const u32 length = r->walked;
  if (start > kPath || length > kPath) {
    put_empty(r);
    return;
  }
  bpf_probe_read_kernel(BYTE_AT(r, r->pos), bounded(length, 2 * kPath - 1), &r->path[start & (2 * kPath - 1)]);
  end_param(r, length);
}

ALWAYS int put_path_of(struct Record *r, u64 vfs, u64 dentry) {
  r->walked = 0;
  const u32 start = walk_path(r, vfs, dentry);
  put_walked(r, start);
  return 0;
}

CHECKED_APART int put_path_of_file(struct Record *r, u64 address) {
  if (!r) return 0;
  struct file *file = (struct file *)address;
  if (!file) {
    put_empty(r);
    return 0;
  }
  put_path_of(r, (u64)BPF_CORE_READ(file, f_path.mnt), (u64)BPF_CORE_READ(file, f_path.dentry));
  return 0;
}

ALWAYS u64 time_ns(s64 seconds, u64 ns) { return seconds < 0 ? 0 : seconds * 1000000000ull + ns; }

ALWAYS u64 change_time(struct inode *inode) {
  struct inode___v611 *fresh = (void *)inode;
  if (bpf_core_field_exists(fresh->i_ctime_sec))
    return time_ns(BPF_CORE_READ(fresh, i_ctime_sec), BPF_CORE_READ(fresh, i_ctime_nsec));
  struct inode___v66 *v66 = (void *)inode;
  if (bpf_core_field_exists(v66->__i_ctime))
    return time_ns(BPF_CORE_READ(v66, __i_ctime.tv_sec), BPF_CORE_READ(v66, __i_ctime.tv_nsec));
  struct inode___old *old = (void *)inode;
  return time_ns(BPF_CORE_READ(old, i_ctime.tv_sec), BPF_CORE_READ(old, i_ctime.tv_nsec));
}

ALWAYS u64 modify_time(struct inode *inode) {
  struct inode___v611 *fresh = (void *)inode;
  if (bpf_core_field_exists(fresh->i_mtime_sec))
    return time_ns(BPF_CORE_READ(fresh, i_mtime_sec), BPF_CORE_READ(fresh, i_mtime_nsec));
  struct inode___v67 *v67 = (void *)inode;
  if (bpf_core_field_exists(v67->__i_mtime))
    return time_ns(BPF_CORE_READ(v67, __i_mtime.tv_sec), BPF_CORE_READ(v67, __i_mtime.tv_nsec));
  struct inode___old *old = (void *)inode;
  return time_ns(BPF_CORE_READ(old, i_mtime.tv_sec), BPF_CORE_READ(old, i_mtime.tv_nsec));
}
