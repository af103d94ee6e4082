// Puts a record together from its plan: one parameter an op.
#pragma once

#include "filter.h"
#include "task.h"

enum { kMostSnaplen = 16000, kVectorEntries = 32 };

ALWAYS u32 snap(u64 length) {
  u32 limit = control.snaplen;
  if (limit > kMostSnaplen) limit = kMostSnaplen;
  return length > limit ? limit : length;
}

CHECKED_APART int translate_flags(u32 native, u32 table) {
  u32 out = 0;
  if (table >= kMaxFlagMaps) return 0;
  const u32 count = flag_maps[table].count;
  for (u32 i = 0; i < kMaxFlagBits; ++i) {
    if (i >= count) break;
    if (native & flag_maps[table].bits[i].native) out |= flag_maps[table].bits[i].ours;
  }
  return out;
}

CHECKED_APART int translate_enum(u32 native, u32 table) {
  if (table >= kMaxEnumMaps) return 0;
  const u32 count = enum_maps[table].count;
  for (u32 i = 0; i < kMaxEnumValues; ++i) {
    if (i >= count) break;
    if (native == enum_maps[table].values[i].native) return enum_maps[table].values[i].ours;
  }
  return enum_maps[table].unknown;
}

// Open flags in the numbering of captures. As the reference: O_SYNC is shown when either of its bits is set, O_TMPFILE
// likewise.
ALWAYS u32 open_flags(u32 native) {
  const u32 mode = native & 3;
  u32 out = mode == 1 ? 2 : mode == 2 ? 3 : 1;
  if (native & 0100) out |= 4;
  if (native & 0200) out |= 32;
  if (native & 01000) out |= 256;
  if (native & 02000) out |= 8;
  if (native & 04000) out |= 64;
  if (native & 010000) out |= 16;
  if (native & 040000) out |= 512;
  if (native & 0100000) out |= 2048;
  if (native & 0200000) out |= 1024;
  if (native & 02000000) out |= 4096;
  if (native & 04010000) out |= 128;
  if (native & 020200000) out |= 8192;
  return out;
}

ALWAYS u32 permission_bits(u32 mode) { return mode & 07777; }

ALWAYS u64 user_u64(u64 pointer) {
  u64 value = 0;
  if (pointer) bpf_probe_read_user(&value, sizeof value, (void *)pointer);
  return value;
}
ALWAYS u32 user_u32(u64 pointer) {
  u32 value = 0;
  if (pointer) bpf_probe_read_user(&value, sizeof value, (void *)pointer);
  return value;
}



ALWAYS int read_entry(struct Record *r, u32 index, u64 *base, u64 *length) {
  if (r->compat) {
    u32 pair[2] = {};
    if (bpf_probe_read_user(pair, sizeof pair, (void *)(r->iov + index * 8))) return 0;
    *base = pair[0];
    *length = pair[1];
    return 1;
  }
  u64 pair[2] = {};
  if (bpf_probe_read_user(pair, sizeof pair, (void *)(r->iov + index * 16))) return 0;
  *base = pair[0];
  *length = pair[1];
  return 1;
}

struct Gather {
  u32 copied, limit, pos;
  u32 pad;
  u64 total;
};

static long gather_step(u32 index, struct Gather *g) {
  struct Record *r = scratch();
  if (!r) return 1;
  u64 base, length;
  if (g->copied >= g->limit || !read_entry(r, index, &base, &length)) return 1;
  u32 part = g->limit - g->copied;
  if (length < part) part = length;
  if (bpf_probe_read_user(BYTE_AT(r, g->pos), bounded(part, kBufferMask), (void *)base)) return 1;
  g->copied += part;
  g->pos += part;
  return 0;
}

static long sum_step(u32 index, struct Gather *g) {
  struct Record *r = scratch();
  if (!r) return 1;
  u64 base, length;
  if (!read_entry(r, index, &base, &length)) {
    g->total = 0;
    return 1;
  }
  g->total += length;
  return 0;
}

ALWAYS u32 entries(u64 count) { return count > kVectorEntries ? kVectorEntries : count; }

