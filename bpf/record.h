// The record under construction: one per CPU, laid out as src/event/event.h says, then copied to a ring. Programs run
// with preemption off and do not nest, so one is enough.
#pragma once

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "shared.h"

enum EventCode {
#define EVENT(code, ident, ...) ident = code,
#include "event/events.def"
#undef EVENT
};

#define ALWAYS static __always_inline
// A function verified once on its own, whatever calls it.
#define CHECKED_APART __noinline

enum { kHeader = 26, kBufferMask = 0xffff, kBuffer = 128 * 1024, kPath = 4096 };

// Paths that a set of patterns rejected: the same few are opened over and over.
enum { kRejectedWords = 11, kRejectedSlots = 256 };
struct Rejected {
  u64 key;  // length, set and the generation of the tests
  u64 words[kRejectedWords];
};

struct Record {
  u64 args[6];
  s64 ret;
  u64 v[8];  // results of the pre-step
  u32 number;
  u32 compat;
  u32 pos;    // where the next parameter's data goes
  u32 index;  // of the next parameter
  u32 type;
  u32 walked;      // bytes of the path in `path`, which ends at kPath
  u16 ports[2];    // of the tuple that was put last
  u32 has_ports;
  u64 iov, iov_count;
  u64 msg_name, control, control_len;
  u64 pointer;
  u64 task;  // address of the current task
  u16 lengths[64];
  u8 address[128];
  u8 path[2 * kPath];
  struct Rejected rejected[kRejectedSlots];
  u8 buf[kBuffer];
};

// One a CPU; not a per-CPU map, whose values are limited to 32 KiB. User space sets the number of entries.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct Record);
} records SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct Counters);
} counters SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8 << 20);
} file_ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 2 << 20);
} process_ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 65536);
  __type(key, u32);
  __type(value, u8);
} tracked SEC(".maps");

const volatile struct SyscallPlan plans[kSyscalls];
const volatile struct FlagMap flag_maps[kMaxFlagMaps];
const volatile struct EnumMap enum_maps[kMaxEnumMaps];
const volatile u16 compat_numbers[kSyscalls];
const volatile u64 pointer_key = 0;  // hides kernel addresses, which are only compared

volatile u8 wanted[kSyscalls];
volatile struct SyscallTest tests[kSyscalls];
volatile struct PathTest path_tests[kMaxTestSets];
volatile u8 port_bits[8192];
volatile struct Control control;

ALWAYS struct Record *scratch(void) {
  u32 cpu = bpf_get_smp_processor_id();
  return bpf_map_lookup_elem(&records, &cpu);
}

ALWAYS struct Counters *my_counters(void) {
  u32 zero = 0;
  return bpf_map_lookup_elem(&counters, &zero);
}

// A kernel pointer as a plain number, as functions that are checked apart take it.
ALWAYS u64 number_of(struct Record *r, const void *pointer) {
  *(volatile u64 *)&r->pointer = (u64)pointer;
  return *(volatile u64 *)&r->pointer;
}

// `value` within `mask`, in a way that the verifier sees and the compiler can't undo.
ALWAYS u64 bounded(u64 value, u32 mask) {
  asm volatile("%0 &= %1" : "+r"(value) : "i"(mask));
  return value;
}

#define BYTE_AT(r, offset) (&(r)->buf[(offset) & kBufferMask])



ALWAYS void begin_record(struct Record *r, u32 type, u32 count, u32 tid) {
  *(u64 *)&r->buf[0] = control.boot_epoch_ns + bpf_ktime_get_boot_ns();
  *(u64 *)&r->buf[8] = tid;
  *(u16 *)&r->buf[20] = type;
  *(u32 *)&r->buf[22] = count;
  r->type = type;
  r->index = 0;
  r->pos = kHeader + 2 * count;
  r->has_ports = 0;
}

// The lengths are collected apart and copied when the record is done: iterators use the same functions to put strings
// behind a header of their own.
ALWAYS void end_param(struct Record *r, u32 length) {
  r->lengths[r->index & 63] = length;
  r->index++;
  r->pos += length;
}

ALWAYS void put_u64(struct Record *r, u64 value) {
  *(u64 *)BYTE_AT(r, r->pos) = value;
  end_param(r, 8);
}
ALWAYS void put_u32(struct Record *r, u32 value) {
  *(u32 *)BYTE_AT(r, r->pos) = value;
  end_param(r, 4);
}
ALWAYS void put_u16(struct Record *r, u16 value) {
  *(u16 *)BYTE_AT(r, r->pos) = value;
  end_param(r, 2);
}
ALWAYS void put_u8(struct Record *r, u8 value) {
  *BYTE_AT(r, r->pos) = value;
  end_param(r, 1);
}
ALWAYS void put_empty(struct Record *r) { end_param(r, 0); }

ALWAYS void put_width(struct Record *r, u64 value, u32 width) {
  *(u64 *)BYTE_AT(r, r->pos) = value;
  end_param(r, width);
}

ALWAYS void put_user_string(struct Record *r, u64 pointer) {
  long length = 0;
  if (pointer) length = bpf_probe_read_user_str(BYTE_AT(r, r->pos), kPath, (void *)pointer);
  end_param(r, length > 0 ? length : 0);
}

ALWAYS void put_kernel_string(struct Record *r, const void *pointer, u32 limit) {
  long length = bpf_probe_read_kernel_str(BYTE_AT(r, r->pos), limit, pointer);
  end_param(r, length > 0 ? length : 0);
}

ALWAYS void put_user_bytes(struct Record *r, u64 pointer, u32 length) {
  length &= kBufferMask;
  if (!pointer || bpf_probe_read_user(BYTE_AT(r, r->pos), bounded(length, kBufferMask), (void *)pointer)) length = 0;
  end_param(r, length);
}



ALWAYS void count_loss(u32 reason, u32 type) {
  struct Counters *c = my_counters();
  if (!c) return;
  c->lost[reason]++;
  if (type < kMaxEventCodes) c->lost_by_type[type]++;
}

CHECKED_APART int submit(struct Record *r, u32 process) {
  if (!r) return 0;
  u32 length = r->pos;
  if (length > kBufferMask) {
    count_loss(LOSS_TOO_LARGE, r->type);
    return 0;
  }
  *(u32 *)&r->buf[16] = length;
  u32 bytes = 2 * r->index;
  if (bytes > sizeof r->lengths) bytes = sizeof r->lengths;
  bpf_probe_read_kernel(&r->buf[kHeader], bounded(bytes, 127), r->lengths);
  length &= kBufferMask;
  // The CPU follows the record.
  *(u16 *)&r->buf[length] = bpf_get_smp_processor_id();
  length += 2;
  u64 flags = BPF_RB_NO_WAKEUP;
  long error;
  if (process) {
    if (!control.reader_awake && bpf_ringbuf_query(&process_ring, BPF_RB_AVAIL_DATA) > control.quarter_process)
      flags = BPF_RB_FORCE_WAKEUP;
    error = bpf_ringbuf_output(&process_ring, r->buf, length, flags);
  } else {
    if (!control.reader_awake && bpf_ringbuf_query(&file_ring, BPF_RB_AVAIL_DATA) > control.quarter_file)
      flags = BPF_RB_FORCE_WAKEUP;
    error = bpf_ringbuf_output(&file_ring, r->buf, length, flags);
  }
  if (error) {
    count_loss(process ? LOSS_PROCESS_RING_FULL : LOSS_RING_FULL, r->type);
    return 0;
  }
  struct Counters *c = my_counters();
  if (c) c->sent++;
  return 0;
}
