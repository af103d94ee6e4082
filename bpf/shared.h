// What the BPF programs and their user side (src/capture/bpf) agree on: how a syscall's record is put together, which
// syscalls are wanted and why, the argument tests, counters. Included by C++ and by BPF C; needs u8 ... s64.
#pragma once

enum {
  kSyscalls = 512,     // numbers of system calls that can be asked for
  kMaxOps = 20,        // parameters of a table-driven event
  kMaxTestSets = 32,   // different sets of path patterns
  kMaxPatterns = 128,  // patterns in a set, prefixes and suffixes together
  kMaxSubstrings = 8,  // texts that a path of a set contains
  kClassSlots = 8,     // six classes of calls: 2 * (0 opened for reading, 1 writing, 2 both) + (1 when the call failed)
  kPatternBytes = 32,  // of a prefix that are compared
  kMaxEventCodes = 512,
  kMaxFlagMaps = 32,
  kMaxFlagBits = 30,
  kMaxEnumMaps = 12,
  kMaxEnumValues = 72,
};

// How one parameter is made. `arg` is the number of the syscall argument, `width` the bytes of the result.
enum OpKind {
  OP_NONE = 0,
  OP_RET,         // the result, s64
  OP_RET32,       // low half of the result, sign-extended
  OP_S32,         // argument: low half sign-extended to s64 (fds, pids)
  OP_ARG,         // argument cut to `width`
  OP_CONST,       // `table`, in `width` bytes
  OP_EMPTY,       //
  OP_STR,         // user string
  OP_OPEN_NAME,   // user string of an open; when it can't be read (any more), the path of the file that was opened
  OP_STR_OK,      // user string when the call succeeded, else empty
  OP_FLAGS,       // argument through bit map `table`
  OP_ENUM,        // argument through value map `table`; its bits 0x80: without the low byte, 0x40: that byte alone
  OP_OPEN_FLAGS,  // argument as open flags
  OP_MODE,        // permission bits, u32
  OP_MKNOD_MODE,  //
  OP_V,           // value `arg` that the pre-step computed, `width` bytes
  OP_U64_AT,      // u64 at user pointer, 0 when NULL
  OP_DATA_READ,   // buffer at arg, as many bytes as the result says, snaplen
  OP_DATA_WRITE,  // buffer at arg, result or arg+1 bytes, snaplen
  OP_IOV_READ,    // vector at arg with arg+1 entries, as many bytes as the result says
  OP_IOV_WRITE,   //
  OP_IOV_SIZE,    // u32 sum of the entries' lengths
  OP_RET_SIZE,    // u32 result, 0 when negative
  OP_SOCKADDR,    // user address at arg, length arg+1
  OP_TUPLE_OUT,   // tuple of the fd in argument 0; `table`: argument with the peer's address + 1, or 0
  OP_TUPLE_IN,    //
  OP_TUPLE_NEW,   // inbound tuple of the fd that the call returned
  OP_TASK,        // all parameters of an exec or a clone after the result: `table` as below
  OP_FDLIST,      // poll: pollfd array at arg, arg+1 entries; `table` 1: after the call
  OP_SOCKOPT,     // value of a socket option; `table` 1 for getsockopt
  OP_PTRACE_ADDR,
  OP_PTRACE_DATA,
  OP_MSG_DATA,     // msghdr at arg: data; `table` 1 for received
  OP_MSG_SIZE,     //
  OP_MSG_TUPLE,    //
  OP_MSG_CONTROL,  //
  OP_PATH_OF_FD,   // path of the file behind the new fd
  OP_BYTES_CAP,    // first bytes of the buffer at arg, length arg+1
  OP_PRCTL_STR,
  OP_FSCONFIG_BYTES,
  OP_FSCONFIG_STR,
  OP_FAMILY,  // socket family
  OP_KEYCTL,  // dynamic parameter: `table` says which
};

enum TaskOp { TASK_EXECVE = 0, TASK_EXECVEAT = 1, TASK_CLONE = 2 };

// What is computed before the parameters: open flags, fds of a pipe ...; the values land in v[].
enum PreStep {
  PRE_NONE = 0,
  PRE_OPEN,       // arguments: flags in arg `pre_arg`, mode in the next: v0 flags, v1 mode, v2 dev, v3 ino
  PRE_OPENAT2,    // v4 resolve
  PRE_CREAT,      // v0 layer bits
  PRE_PIPE,       // v0 v1 fds, v2 inode
  PRE_ACCEPT,     // v0 percent, v1 length, v2 limit
  PRE_SOCKPAIR,   // v0 v1 fds, v2 v3 pointers
  PRE_RLIMIT,     // v0 v1 of arg `pre_arg`
  PRE_PRLIMIT,    // v0..v3
  PRE_GETRES,     // v0..v2 u32 at args 0..2
  PRE_CAPS,       // v0..v2
  PRE_IO_URING,   // v0..v5
  PRE_MM,         // v0..v2 sizes in KiB
  PRE_PRCTL,      // v0 integer
  PRE_SEMOP,      // v0..v5 u16
  PRE_TIMESPEC,   // v0 ns of the timespec at arg `pre_arg`
  PRE_SETSOCKOPT,
  PRE_MSG,  // reads the msghdr at arg 1
};

struct Op {
  u8 kind, arg, width, table;
};