CHECKED_APART int put_vector(struct Record *r, u32 limit) {
  if (!r) return 0;
  if (control.no_data) limit = 0;
  struct Gather g = {0, limit, r->pos, 0, 0};
  if (limit) bpf_loop(entries(r->iov_count), gather_step, &g, 0);
  end_param(r, g.copied);
  return 0;
}

CHECKED_APART int vector_size(struct Record *r) {
  if (!r) return 0;
  struct Gather g = {0, 0, 0, 0, 0};
  bpf_loop(entries(r->iov_count), sum_step, &g, 0);
  return g.total;
}

// The caller's struct msghdr at `pointer`: vector, name, control data.
CHECKED_APART int read_message(struct Record *r, u64 pointer) {
  if (!r) return 0;
  r->iov = r->iov_count = r->msg_name = r->control = r->control_len = 0;
  if (r->compat) {
    u32 header[6] = {};
    if (bpf_probe_read_user(header, sizeof header, (void *)pointer)) return 0;
    r->msg_name = header[0];
    r->iov = header[2];
    r->iov_count = header[3];
    r->control = header[4];
    r->control_len = header[5];
    return 1;
  }
  u64 header[6] = {};
  if (bpf_probe_read_user(header, sizeof header, (void *)pointer)) return 0;
  r->msg_name = header[0];
  r->iov = header[2];
  r->iov_count = header[3];
  r->control = header[4];
  r->control_len = header[5];
  return 1;
}



ALWAYS void note_new_file(struct Record *r) {
  struct file *file = r->ret >= 0 ? file_of(r, r->ret) : 0;
  r->v[2] = r->v[3] = r->v[5] = r->v[6] = 0;
  if (!file) return;
  struct inode *inode = BPF_CORE_READ(file, f_inode);
  r->v[2] = user_device(BPF_CORE_READ(inode, i_sb, s_dev));
  r->v[3] = BPF_CORE_READ(inode, i_ino);
  r->v[5] = layer_of(BPF_CORE_READ(file, f_path.dentry), inode);
  r->v[6] = (BPF_CORE_READ(file, f_mode) & kFileCreated) != 0;
}

ALWAYS u32 kernel_open_bits(struct Record *r) {
  u32 bits = 0;
  if (r->v[6]) bits |= 1 << 14;
  if (r->v[5] == 1) bits |= 1 << 15;
  if (r->v[5] == 2) bits |= 1 << 16;
  return bits;
}

CHECKED_APART int pre_open(struct Record *r, u32 flags, u32 mode) {
  if (!r) return 0;
  note_new_file(r);
  r->v[0] = open_flags(flags) | kernel_open_bits(r);
  r->v[1] = flags & (0100 | 020200000) ? permission_bits(mode) : 0;
  return 0;
}

ALWAYS void pre_openat2(struct Record *r) {
  u64 how[3] = {};
  bpf_probe_read_user(how, sizeof how, (void *)r->args[2]);
  pre_open(r, how[0], how[1]);
  r->v[4] = translate_flags(how[2], 0);
}

ALWAYS void pre_pipe(struct Record *r) {
  s32 fds[2] = {-1, -1};
  if (bpf_probe_read_user(fds, sizeof fds, (void *)r->args[0])) fds[0] = fds[1] = -1;
  r->v[0] = (s64)fds[0];
  r->v[1] = (s64)fds[1];
  struct file *file = r->ret == 0 ? file_of(r, fds[0]) : 0;
  r->v[2] = file ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
}

ALWAYS void pre_accept(struct Record *r) {
  r->v[0] = r->v[1] = r->v[2] = 0;
  struct sock *sk = r->ret >= 0 ? sock_of(r, (s32)r->args[0]) : 0;
  if (!sk) return;
  const u32 length = BPF_CORE_READ(sk, sk_ack_backlog), limit = BPF_CORE_READ(sk, sk_max_ack_backlog);
  r->v[0] = length && limit ? (u64)length * 100 / limit : 0;
  r->v[1] = length;
  r->v[2] = limit;
}

