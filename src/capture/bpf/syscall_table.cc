// One row a system call. Most parameters are arguments as they are; the shorthand below names the
// others. A call without a row of its own is sent as the generic event, by its number.
#include "capture/bpf/syscall_table.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/assert.h"
#include "event/schema.h"

namespace saker::capture {

namespace {

using namespace kernel;
using namespace event;

// Indexes of the flag maps. The first five are known to the programs by number.
enum FlagTable : u8 {
  kResolve,
  kUringSetup,
  kUringFeatures,
  kPoll,
  kClone,
  kCloseOnExec,  // O_CLOEXEC alone
  kNewFd,        // O_NONBLOCK and O_CLOEXEC of sockets, pipes, eventfds
  kPipe,         // also O_DIRECT
  kCloseRange,
  kProt,
  kMmap,
  kEpollCreate,
  kMemfd,
  kPidfd,
  kUringEnter,
  kFlock,
  kUnlinkat,
  kLinkat,
  kFchownat,
  kStatat,
  kUmount,
  kSplice,
  kAccess,
  kMlockall,
  kMlock2,
  kFinit,
  kDeleteModule,
  kSemget,
};

enum ValueTable : u8 {
  kFcntl,
  kRlimit,
  kPtrace,
  kSockopt,
  kWhence,
  kShutdown,
  kSemctl,
  kLevel,
  kQuotaCommand,
  kQuotaType
};

constexpr Op op(OpKind kind, u8 arg = 0, u8 width = 0, u8 table = 0) {
  return {static_cast<u8>(kind), arg, width, table};
}

constexpr Op kRet = op(OP_RET);
constexpr Op s32_arg(u8 arg) {
  return op(OP_S32, arg);
}
constexpr Op fd(u8 arg) {
  return op(OP_S32, arg);
}
constexpr Op u8_arg(u8 arg) {
  return op(OP_ARG, arg, 1);
}
constexpr Op u16_arg(u8 arg) {
  return op(OP_ARG, arg, 2);
}
constexpr Op u32_arg(u8 arg) {
  return op(OP_ARG, arg, 4);
}
constexpr Op u64_arg(u8 arg) {
  return op(OP_ARG, arg, 8);
}
constexpr Op str(u8 arg) {
  return op(OP_STR, arg);
}
constexpr Op flags(u8 arg, FlagTable table, u8 width = 4) {
  return op(OP_FLAGS, arg, width, table);
}
constexpr Op value(u8 arg, ValueTable table, u8 width = 1) {
  return op(OP_ENUM, arg, width, table);
}
constexpr Op mode(u8 arg) {
  return op(OP_MODE, arg);
}
constexpr Op v8(u8 index) {
  return op(OP_V, index, 8);
}
constexpr Op v4(u8 index) {
  return op(OP_V, index, 4);
}
constexpr Op v2(u8 index) {
  return op(OP_V, index, 2);
}
constexpr Op v1(u8 index) {
  return op(OP_V, index, 1);
}
constexpr Op zero(u8 width) {
  return op(OP_CONST, 0, width, 0);
}
constexpr Op kEmpty = op(OP_EMPTY);

// What else a row says: the step before the parameters, and what tests are about.
struct Extra {
  PreStep pre = PRE_NONE;
  u8 pre_arg = 0;
  int path = -1, dirfd = -1, open_flags = -1, fd = -1;
  bool process = false;
};

struct Row {
  u16 number;
  EventCode type;
  std::initializer_list<Op> ops;
  Extra extra = {};
};

constexpr Extra uses(int fd_arg) {
  return {.fd = fd_arg};
}
constexpr Extra path_at(int arg, int dirfd = -1) {
  return {.path = arg, .dirfd = dirfd};
}

const Row kIoRows[] = {
    {0, SYSCALL_READ_X, {kRet, op(OP_DATA_READ, 1), fd(0), u32_arg(2)}, uses(0)},
    {1, SYSCALL_WRITE_X, {kRet, op(OP_DATA_WRITE, 1), fd(0), u32_arg(2)}, uses(0)},
    {17, SYSCALL_PREAD_X, {kRet, op(OP_DATA_READ, 1), fd(0), u32_arg(2), u64_arg(3)}, uses(0)},
    {18, SYSCALL_PWRITE_X, {kRet, op(OP_DATA_WRITE, 1), fd(0), u32_arg(2), u64_arg(3)}, uses(0)},
    {19, SYSCALL_READV_X, {kRet, op(OP_RET_SIZE), op(OP_IOV_READ, 1), fd(0)}, uses(0)},
    {20, SYSCALL_WRITEV_X, {kRet, op(OP_IOV_WRITE, 1), fd(0), op(OP_IOV_SIZE, 1)}, uses(0)},
    {295,
     SYSCALL_PREADV_X,
     {kRet, op(OP_RET_SIZE), op(OP_IOV_READ, 1), fd(0), u64_arg(3)},
     uses(0)},
    {296,
     SYSCALL_PWRITEV_X,
     {kRet, op(OP_IOV_WRITE, 1), fd(0), op(OP_IOV_SIZE, 1), u64_arg(3)},
     uses(0)},
    {40, SYSCALL_SENDFILE_X, {kRet, op(OP_U64_AT, 2), fd(0), fd(1), u64_arg(3)}, uses(1)},
    {275, SYSCALL_SPLICE_X, {kRet, fd(0), fd(2), u64_arg(4), flags(5, kSplice)}, uses(0)},
    {326,
     SYSCALL_COPY_FILE_RANGE_X,
     {kRet, fd(2), u64_arg(3), fd(0), u64_arg(1), u64_arg(4)},
     uses(0)},
    {310, SYSCALL_PROCESS_VM_READV_X, {kRet, s32_arg(0), op(OP_IOV_READ, 1)}},
    {311, SYSCALL_PROCESS_VM_WRITEV_X, {kRet, s32_arg(0), op(OP_IOV_WRITE, 1)}},
    {8, SYSCALL_LSEEK_X, {kRet, fd(0), u64_arg(1), value(2, kWhence)}, uses(0)},
    {16, SYSCALL_IOCTL_3_X, {kRet, fd(0), u64_arg(1), u64_arg(2)}, uses(0)},
    {7, SYSCALL_POLL_X, {kRet, op(OP_FDLIST, 0, 0, 1), op(OP_S32, 2)}},
    {271,
     SYSCALL_PPOLL_X,
     {kRet, op(OP_FDLIST, 0, 0, 1), v8(0), op(OP_U64_AT, 3, 4)},
     {.pre = PRE_TIMESPEC, .pre_arg = 2}},
    {23, SYSCALL_SELECT_X, {kRet}},
    {232, SYSCALL_EPOLLWAIT_X, {kRet, s32_arg(2)}},
    {73, SYSCALL_FLOCK_X, {kRet, fd(0), flags(1, kFlock)}, uses(0)},
    {78, SYSCALL_GETDENTS_X, {kRet, fd(0)}, uses(0)},
    {217, SYSCALL_GETDENTS64_X, {kRet, fd(0)}, uses(0)},
    {5, SYSCALL_FSTAT_X, {kRet, fd(0)}, uses(0)},
    {425,
     SYSCALL_IO_URING_SETUP_X,
     {kRet, u32_arg(0), v4(0), v4(1), v4(2), v4(3), v4(4), v4(5)},
     {.pre = PRE_IO_URING}},
    {426,
     SYSCALL_IO_URING_ENTER_X,
     {kRet, fd(0), u32_arg(1), u32_arg(2), flags(3, kUringEnter), u32_arg(4)},
     uses(0)},
    {427, SYSCALL_IO_URING_REGISTER_X, {kRet, fd(0), u16_arg(1), u64_arg(2), u32_arg(3)}, uses(0)},
};

const Row kFileRows[] = {
    {2,
     SYSCALL_OPEN_X,
     {kRet, op(OP_OPEN_NAME, 0), v4(0), v4(1), v4(2), v8(3)},
     {.pre = PRE_OPEN, .pre_arg = 1, .path = 0, .open_flags = 1}},
    {257,
     SYSCALL_OPENAT_2_X,
     {kRet, fd(0), op(OP_OPEN_NAME, 1), v4(0), v4(1), v4(2), v8(3)},
     {.pre = PRE_OPEN, .pre_arg = 2, .path = 1, .dirfd = 0, .open_flags = 2}},
    {437,
     SYSCALL_OPENAT2_X,
     {kRet, fd(0), op(OP_OPEN_NAME, 1), v4(0), v4(1), v4(4), v4(2), v8(3)},
     {.pre = PRE_OPENAT2, .path = 1, .dirfd = 0, .open_flags = 254}},
    {85,
     SYSCALL_CREAT_X,
     {kRet, op(OP_OPEN_NAME, 0), v4(1), v4(2), v8(3), v2(5)},
     {.pre = PRE_CREAT, .path = 0}},
    {304,
     SYSCALL_OPEN_BY_HANDLE_AT_X,
     {kRet, fd(0), v4(0), op(OP_PATH_OF_FD), v4(2), v8(3)},
     {.pre = PRE_OPEN, .pre_arg = 2}},
    {3, SYSCALL_CLOSE_X, {kRet, fd(0)}, uses(0)},
    {436, SYSCALL_CLOSE_RANGE_X, {kRet, u32_arg(0), u32_arg(1), flags(2, kCloseRange)}},
    {32, SYSCALL_DUP_1_X, {op(OP_RET32), fd(0)}, uses(0)},
    {33, SYSCALL_DUP2_X, {op(OP_RET32), fd(0), fd(1)}, uses(0)},
    {292, SYSCALL_DUP3_X, {op(OP_RET32), fd(0), fd(1), flags(2, kCloseOnExec)}, uses(0)},
    {22, SYSCALL_PIPE_X, {kRet, v8(0), v8(1), v8(2)}, {.pre = PRE_PIPE}},
    {293, SYSCALL_PIPE2_X, {kRet, v8(0), v8(1), v8(2), flags(1, kPipe)}, {.pre = PRE_PIPE}},
    {72, SYSCALL_FCNTL_X, {kRet, fd(0), value(1, kFcntl), u64_arg(2)}, uses(0)},
    {284, SYSCALL_EVENTFD_X, {kRet, u64_arg(0), zero(4)}},
    {290, SYSCALL_EVENTFD2_X, {kRet, flags(1, kNewFd, 2), u64_arg(0)}},
    {282, SYSCALL_SIGNALFD_X, {kRet, fd(0), zero(4), zero(1)}},
    {289, SYSCALL_SIGNALFD4_X, {kRet, flags(3, kNewFd, 2), fd(0), zero(4)}},
    {283, SYSCALL_TIMERFD_CREATE_X, {kRet, u8_arg(0), u8_arg(1)}},
    {253, SYSCALL_INOTIFY_INIT_X, {kRet, zero(1)}},
    {294, SYSCALL_INOTIFY_INIT1_X, {kRet, flags(0, kNewFd, 2)}},
    {213, SYSCALL_EPOLL_CREATE_X, {kRet, u32_arg(0)}},
    {291, SYSCALL_EPOLL_CREATE1_X, {kRet, flags(0, kEpollCreate)}},
    {319, SYSCALL_MEMFD_CREATE_X, {kRet, str(0), flags(1, kMemfd)}},
    {323, SYSCALL_USERFAULTFD_X, {kRet, flags(0, kNewFd)}},
    {434, SYSCALL_PIDFD_OPEN_X, {kRet, s32_arg(0), flags(1, kPidfd)}},
    {438, SYSCALL_PIDFD_GETFD_X, {kRet, fd(0), fd(1), u32_arg(2)}, uses(0)},
    {321, SYSCALL_BPF_2_X, {kRet, u32_arg(0)}},
    {87, SYSCALL_UNLINK_2_X, {kRet, str(0)}, path_at(0)},
    {84, SYSCALL_RMDIR_2_X, {kRet, str(0)}, path_at(0)},
    {263, SYSCALL_UNLINKAT_2_X, {kRet, fd(0), str(1), flags(2, kUnlinkat)}, path_at(1, 0)},
    {82, SYSCALL_RENAME_X, {kRet, str(0), str(1)}},
    {264, SYSCALL_RENAMEAT_X, {kRet, fd(0), str(1), fd(2), str(3)}},
    {316, SYSCALL_RENAMEAT2_X, {kRet, fd(0), str(1), fd(2), str(3), u32_arg(4)}},
    {86, SYSCALL_LINK_2_X, {kRet, str(0), str(1)}},
    {265, SYSCALL_LINKAT_2_X, {kRet, fd(0), str(1), fd(2), str(3), flags(4, kLinkat)}},
    {88, SYSCALL_SYMLINK_X, {kRet, str(0), str(1)}, path_at(1)},
    {266, SYSCALL_SYMLINKAT_X, {kRet, str(0), fd(1), str(2)}, path_at(2, 1)},
    {83, SYSCALL_MKDIR_2_X, {kRet, str(0), u32_arg(1)}, path_at(0)},
    {258, SYSCALL_MKDIRAT_X, {kRet, fd(0), str(1), u32_arg(2)}, path_at(1, 0)},
    {90, SYSCALL_CHMOD_X, {kRet, str(0), mode(1)}, path_at(0)},
    {91, SYSCALL_FCHMOD_X, {kRet, fd(0), mode(1)}, uses(0)},
    {268, SYSCALL_FCHMODAT_X, {kRet, fd(0), str(1), mode(2)}, path_at(1, 0)},
    {92, SYSCALL_CHOWN_X, {kRet, str(0), u32_arg(1), u32_arg(2)}, path_at(0)},
    {94, SYSCALL_LCHOWN_X, {kRet, str(0), u32_arg(1), u32_arg(2)}, path_at(0)},
    {93, SYSCALL_FCHOWN_X, {kRet, fd(0), u32_arg(1), u32_arg(2)}, uses(0)},
    {260,
     SYSCALL_FCHOWNAT_X,
     {kRet, fd(0), str(1), u32_arg(2), u32_arg(3), flags(4, kFchownat)},
     path_at(1, 0)},
    {133, SYSCALL_MKNOD_X, {kRet, str(0), op(OP_MKNOD_MODE, 1), u32_arg(2)}, path_at(0)},
    {259,
     SYSCALL_MKNODAT_X,
     {kRet, fd(0), str(1), op(OP_MKNOD_MODE, 2), u32_arg(3)},
     path_at(1, 0)},
    {21, SYSCALL_ACCESS_X, {kRet, str(0), flags(1, kAccess)}, path_at(0)},
    {4, SYSCALL_STAT_X, {kRet, str(0)}, path_at(0)},
    {6, SYSCALL_LSTAT_X, {kRet, str(0)}, path_at(0)},
    {262, SYSCALL_NEWFSTATAT_X, {kRet, fd(0), str(1), flags(3, kStatat)}, path_at(1, 0)},
    {165, SYSCALL_MOUNT_X, {kRet, str(0), str(1), str(2), op(OP_ARG, 3, 4, 1)}},
    {166, SYSCALL_UMOUNT2_X, {kRet, str(0), flags(1, kUmount)}, path_at(0)},
    {431,
     SYSCALL_FSCONFIG_X,
     {kRet, fd(0), u32_arg(1), str(2), op(OP_FSCONFIG_BYTES), op(OP_FSCONFIG_STR), u32_arg(4)},
     uses(0)},
    {79, SYSCALL_GETCWD_X, {kRet, op(OP_STR_OK, 0)}},
    {80, SYSCALL_CHDIR_X, {kRet, str(0)}},
    {81, SYSCALL_FCHDIR_X, {kRet, fd(0)}, uses(0)},
    {161, SYSCALL_CHROOT_X, {kRet, str(0)}},
    {179,
     SYSCALL_QUOTACTL_X,
     {kRet, str(1), kEmpty, zero(8), zero(8), zero(8), zero(8), zero(8), zero(8), zero(8), zero(8),
      zero(8), zero(1), zero(1), op(OP_ENUM, 0, 2, kQuotaCommand | 0x80),
      op(OP_ENUM, 0, 1, kQuotaType | 0x40), u32_arg(2), zero(1)}},
};

const Row kSocketRows[] = {
    {41, SOCKET_SOCKET_X, {kRet, op(OP_FAMILY, 0), u32_arg(1), u32_arg(2), flags(1, kNewFd)}},
    {49, SOCKET_BIND_X, {kRet, op(OP_SOCKADDR, 1), fd(0)}, uses(0)},
    {42, SOCKET_CONNECT_X, {kRet, op(OP_TUPLE_OUT, 0, 0, 2), fd(0), op(OP_SOCKADDR, 1)}, uses(0)},
    {50, SOCKET_LISTEN_X, {kRet, fd(0), u32_arg(1)}, uses(0)},
    {43, SOCKET_ACCEPT_5_X, {kRet, op(OP_TUPLE_NEW), v1(0), v4(1), v4(2)}, {.pre = PRE_ACCEPT}},
    {288,
     SOCKET_ACCEPT4_6_X,
     {kRet, op(OP_TUPLE_NEW), v1(0), v4(1), v4(2), flags(3, kNewFd)},
     {.pre = PRE_ACCEPT}},
    {53,
     SOCKET_SOCKETPAIR_X,
     {kRet, v8(0), v8(1), v8(2), v8(3), op(OP_FAMILY, 0), u32_arg(1), u32_arg(2)},
     {.pre = PRE_SOCKPAIR}},
    {44,
     SOCKET_SENDTO_X,
     {kRet, op(OP_DATA_WRITE, 1), fd(0), u32_arg(2), op(OP_TUPLE_OUT, 0, 0, 5)},
     uses(0)},
    {45,
     SOCKET_RECVFROM_X,
     {kRet, op(OP_DATA_READ, 1), op(OP_TUPLE_IN, 0, 0, 5), fd(0), u32_arg(2)},
     uses(0)},
    {46,
     SOCKET_SENDMSG_X,
     {kRet, op(OP_MSG_DATA), fd(0), op(OP_MSG_SIZE), op(OP_MSG_TUPLE)},
     {.pre = PRE_MSG, .fd = 0}},
    {47,
     SOCKET_RECVMSG_X,
     {kRet, op(OP_MSG_SIZE, 0, 0, 1), op(OP_MSG_DATA, 0, 0, 1), op(OP_MSG_TUPLE, 0, 0, 1),
      op(OP_MSG_CONTROL), fd(0)},
     {.pre = PRE_MSG, .fd = 0}},
    {307,
     SOCKET_SENDMMSG_X,
     {kRet, op(OP_ARG, 0, 8, 2), op(OP_MSG_SIZE), op(OP_MSG_DATA), op(OP_MSG_TUPLE)},
     uses(0)},
    {299,
     SOCKET_RECVMMSG_X,
     {kRet, op(OP_ARG, 0, 8, 2), op(OP_MSG_SIZE, 0, 0, 1), op(OP_MSG_DATA, 0, 0, 1),
      op(OP_MSG_TUPLE, 0, 0, 1), op(OP_MSG_CONTROL)},
     uses(0)},
    {51, SOCKET_GETSOCKNAME_X, {}, uses(0)},
    {52, SOCKET_GETPEERNAME_X, {}, uses(0)},
    {48, SOCKET_SHUTDOWN_X, {kRet, fd(0), value(1, kShutdown)}, uses(0)},
    {54,
     SOCKET_SETSOCKOPT_X,
     {kRet, fd(0), value(1, kLevel), value(2, kSockopt), op(OP_SOCKOPT), v4(0)},
     {.pre = PRE_SETSOCKOPT, .fd = 0}},
    {55,
     SOCKET_GETSOCKOPT_X,
     {kRet, fd(0), value(1, kLevel), value(2, kSockopt), op(OP_SOCKOPT, 0, 0, 1), v4(0)},
     {.pre = PRE_SETSOCKOPT, .pre_arg = 1, .fd = 0}},
};

const Row kProcessRows[] = {
    {56, SYSCALL_CLONE_20_X, {kRet, op(OP_TASK, 0, 0, TASK_CLONE)}, {.process = true}},
    {57, SYSCALL_FORK_20_X, {kRet, op(OP_TASK, 0, 0, TASK_CLONE)}, {.process = true}},
    {58, SYSCALL_VFORK_20_X, {kRet, op(OP_TASK, 0, 0, TASK_CLONE)}, {.process = true}},
    {435, SYSCALL_CLONE3_X, {kRet, op(OP_TASK, 0, 0, TASK_CLONE)}, {.process = true}},
    {59, SYSCALL_EXECVE_19_X, {kRet, op(OP_TASK, 0, 0, TASK_EXECVE)}, {.process = true}},
    {322, SYSCALL_EXECVEAT_X, {kRet, op(OP_TASK, 0, 0, TASK_EXECVEAT)}, {.process = true}},
    {62, SYSCALL_KILL_X, {kRet, s32_arg(0), u8_arg(1)}},
    {200, SYSCALL_TKILL_X, {kRet, s32_arg(0), u8_arg(1)}},
    {234, SYSCALL_TGKILL_X, {kRet, s32_arg(0), s32_arg(1), u8_arg(2)}},
    {101,
     SYSCALL_PTRACE_X,
     {kRet, op(OP_PTRACE_ADDR), op(OP_PTRACE_DATA), value(0, kPtrace, 2), s32_arg(1)}},
    {105, SYSCALL_SETUID_X, {kRet, u32_arg(0)}, {.process = true}},
    {106, SYSCALL_SETGID_X, {kRet, u32_arg(0)}, {.process = true}},
    {113, SYSCALL_SETREUID_X, {kRet, u32_arg(0), u32_arg(1)}, {.process = true}},
    {114, SYSCALL_SETREGID_X, {kRet, u32_arg(0), u32_arg(1)}, {.process = true}},
    {117, SYSCALL_SETRESUID_X, {kRet, u32_arg(0), u32_arg(1), u32_arg(2)}, {.process = true}},
    {119, SYSCALL_SETRESGID_X, {kRet, u32_arg(0), u32_arg(1), u32_arg(2)}, {.process = true}},
    {118, SYSCALL_GETRESUID_X, {kRet, v4(0), v4(1), v4(2)}, {.pre = PRE_GETRES}},
    {120, SYSCALL_GETRESGID_X, {kRet, v4(0), v4(1), v4(2)}, {.pre = PRE_GETRES}},
    {102, SYSCALL_GETUID_X, {op(OP_RET32, 0, 4)}},
    {104, SYSCALL_GETGID_X, {op(OP_RET32, 0, 4)}},
    {107, SYSCALL_GETEUID_X, {op(OP_RET32, 0, 4)}},
    {108, SYSCALL_GETEGID_X, {op(OP_RET32, 0, 4)}},
    {109, SYSCALL_SETPGID_X, {kRet, s32_arg(0), s32_arg(1)}, {.process = true}},
    {112, SYSCALL_SETSID_X, {kRet}, {.process = true}},
    {126, SYSCALL_CAPSET_X, {kRet, v8(0), v8(1), v8(2)}, {.pre = PRE_CAPS, .process = true}},
    {157, SYSCALL_PRCTL_X, {kRet, u32_arg(0), op(OP_PRCTL_STR, 1), v8(0)}, {.pre = PRE_PRCTL}},
    {302,
     SYSCALL_PRLIMIT_X,
     {kRet, v8(0), v8(1), v8(2), v8(3), s32_arg(0), value(1, kRlimit)},
     {.pre = PRE_PRLIMIT}},
    {160, SYSCALL_SETRLIMIT_X, {kRet, v8(0), v8(1), value(0, kRlimit)}, {.pre = PRE_RLIMIT}},
    {97,
     SYSCALL_GETRLIMIT_X,
     {kRet, v8(0), v8(1), value(0, kRlimit)},
     {.pre = PRE_RLIMIT, .pre_arg = 1}},
    {308, SYSCALL_SETNS_X, {kRet, fd(0), flags(1, kClone)}, {.fd = 0}},
    {272, SYSCALL_UNSHARE_X, {kRet, flags(0, kClone)}},
    {317, SYSCALL_SECCOMP_X, {kRet, u64_arg(0), op(OP_ARG, 1, 8, 2)}},
    {175, SYSCALL_INIT_MODULE_X, {kRet, op(OP_BYTES_CAP, 0), u64_arg(1), str(2)}},
    {313, SYSCALL_FINIT_MODULE_X, {kRet, fd(0), str(1), flags(2, kFinit)}, uses(0)},
    {176, SYSCALL_DELETE_MODULE_X, {kRet, str(0), flags(1, kDeleteModule)}},
    {250,
     SYSCALL_KEYCTL_X,
     {kRet, u32_arg(0), op(OP_KEYCTL, 1), op(OP_KEYCTL, 2), op(OP_KEYCTL, 3), op(OP_KEYCTL, 4)}},
};

const Row kMemoryRows[] = {
    {9,
     SYSCALL_MMAP_X,
     {kRet, v4(0), v4(1), v4(2), u64_arg(0), u64_arg(1), flags(2, kProt), flags(3, kMmap), fd(4),
      u64_arg(5)},
     {.pre = PRE_MM}},
    {10, SYSCALL_MPROTECT_X, {kRet, u64_arg(0), u64_arg(1), flags(2, kProt)}},
    {11, SYSCALL_MUNMAP_X, {kRet, v4(0), v4(1), v4(2), u64_arg(0), u64_arg(1)}, {.pre = PRE_MM}},
    {12, SYSCALL_BRK_4_X, {kRet, v4(0), v4(1), v4(2), u64_arg(0)}, {.pre = PRE_MM}},
    {149, SYSCALL_MLOCK_X, {kRet, u64_arg(0), u64_arg(1)}},
    {150, SYSCALL_MUNLOCK_X, {kRet, u64_arg(0), u64_arg(1)}},
    {151, SYSCALL_MLOCKALL_X, {kRet, flags(0, kMlockall)}},
    {152, SYSCALL_MUNLOCKALL_X, {kRet}},
    {325, SYSCALL_MLOCK2_X, {kRet, u64_arg(0), u64_arg(1), flags(2, kMlock2)}},
    {35, SYSCALL_NANOSLEEP_X, {kRet, v8(0)}, {.pre = PRE_TIMESPEC, .pre_arg = 0}},
    {202, SYSCALL_FUTEX_X, {kRet, u64_arg(0), u16_arg(1), op(OP_ARG, 2, 8, 2)}},
    {64, SYSCALL_SEMGET_X, {kRet, u32_arg(0), u32_arg(1), flags(2, kSemget)}},
    {65,
     SYSCALL_SEMOP_X,
     {kRet, u32_arg(2), v2(0), v2(1), v2(2), v2(3), v2(4), v2(5), u32_arg(0)},
     {.pre = PRE_SEMOP}},
    {66, SYSCALL_SEMCTL_X, {kRet, u32_arg(0), u32_arg(1), value(2, kSemctl, 2), u32_arg(3)}},
};

struct Bits {
  FlagTable table;
  std::initializer_list<FlagBit> bits;
};

const Bits kBits[] = {
    {kResolve, {{0x01, 16}, {0x02, 4}, {0x04, 8}, {0x08, 1}, {0x10, 2}, {0x20, 32}}},
    {kUringSetup, {{1, 1}, {2, 2}, {4, 8}, {8, 16}, {16, 32}, {32, 64}, {64, 128}}},
    {kUringFeatures,
     {{1, 1},
      {2, 2},
      {4, 4},
      {8, 8},
      {16, 16},
      {32, 32},
      {64, 64},
      {128, 128},
      {256, 256},
      {512, 512},
      {1024, 1024}}},
    {kPoll,
     {{0x01, 1},
      {0x02, 2},
      {0x04, 4},
      {0x2000, 8},
      {0x08, 16},
      {0x10, 32},
      {0x20, 64},
      {0x40, 128},
      {0x80, 256},
      {0x100, 512},
      {0x200, 1024}}},
    {kClone,
     {{0x400, 1},
      {0x200, 2},
      {0x80000000, 4},
      {0x08000000, 8},
      {0x40000000, 16},
      {0x00020000, 32},
      {0x20000000, 64},
      {0x04000000, 128},
      {0x8000, 256},
      {0x00100000, 512},
      {0x2000, 1024},
      {0x800, 2048},
      {0x00040000, 4096},
      {0x00010000, 8192},
      {0x00800000, 16384},
      {0x100, 32768},
      {0x10000000, 1 << 20},
      {0x00200000, 1 << 23},
      {0x01000000, 1 << 24},
      {0x00080000, 1 << 25},
      {0x4000, 1 << 27},
      {0x02000000, 1 << 28}}},
    {kCloseOnExec, {{02000000, 4096}}},
    {kNewFd, {{04000, 64}, {02000000, 4096}}},
    {kPipe, {{04000, 64}, {02000000, 4096}, {040000, 512}}},
    {kCloseRange, {{2, 2}, {4, 4}}},
    {kProt, {{1, 1}, {2, 2}, {4, 4}, {8, 8}, {0x01000000, 16}, {0x02000000, 32}}},
    {kMmap,
     {{0x01, 1},
      {0x02, 2},
      {0x10, 4},
      {0x20, 8},
      {0x40, 16},
      {0x4000, 64},
      {0x8000, 128},
      {0x10000, 256},
      {0x100, 512},
      {0x800, 1024},
      {0x1000, 2048},
      {0x80, 4096},
      {0x2000, 16384}}},
    {kEpollCreate, {{02000000, 1}}},
    {kMemfd, {{1, 1}, {2, 2}, {4, 4}}},
    {kPidfd, {{04000, 1}}},
    {kUringEnter, {{1, 1}, {2, 2}, {4, 4}, {8, 8}}},
    {kFlock, {{1, 1}, {2, 2}, {4, 4}, {8, 8}}},
    {kUnlinkat, {{0x200, 512}}},
    {kLinkat, {{0x400, 1024}, {0x1000, 4096}}},
    {kFchownat, {{0x100, 1024}, {0x1000, 4096}}},
    {kStatat, {{0x100, 256}, {0x800, 2048}, {0x1000, 4096}}},
    {kUmount, {{1, 1}, {2, 2}, {4, 4}, {8, 8}}},
    {kSplice, {{1, 1}, {2, 2}, {4, 4}, {8, 8}}},
    {kAccess, {{1, 1}, {2, 2}, {4, 4}}},
    {kMlockall, {{1, 1}, {2, 2}, {4, 4}}},
    {kMlock2, {{1, 1}}},
    {kFinit, {{1, 1}, {2, 2}, {4, 4}}},
    {kDeleteModule, {{01000, 1}, {04000, 2}}},
    {kSemget, {{01000, 8192}, {02000, 16384}, {0777, 0}}},
};

struct Values {
  ValueTable table;
  u32 unknown;
  std::initializer_list<FlagBit> values;
};

const Values kValues[] = {
    {kFcntl, 0, {{0, 1},     {1, 2},     {2, 3},     {3, 4},     {4, 5},     {5, 6},    {6, 8},
                 {7, 9},     {8, 10},    {9, 12},    {10, 13},   {11, 15},   {12, 17},  {13, 18},
                 {14, 19},   {15, 21},   {16, 22},   {36, 30},   {37, 31},   {38, 32},  {1024, 23},
                 {1025, 24}, {1026, 27}, {1029, 25}, {1030, 26}, {1031, 28}, {1032, 29}}},
    {kRlimit,
     255,
     {{0, 0},
      {1, 1},
      {2, 2},
      {3, 3},
      {4, 4},
      {5, 5},
      {6, 6},
      {7, 7},
      {8, 8},
      {9, 9},
      {10, 10},
      {11, 11},
      {12, 12},
      {13, 13},
      {14, 14},
      {15, 15}}},
    {kPtrace, 0, {{0, 1},       {1, 2},       {2, 3},       {3, 4},       {4, 5},
                  {5, 6},       {6, 7},       {7, 8},       {8, 9},       {9, 10},
                  {16, 11},     {17, 12},     {24, 13},     {0x4200, 14}, {0x4201, 15},
                  {0x4202, 16}, {0x4203, 17}, {0x4204, 18}, {0x4205, 19}, {0x4206, 20},
                  {0x4207, 21}, {0x4208, 22}, {0x4209, 23}, {0x420a, 24}, {0x420b, 25},
                  {12, 27},     {13, 28},     {14, 29},     {15, 30},     {18, 31},
                  {19, 32},     {21, 33},     {25, 34},     {26, 35},     {30, 36},
                  {31, 36},     {32, 37},     {33, 38}}},
    {kSockopt, 0, {{1, 1},   {2, 2},   {3, 3},   {4, 4},   {5, 5},   {6, 6},   {7, 7},   {8, 8},
                   {9, 9},   {10, 10}, {11, 11}, {12, 12}, {13, 13}, {14, 14}, {15, 15}, {16, 16},
                   {17, 17}, {18, 18}, {19, 19}, {20, 20}, {21, 21}, {22, 22}, {23, 23}, {24, 24},
                   {25, 25}, {26, 26}, {27, 27}, {28, 28}, {29, 29}, {30, 30}, {31, 31}, {32, 32},
                   {33, 33}, {34, 34}, {35, 35}, {36, 36}, {37, 37}, {38, 38}, {39, 39}, {40, 40},
                   {41, 41}, {42, 42}, {43, 43}, {44, 44}, {45, 45}, {46, 46}, {47, 47}, {48, 48},
                   {49, 49}, {50, 50}, {55, 52}, {57, 53}, {59, 51}, {63, 29}, {64, 35}, {65, 37},
                   {66, 20}, {67, 21}}},
    {kWhence, 0, {{0, 0}, {1, 1}, {2, 2}}},
    {kShutdown, 255, {{0, 0}, {1, 1}, {2, 2}}},
    {kSemctl,
     0,
     {{2, 1},
      {1, 2},
      {0, 4},
      {3, 8},
      {19, 16},
      {18, 32},
      {13, 64},
      {14, 128},
      {11, 256},
      {12, 512},
      {15, 1024},
      {17, 2048},
      {16, 4096}}},
    {kLevel, 0, {{1, 1}, {6, 2}}},
    {kQuotaCommand,
     0,
     {{0x800001, 128},
      {0x800002, 1},
      {0x800003, 2},
      {0x800004, 4},
      {0x800005, 8},
      {0x800006, 16},
      {0x800007, 32},
      {0x800008, 64},
      {0x5801, 256},
      {0x5802, 512},
      {0x5803, 1024},
      {0x5804, 2048},
      {0x5805, 4096},
      {0x5806, 8192},
      {0x5807, 16384}}},
    {kQuotaType, 0, {{0, 1}, {1, 2}}},
};

SyscallPlan make_plan(const Row& row) {
  SyscallPlan plan{};
  SAKER_ASSERT(row.ops.size() <= kMaxOps);
  plan.type = row.type;
  plan.count = static_cast<u8>(event::info(row.type).params.size());
  const bool of_task = std::ranges::any_of(row.ops, [](Op op) { return op.kind == OP_TASK; });
  SAKER_ASSERT(of_task || row.ops.size() == plan.count);
  plan.ops_count = static_cast<u8>(row.ops.size());
  std::ranges::copy(row.ops, plan.ops);
  const Extra& extra = row.extra;
  plan.pre = static_cast<u8>(extra.pre);
  plan.pre_arg = extra.pre_arg;
  plan.path_arg = static_cast<u8>(extra.path + 1);
  plan.dirfd_arg = static_cast<u8>(extra.dirfd + 1);
  plan.open_flags_arg = static_cast<u8>(extra.open_flags + 1);
  plan.fd_arg = static_cast<u8>(extra.fd + 1);
  plan.ring = extra.process ? 1 : 0;
  return plan;
}

std::array<SyscallPlan, kSyscalls> make_plans() {
  std::array<SyscallPlan, kSyscalls> plans{};
  for (const event::SyscallInfo& call : event::all_syscalls()) {
    if (call.number < 0 || call.number >= kSyscalls) continue;
    SyscallPlan& plan = plans[static_cast<size_t>(call.number)];
    plan.type = GENERIC_X;
    plan.count = 2;
    plan.generic_id = call.portable_code;
  }
  for (std::span<const Row> rows :
       {std::span<const Row>(kIoRows), std::span<const Row>(kFileRows),
        std::span<const Row>(kSocketRows), std::span<const Row>(kProcessRows),
        std::span<const Row>(kMemoryRows)}) {
    for (const Row& row : rows) plans[row.number] = make_plan(row);
  }
  return plans;
}

const std::array<SyscallPlan, kSyscalls>& all_plans() {
  static const std::array<SyscallPlan, kSyscalls> plans = make_plans();
  return plans;
}

}  // namespace

SyscallPlan plan_of_syscall(unsigned number) {
  return number < kSyscalls ? all_plans()[number] : SyscallPlan{};
}

void fill_constants(kernel::Constants& constants) {
  std::ranges::copy(all_plans(), constants.plans.begin());
  for (const Bits& row : kBits) {
    FlagMap& map = constants.flag_maps[row.table];
    SAKER_ASSERT(row.bits.size() <= kMaxFlagBits);
    map.count = static_cast<u32>(row.bits.size());
    std::ranges::copy(row.bits, map.bits);
  }
  for (const Values& row : kValues) {
    EnumMap& map = constants.enum_maps[row.table];
    SAKER_ASSERT(row.values.size() <= kMaxEnumValues);
    map.count = static_cast<u32>(row.values.size());
    map.unknown = row.unknown;
    std::ranges::copy(row.values, map.values);
  }
  std::ranges::fill(constants.compat_numbers, static_cast<u16>(kSyscalls));
#define COMPAT(theirs, ours) constants.compat_numbers[theirs] = ours;
#include "capture/bpf/compat.def"
#undef COMPAT
}

}  // namespace saker::capture