struct SyscallPlan {
  u16 type;  // event code of the exit event
  u8 count;  // parameters of the event
  u8 ops_count;
  u8 pre, pre_arg;
  u8 path_arg;  // 1 + argument with the path that path tests are about, 0: none
  u8 dirfd_arg;  // 1 + argument with its directory, 0: none
  u8 open_flags_arg;  // 1 + argument with open flags (255: openat2), 0: none
  u8 ring;            // 1: the ring of process events
  u8 fd_arg;          // 1 + argument with the fd that the call uses
  u8 pad;
  u16 generic_id;  // portable code when the event is the generic one
  u16 pad2;
  struct Op ops[kMaxOps];
};

// Bits of wanted[number].
enum {
  WANT_RULES = 1,     // rules match the event: `tests` decides
  WANT_STATE = 2,     // state needs it: `state_when` decides
  WANT_COMPAT = 128,  // some 32-bit call has this number and is wanted
};

// When an event that no rule can match is needed for state.
enum StateWhen {
  WHEN_OK = 0,      // successful calls
  WHEN_DIRECTORY,   // the new fd is a directory
  WHEN_KEPT,        // the fd that it returned is a directory or a socket
  WHEN_PRCTL,       // options that change what state holds
  WHEN_NOFILE,      // limit of open files
  WHEN_FCNTL,       // duplicates, close-on-exec
  WHEN_CONNECT,     // succeeded or in progress
  WHEN_UNCONNECTED, // datagram that tells the peer of an unconnected socket
  WHEN_RIGHTS,      // unconnected, or fds came along
  WHEN_SO_ERROR,
  WHEN_FCNTL_KEPT,  // likewise
};

// Argument tests of one syscall.
enum {
  TEST_CLASS = 1,   // by_class decides, by how the file is opened and whether the call succeeded
  TEST_SOCKET = 2,  // the fd that it uses is a socket
  TEST_PORTS = 4,
};

// Values of by_class that are no index of a set of paths.
enum { CLASS_NONE = 254, CLASS_ALL = 255 };

struct SyscallTest {
  u8 flags;
  u8 state_when;              // enum StateWhen
  u8 by_class[kClassSlots];  // set of path patterns, or CLASS_NONE or CLASS_ALL
};

// A pattern: the masked words of the path's first 32 bytes (prefix) or last 8 bytes (suffix) are compared; longer
// patterns let more pass than they should, which user space sorts out.
struct Pattern {
  u64 value[kPatternBytes / 8];
  u64 mask[kPatternBytes / 8];
};

struct PatternRange {
  u8 first, count;
};

// Three bytes that lie side by side in a text that the path contains, each in all bytes of a word.
struct Substring {
  u64 bytes[3];
};

struct PathTest {
  struct PatternRange prefixes[256];  // by the path's second byte; 0 also holds for "/" alone
  struct PatternRange suffixes[256];  // by the path's last byte
  struct PatternRange any_prefixes;   // those of one byte
  u16 longest_suffix;
  u8 has_prefixes;
  u8 substrings_count;
  u8 raw_count;  // of these, the first are looked for in the argument itself, the others in the absolute path
  u8 pad[3];
  struct Substring substrings[kMaxSubstrings];
  struct Pattern patterns[kMaxPatterns];
};

struct FlagBit {
  u32 native, ours;
};
struct FlagMap {
  u32 count;
  u32 pad;
  struct FlagBit bits[kMaxFlagBits];
};
struct EnumMap {
  u32 count;
  u32 unknown;
  struct FlagBit values[kMaxEnumValues];
};

// Set by user space; may change while programs run.
struct Control {
  u64 boot_epoch_ns;
  u32 self_tgid;
  u32 snaplen;
  u32 drop_failed;
  u32 everything;     // record: as the reference, with all parameters
  u32 only_tracked;   // only processes of the map `tracked`
  u32 emit_fork;      // sched_process_fork makes the event of a new task
  u32 quarter_file;   // bytes that make a sleeping reader wake up
  u32 quarter_process;
  u32 reader_awake;
  u32 want_signals;
  u32 no_data;  // leave out the data of reads and writes
  u32 tests_generation;  // from 1; another one when the path tests changed
};

enum LossReason { LOSS_RING_FULL = 0, LOSS_PROCESS_RING_FULL, LOSS_TOO_LARGE, LOSS_REASONS };

// Per CPU.
struct Counters {
  u64 seen;  // wanted calls that reached a handler
  u64 sent;
  u64 filtered;  // by argument tests
  u64 lost[LOSS_REASONS];
  u64 lost_by_type[kMaxEventCodes];
};

// What the iterators write. Strings follow in the order of `length`, without NUL where they are single.
enum { TASK_COMM = 0, TASK_EXE_ARGS, TASK_EXEPATH, TASK_CWD, TASK_ROOT, TASK_ENV, TASK_CGROUPS, TASK_STRINGS };
struct TaskItem {
  u32 size;  // of the whole item
  u32 flags;
  s64 tid, pid, ptid, sid, vpgid, pgid, vtid, vpid;
  u64 fdlimit, pfmajor, pfminor, pidns_init_start, start_boottime;
  u64 cap_inheritable, cap_permitted, cap_effective;
  u64 exe_ino, exe_ctime, exe_mtime;
  u32 uid, gid, loginuid, tty;
  u32 vmsize_kb, vmrss_kb, vmswap_kb;
  u16 length[TASK_STRINGS];
  u16 pad;
};

struct FdItem {
  u32 size;
  u32 tgid;
  s32 fd;
  u32 open_flags;
  u64 ino;
  u32 dev;
  u8 type;  // FdType
  u8 l4;
  u16 name_length;
  u16 local_port, remote_port;
  u8 local_ip[16], remote_ip[16];
  u32 listening;
  u64 unix_self, unix_peer;
};