ALWAYS void pre_socketpair(struct Record *r) {
  s32 fds[2] = {-1, -1};
  r->v[2] = r->v[3] = 0;
  if (r->ret == 0 && !bpf_probe_read_user(fds, sizeof fds, (void *)r->args[3])) {
    struct unix_sock *own = (struct unix_sock *)sock_of(r, fds[0]);
    if (own) {
      r->v[2] = hidden(own);
      r->v[3] = hidden(BPF_CORE_READ(own, peer));
    }
  }
  r->v[0] = (s64)fds[0];
  r->v[1] = (s64)fds[1];
}

ALWAYS void read_limits(struct Record *r, u64 pointer, u32 at) {
  u64 pair[2] = {};
  if (pointer) bpf_probe_read_user(pair, sizeof pair, (void *)pointer);
  r->v[at & 7] = pair[0];
  r->v[(at + 1) & 7] = pair[1];
}

ALWAYS void pre_prlimit(struct Record *r) {
  read_limits(r, r->args[2], 0);
  if (r->ret == 0)
    read_limits(r, r->args[3], 2);
  else
    r->v[2] = r->v[3] = -1;
}

ALWAYS void pre_io_uring(struct Record *r) {
  u32 p[6] = {};
  bpf_probe_read_user(p, sizeof p, (void *)r->args[1]);
#pragma unroll
  for (int i = 0; i < 6; ++i) r->v[i] = p[i];
  r->v[2] = translate_flags(p[2], 1);
  r->v[5] = translate_flags(p[5], 2);
}

ALWAYS void pre_prctl(struct Record *r) {
  const u32 option = r->args[0];
  r->v[0] = option == 15 || option == 16 ? 0 : option == 37 ? (s64)(s32)user_u32(r->args[1]) : r->args[1];
}

ALWAYS void pre_semop(struct Record *r) {
  u16 ops[6] = {};
  const u32 count = r->args[2];
  if (count >= 1) bpf_probe_read_user(ops, count >= 2 ? 12 : 6, (void *)r->args[1]);
#pragma unroll
  for (int i = 0; i < 6; ++i) r->v[i] = ops[i];
  // IPC_NOWAIT and SEM_UNDO
  r->v[2] = (ops[2] & 04000 ? 1 : 0) | (ops[2] & 0x1000 ? 2 : 0);
  r->v[5] = (ops[5] & 04000 ? 1 : 0) | (ops[5] & 0x1000 ? 2 : 0);
}

ALWAYS u64 timespec_ns(u64 pointer, u32 compat) {
  if (!pointer) return 0;
  if (compat) {
    s32 pair[2] = {};
    bpf_probe_read_user(pair, sizeof pair, (void *)pointer);
    return pair[0] * 1000000000ll + pair[1];
  }
  s64 pair[2] = {};
  bpf_probe_read_user(pair, sizeof pair, (void *)pointer);
  return pair[0] * 1000000000ll + pair[1];
}

ALWAYS void pre_caps(struct Record *r) {
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  const struct cred *cred = BPF_CORE_READ(task, cred);
  r->v[0] = capabilities(BPF_CORE_READ(cred, cap_inheritable.val));
  r->v[1] = capabilities(BPF_CORE_READ(cred, cap_permitted.val));
  r->v[2] = capabilities(BPF_CORE_READ(cred, cap_effective.val));
}

CHECKED_APART int run_pre_step(struct Record *r, u32 step, u32 arg) {
  if (!r) return 0;
  const u64 first = r->args[arg & 3];
  switch (step) {
    case PRE_OPEN: return pre_open(r, first, r->args[(arg + 1) & 3]);
    case PRE_OPENAT2: pre_openat2(r); break;
    case PRE_CREAT: pre_open(r, 0100 | 01000 | 1, r->args[1]); break;
    case PRE_PIPE: pre_pipe(r); break;
    case PRE_ACCEPT: pre_accept(r); break;
    case PRE_SOCKPAIR: pre_socketpair(r); break;
    case PRE_RLIMIT:
      read_limits(r, r->args[1], 0);
      if (arg && r->ret < 0) r->v[0] = r->v[1] = -1;
      break;
    case PRE_PRLIMIT: pre_prlimit(r); break;
    case PRE_GETRES:
      r->v[0] = user_u32(r->args[0]);
      r->v[1] = user_u32(r->args[1]);
      r->v[2] = user_u32(r->args[2]);
      break;
    case PRE_CAPS: pre_caps(r); break;
    case PRE_IO_URING: pre_io_uring(r); break;
    case PRE_MM: read_sizes(r, (struct task_struct *)bpf_get_current_task()); break;
    case PRE_PRCTL: pre_prctl(r); break;
    case PRE_SEMOP: pre_semop(r); break;
    case PRE_TIMESPEC: r->v[0] = timespec_ns(first, r->compat); break;
    case PRE_SETSOCKOPT: r->v[0] = arg ? user_u32(r->args[4]) : (u32)r->args[4]; break;
    case PRE_MSG: read_message(r, r->args[1]); break;
    default: break;
  }
  return 0;
}



// A socket option's value: a byte that says its kind, then the value.
CHECKED_APART int put_socket_option(struct Record *r, u32 get) {
  if (!r) return 0;
  const u32 pos = r->pos;
  const u64 value = r->args[3];
  u32 length = get ? user_u32(r->args[4]) : (u32)r->args[4];
  if (length > 1024) length = 1024;
  const u32 level = r->args[1], option = r->args[2];
  u32 kind = 0, size = 0;
  if (get && r->ret < 0) {
    *BYTE_AT(r, pos) = 0;
    end_param(r, 1);
    return 0;
  }
  if (level == 1) {
    if (option == 4) kind = 1;
    else if (option == 57) kind = 3;
    else if (option == 20 || option == 21 || option == 66 || option == 67) kind = 4;
    else if (option != 13 && option != 17 && option != 25 && option != 26 && option != 28 && option != 31 &&
             option != 50 && option != 55 && option != 59)
      kind = 2;
  }
  *BYTE_AT(r, pos) = kind;
  if (kind == 1) {
    *(s64 *)BYTE_AT(r, pos + 1) = -(s64)(s32)user_u32(value);
    size = 8;
  } else if (kind == 2) {
    *(u32 *)BYTE_AT(r, pos + 1) = user_u32(value);
    size = 4;
  } else if (kind == 3) {
    *(u64 *)BYTE_AT(r, pos + 1) = user_u64(value);
    size = 8;
  } else if (kind == 4) {
    s64 time[2] = {};
    bpf_probe_read_user(time, sizeof time, (void *)value);
    *(u64 *)BYTE_AT(r, pos + 1) = time[0] * 1000000000ll + time[1] * 1000;
    size = 8;
  } else if (length && !bpf_probe_read_user(BYTE_AT(r, pos + 1), bounded(length, 2047), (void *)value)) {
    size = length;
  }
  end_param(r, 1 + size);
  return 0;
}

CHECKED_APART int put_ptrace(struct Record *r, u32 data) {
  if (!r) return 0;
  const u32 pos = r->pos, request = r->args[0];
  *BYTE_AT(r, pos) = 0;
  u64 value = 0;
  if (r->ret >= 0 || (s64)request < 0) {
    if (!data)
      value = r->args[2];
    else if (request >= 1 && request <= 3)
      value = user_u64(r->args[3]);
    else if (request == 7 || request == 9 || request == 17 || request == 24) {
      *BYTE_AT(r, pos) = 1;
      *BYTE_AT(r, pos + 1) = r->args[3];
      end_param(r, 2);
      return 0;
    } else
      value = r->args[3];
  }
  *(u64 *)BYTE_AT(r, pos + 1) = value;
  end_param(r, 9);
  return 0;
}

struct Poll {
  u64 array;
  u32 pos, stored, after, pad;
};

static long poll_step(u32 index, struct Poll *poll) {
  struct Record *r = scratch();
  if (!r) return 1;
  struct {
    s32 fd;
    s16 events, returned;
  } entry = {};
  if (bpf_probe_read_user(&entry, sizeof entry, (void *)(poll->array + index * sizeof entry))) return 1;
  if (poll->after && !entry.returned) return 0;
  *(s64 *)BYTE_AT(r, poll->pos) = entry.fd;
  *(s16 *)BYTE_AT(r, poll->pos + 8) = translate_flags((u16)(poll->after ? entry.returned : entry.events), 3);
  poll->pos += 10;
  poll->stored++;
  return 0;
}

// u16 count, then fd s64 and flags s16 each.
CHECKED_APART int put_poll_list(struct Record *r, u32 after) {
  if (!r) return 0;
  u32 count = r->args[1];
  if (count > 16) count = 16;
  struct Poll poll = {r->args[0], r->pos + 2, 0, after, 0};
  bpf_loop(count, poll_step, &poll, 0);
  *(u16 *)BYTE_AT(r, r->pos) = poll.stored;
  end_param(r, 2 + poll.stored * 10);
  return 0;
}

ALWAYS u32 socket_family(u32 family) {
  family &= 0xff;
  // Newer families than the schema names keep their number.
  return family <= 45 ? family : 0;
}

CHECKED_APART int put_task(struct Record *r, u32 what) {
  if (!r) return 0;
  const u64 task = (u64)bpf_get_current_task();
  if (what == TASK_CLONE) {
    if (r->ret < 0) {
      put_empty(r);
      put_empty(r);
    } else {
      put_command_line(r, task);
    }
    put_task_common(r, task);
    u64 flags = 0;
    if (r->number == 56) flags = r->args[0];
    if (r->number == 435) flags = user_u64(r->args[0]);
    put_clone_rest(r, task, translate_flags(flags, 4), r->ret == 0);
    return 0;
  }
  const u64 argv = r->args[what == TASK_EXECVE ? 1 : 2], envp = r->args[what == TASK_EXECVE ? 2 : 3];
  if (argv) {
    put_string_array(r, argv, 0, 1);
  } else {
    *BYTE_AT(r, r->pos) = 0;
    end_param(r, 1);
  }
  put_string_array(r, argv, 1, 15);
  put_task_common(r, task);
  put_string_array(r, envp, 0, 15);
  put_task_identity(r, task);
  if (what == TASK_EXECVE) put_user_string(r, r->args[0]);
  return 0;
}

CHECKED_APART int put_fsconfig_value(struct Record *r, u32 text) {
  if (!r) return 0;
  const u32 command = r->args[1];
  if (r->ret < 0) {
    put_empty(r);
  } else if (text) {
    put_user_string(r, command == 1 || command == 3 || command == 4 ? r->args[3] : 0);
  } else {
    u32 length = r->args[4];
    if (length > kPath) length = kPath;
    put_user_bytes(r, command == 2 ? r->args[3] : 0, length);
  }
  return 0;
}

// Another thread may have unmapped the name since the kernel read it: hiding an open must not be that easy.
CHECKED_APART int put_open_name(struct Record *r, u64 pointer) {
  if (!r) return 0;
  const long length = pointer ? bpf_probe_read_user_str(BYTE_AT(r, r->pos), kPath, (void *)pointer) : 0;
  if (length > 0)
    end_param(r, length);
  else
    put_path_of_file(r, pointer && r->ret >= 0 ? (u64)file_of(r, r->ret) : 0);
  return 0;
}

ALWAYS u32 mknod_mode(u32 mode) {
  const u32 kind = mode & kModeMask;
  u32 out = permission_bits(mode);
  if (kind == 0 || kind == 0100000) out |= 0100000;
  if (kind == 0140000 || kind == 0020000 || kind == 0060000 || kind == 0010000) out |= kind;
  return out;
}

ALWAYS u32 data_length_written(struct Record *r, u32 arg) {
  return snap(r->ret > 0 ? r->ret : (u32)r->args[(arg + 1) & 3]);
}

// One parameter. `word` is the op: kind, arg, width, table from the low byte up.
CHECKED_APART int put_op(struct Record *r, u32 word) {
  if (!r) return 0;
  const u32 kind = word & 0xff, arg = (word >> 8) & 0xff, width = (word >> 16) & 0xf, table = word >> 24;
  const u64 value = arg < 6 ? r->args[arg] : 0;
  const u64 next = arg < 5 ? r->args[arg + 1] : 0;
  const s64 ret = r->ret;
  switch (kind) {
    case OP_RET: put_u64(r, ret); break;
    case OP_RET32: put_width(r, (s64)(s32)ret, width ? width : 8); break;
    case OP_S32: put_u64(r, (s64)(s32)value); break;
    case OP_ARG: {
      u64 plain = value;
      if (table == 1 && (value & 0xffff0000) == 0xc0ed0000) plain &= 0xffff;  // mount's old magic
      if (table == 2) plain = (u32)value;
      put_width(r, plain, width);
      break;
    }
    case OP_CONST: put_width(r, table, width); break;
    case OP_STR_OK: put_user_string(r, ret >= 0 ? value : 0); break;
    case OP_STR: put_user_string(r, value); break;
    case OP_OPEN_NAME: put_open_name(r, value); break;
    case OP_FLAGS: put_width(r, translate_flags(value, table), width); break;
    case OP_ENUM: {
      const u64 part = table & 0x80 ? value >> 8 : table & 0x40 ? value & 0xff : value;
      put_width(r, translate_enum(part, table & 0x3f), width);
      break;
    }
    case OP_OPEN_FLAGS: put_width(r, open_flags(value), width); break;
    case OP_MODE: put_u32(r, permission_bits(value)); break;
    case OP_MKNOD_MODE: put_u32(r, mknod_mode(value)); break;
    case OP_V: put_width(r, r->v[arg & 7], width); break;
    case OP_U64_AT: put_width(r, user_u64(value), width ? width : 8); break;
    case OP_DATA_READ: put_user_bytes(r, control.no_data ? 0 : value, ret > 0 ? snap(ret) : 0); break;
    case OP_DATA_WRITE: put_user_bytes(r, control.no_data ? 0 : value, data_length_written(r, arg)); break;
    case OP_IOV_READ:
    case OP_IOV_WRITE:
      r->iov = value;
      r->iov_count = next;
      put_vector(r, ret > 0 ? snap(ret) : kind == OP_IOV_WRITE ? snap(~0u) : 0);
      break;
    case OP_IOV_SIZE:
      r->iov = value;
      r->iov_count = next;
      put_u32(r, vector_size(r));
      break;
    case OP_RET_SIZE: put_u32(r, ret > 0 ? ret : 0); break;
    case OP_SOCKADDR: put_address(r, value, next); break;
    case OP_TUPLE_OUT:
    case OP_TUPLE_IN:
      if (ret >= 0 || (ret == -115 && r->number == 42))
        put_tuple(r, (s32)r->args[0], kind == OP_TUPLE_IN, table == 2 ? r->args[1] : table == 5 ? r->args[4] : 0);
      else
        put_empty(r);
      break;
    case OP_TUPLE_NEW:
      if (ret >= 0)
        put_tuple(r, ret, 1, 0);
      else
        put_empty(r);
      break;
    case OP_TASK: put_task(r, table); break;
    case OP_FDLIST: put_poll_list(r, table); break;
    case OP_SOCKOPT: put_socket_option(r, table); break;
    case OP_PTRACE_ADDR:
    case OP_PTRACE_DATA: put_ptrace(r, kind == OP_PTRACE_DATA); break;
    case OP_MSG_DATA: put_vector(r, ret > 0 ? snap(ret) : table ? 0 : snap(~0u)); break;
    case OP_MSG_SIZE: put_u32(r, table ? (ret > 0 ? ret : 0) : vector_size(r)); break;
    case OP_MSG_TUPLE:
      if (ret >= 0)
        put_tuple(r, (s32)r->args[0], table, r->msg_name);
      else
        put_empty(r);
      break;
    case OP_MSG_CONTROL:
      put_user_bytes(r, ret >= 0 && r->control_len < 65536 ? r->control : 0, r->control_len);
      break;
    case OP_PATH_OF_FD: put_path_of_file(r, ret >= 0 ? (u64)file_of(r, ret) : 0); break;
    case OP_BYTES_CAP: put_user_bytes(r, value, next > 1024 ? 1024 : next); break;
    case OP_PRCTL_STR: put_user_string(r, (u32)r->args[0] == 15 || (u32)r->args[0] == 16 ? value : 0); break;
    case OP_FSCONFIG_BYTES: put_fsconfig_value(r, 0); break;
    case OP_FSCONFIG_STR: put_fsconfig_value(r, 1); break;
    case OP_FAMILY: put_u32(r, socket_family(value)); break;
    default: put_empty(r); break;
  }
  return 0;
}
