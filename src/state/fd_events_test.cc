// Files and other descriptors: opening, closing, duplicating, and sharing between processes.
#include "state/test_driver.h"

namespace saker::state {
namespace {

using namespace event;

class Files : public StateTest {
 protected:
  Files() {
    process(1, 0, "init");
    process(10, 1, "bash", "/home");
  }
};

TEST_F(Files, OpenNamesAreResolved) {
  Applied applied = openat(10, 3, "../etc//passwd", 1 | 4096 | 32768).run();
  ASSERT_NE(applied.fd, nullptr);
  EXPECT_EQ(applied.fd_number, 3);
  EXPECT_TRUE(applied.fd_name_changed);
  EXPECT_EQ(applied.fd->name, "/etc/passwd");
  EXPECT_EQ(applied.fd->name_raw, "../etc//passwd");
  EXPECT_EQ(applied.fd->type, FdType::file_v2);
  EXPECT_EQ(applied.fd->dev, 2049u);
  EXPECT_EQ(applied.fd->ino, 99u);
  EXPECT_TRUE(applied.fd->cloexec);
  EXPECT_TRUE(applied.fd->upper_layer);
  openat(10, 4, "/var/log", 1024).run();
  EXPECT_EQ(fd(10, 4)->type, FdType::directory);
  openat(10, 5, "syslog", 1, 4).run();
  EXPECT_EQ(name(10, 5), "/var/log/syslog");
  openat(10, 6, "syslog", 1, 77).run();
  EXPECT_EQ(name(10, 6), "<UNKNOWN>syslog");
  openat(10, 7, "/abs", 1, 77).run();
  EXPECT_EQ(name(10, 7), "/abs");
  call(10, SYSCALL_OPENAT_2_X).i64(8).i64(-100).none().u32(1).u32(0).u32(0).u64(0).run();
  EXPECT_EQ(name(10, 8), "<NA>");
}

TEST_F(Files, ReferenceQuirksShowTheDirectory) {
  state.set_reference_quirks(true);
  openat(10, 4, "/var/log", 1024).run();
  Applied applied = openat(10, 5, "syslog", 1, 4).run();
  EXPECT_EQ(applied.fd, fd(10, 4));
  EXPECT_EQ(applied.fd_number, 5);
  EXPECT_EQ(name(10, 5), "/var/log/syslog");
  applied = openat(10, -2, "nope", 1, 4).run();
  EXPECT_EQ(applied.fd, fd(10, 4));
  applied = openat(10, 6, "/abs", 1, 4).run();
  EXPECT_EQ(applied.fd, fd(10, 6));
}

TEST_F(Files, TheWholeFamily) {
  call(10, SYSCALL_OPEN_X).i64(3).text("a").u32(1).u32(0).u32(1).u64(2).run();
  EXPECT_EQ(name(10, 3), "/home/a");
  EXPECT_EQ(fd(10, 3)->ino, 2u);
  call(10, SYSCALL_CREAT_X).i64(4).text("b").u32(0).u32(1).u64(3).u16(2).run();
  EXPECT_EQ(name(10, 4), "/home/b");
  EXPECT_EQ(fd(10, 4)->open_flags, 2u | 4 | 256 | 65536);
  EXPECT_TRUE(fd(10, 4)->lower_layer);
  call(10, SYSCALL_OPENAT2_X).i64(5).i64(-100).text("c").u32(3).u32(0).u32(0).u32(7).u64(8).run();
  EXPECT_EQ(name(10, 5), "/home/c");
  EXPECT_EQ(fd(10, 5)->dev, 7u);
  call(10, SYSCALL_OPEN_BY_HANDLE_AT_X).i64(6).i64(3).u32(1).text("/mnt/d").u32(7).u64(8).run();
  EXPECT_EQ(name(10, 6), "/mnt/d");
}

TEST_F(Files, FailedOpenOpensNothing) {
  const Applied applied = openat(10, -2, "nope").run();
  EXPECT_EQ(applied.fd, nullptr);
  EXPECT_EQ(applied.fd_number, -1);
  EXPECT_EQ(state.open_fds(*state.thread(10)), 0u);
}

TEST_F(Files, TheEntrysPathWins) {
  call(10, SYSCALL_OPENAT_2_E).i64(-100).text("/etc/shadow").u32(1).u32(0).run();
  openat(10, 3, "/tmp/harmless", 3 | 16384).run();
  EXPECT_EQ(name(10, 3), "/etc/shadow");
  EXPECT_EQ(fd(10, 3)->open_flags, 1u | 16384);
  openat(10, 4, "/tmp/other").run();  // the copy is used up
  EXPECT_EQ(name(10, 4), "/tmp/other");
  call(10, SYSCALL_OPEN_E).text("/etc/shadow").u32(1).u32(0).run();  // another call's entry
  openat(10, 5, "/tmp/other").run();
  EXPECT_EQ(name(10, 5), "/tmp/other");
}

TEST_F(Files, ClosedFdsStayForTheRules) {
  openat(10, 3, "a").run();
  const Applied applied = close(10, 3).apply();
  ASSERT_NE(applied.fd, nullptr);
  EXPECT_EQ(applied.fd->name, "/home/a");
  EXPECT_EQ(name(10, 3), "/home/a");
  openat(10, 4, "b").run();
  EXPECT_EQ(name(10, 3), "(none)");
  close(10, 4, -9).run();
  EXPECT_EQ(name(10, 4), "/home/b");
}

TEST_F(Files, CloseRange) {
  for (int i = 3; i < 8; ++i) openat(10, i, "f" + std::to_string(i)).run();
  call(10, SYSCALL_CLOSE_RANGE_X).i64(0).u32(4).u32(5).u32(0).run();
  EXPECT_EQ(name(10, 3), "/home/f3");
  EXPECT_EQ(name(10, 4), "(none)");
  EXPECT_EQ(name(10, 5), "(none)");
  EXPECT_EQ(name(10, 6), "/home/f6");
  call(10, SYSCALL_CLOSE_RANGE_X).i64(0).u32(6).u32(0xffffffff).u32(4).run();
  EXPECT_FALSE(fd(10, 3)->cloexec);
  EXPECT_TRUE(fd(10, 6)->cloexec);
  EXPECT_TRUE(fd(10, 7)->cloexec);
  call(10, SYSCALL_CLOSE_RANGE_X).i64(0).u32(0).u32(0xffffffff).u32(2).run();
  EXPECT_EQ(state.open_fds(*state.thread(10)), 0u);
}

TEST_F(Files, Duplicates) {
  openat(10, 3, "a", 1 | 4096).run();
  Applied applied = call(10, SYSCALL_DUP_1_X).i64(4).i64(3).run();
  EXPECT_EQ(applied.fd_number, 4);
  EXPECT_EQ(applied.fd->name, "/home/a");
  EXPECT_FALSE(applied.fd_name_changed);
  EXPECT_FALSE(fd(10, 4)->cloexec);
  EXPECT_TRUE(fd(10, 3)->cloexec);
  openat(10, 5, "b").run();
  call(10, SYSCALL_DUP2_X).i64(5).i64(3).i64(5).run();
  EXPECT_EQ(name(10, 5), "/home/a");
  call(10, SYSCALL_DUP3_X).i64(6).i64(3).i64(6).u32(4096).run();
  EXPECT_TRUE(fd(10, 6)->cloexec);
  applied = call(10, SYSCALL_FCNTL_X).i64(7).i64(3).u8(26).u64(0).run();
  EXPECT_EQ(applied.fd_number, 7);
  EXPECT_TRUE(fd(10, 7)->cloexec);
  applied = call(10, SYSCALL_FCNTL_X).i64(0).i64(7).u8(3).u64(0).run();
  EXPECT_EQ(applied.fd_number, 7);
  EXPECT_FALSE(fd(10, 7)->cloexec);
  applied = call(10, SYSCALL_DUP2_X).i64(-9).i64(99).i64(5).run();
  EXPECT_EQ(applied.fd_number, 99);
  EXPECT_EQ(applied.fd, nullptr);
  call(10, SYSCALL_DUP2_X).i64(5).i64(98).i64(5).run();  // from one that we never heard of
  EXPECT_EQ(name(10, 5), "(none)");
}

TEST_F(Files, KindsWithoutAFile) {
  Applied applied = call(10, SYSCALL_PIPE2_X).i64(0).i64(3).i64(4).u64(55).u32(4096).run();
  EXPECT_EQ(applied.fd_number, 4);
  EXPECT_EQ(fd(10, 3)->type, FdType::fifo);
  EXPECT_EQ(fd(10, 4)->ino, 55u);
  EXPECT_TRUE(fd(10, 3)->cloexec);
  struct Kind {
    uint16_t type;
    FdType want;
  };
  for (const Kind kind :
       {Kind{SYSCALL_EVENTFD_X, FdType::eventfd}, Kind{SYSCALL_EVENTFD2_X, FdType::eventfd},
        Kind{SYSCALL_SIGNALFD_X, FdType::signalfd}, Kind{SYSCALL_SIGNALFD4_X, FdType::signalfd},
        Kind{SYSCALL_TIMERFD_CREATE_X, FdType::timerfd},
        Kind{SYSCALL_INOTIFY_INIT_X, FdType::inotify},
        Kind{SYSCALL_INOTIFY_INIT1_X, FdType::inotify},
        Kind{SYSCALL_EPOLL_CREATE_X, FdType::eventpoll},
        Kind{SYSCALL_EPOLL_CREATE1_X, FdType::eventpoll},
        Kind{SYSCALL_USERFAULTFD_X, FdType::userfaultfd},
        Kind{SYSCALL_IO_URING_SETUP_X, FdType::io_uring}}) {
    applied = call(10, kind.type).i64(9).none(7).run();
    ASSERT_NE(applied.fd, nullptr) << info(kind.type).name;
    EXPECT_EQ(applied.fd->type, kind.want) << info(kind.type).name;
    EXPECT_EQ(applied.fd_number, 9);
    EXPECT_EQ(applied.fd->name, "");
    applied = call(10, kind.type).i64(-1).none(7).run();
    EXPECT_EQ(applied.fd, nullptr);
  }
  call(10, SYSCALL_MEMFD_CREATE_X).i64(10).text("kworker").u32(1).run();
  EXPECT_EQ(name(10, 10), "kworker");
  EXPECT_TRUE(fd(10, 10)->cloexec);
  call(10, SYSCALL_BPF_2_X).i64(0).u32(1).run();  // a look-up: 0 is no descriptor
  EXPECT_EQ(name(10, 0), "(none)");
  call(10, SYSCALL_BPF_2_X).i64(11).u32(5).run();
  EXPECT_EQ(fd(10, 11)->type, FdType::bpf);
}

TEST_F(Files, PidfdGivesAnothersFile) {
  openat(1, 3, "/etc/shadow").run();
  call(10, SYSCALL_PIDFD_OPEN_X).i64(5).i64(1).u32(0).run();
  EXPECT_EQ(name(10, 5), "/proc/1");
  call(10, SYSCALL_PIDFD_GETFD_X).i64(6).i64(5).i64(3).u32(0).run();
  EXPECT_EQ(name(10, 6), "/etc/shadow");
  call(10, SYSCALL_PIDFD_GETFD_X).i64(6).i64(5).i64(44).u32(0).run();
  EXPECT_EQ(name(10, 6), "(none)");
}

TEST_F(Files, UsersOfAnFdAreToldOfIt) {
  openat(10, 3, "a").run();
  const Fd* file = fd(10, 3);
  EXPECT_EQ(call(10, SYSCALL_READ_X).i64(1).bytes("x").i64(3).u32(1).run().fd, file);
  EXPECT_EQ(call(10, SYSCALL_FSTAT_X).i64(0).i64(3).run().fd, file);
  const Applied unknown = call(10, SYSCALL_READ_X).i64(1).bytes("x").i64(8).u32(1).run();
  EXPECT_EQ(unknown.fd, nullptr);
  EXPECT_EQ(unknown.fd_number, 8);
}

TEST_F(Files, AbsurdNumbersCostNothing) {
  for (int64_t number : {int64_t{1} << 40, int64_t{5000000}, INT64_MAX, int64_t{1} << 31})
    openat(10, number, "far").run();
  EXPECT_EQ(name(10, int64_t{1} << 40), "/home/far");
  EXPECT_EQ(name(10, INT64_MAX), "/home/far");
  EXPECT_EQ(state.open_fds(*state.thread(10)), 4u);
  close(10, INT64_MAX).run();
  EXPECT_EQ(name(10, INT64_MAX), "(none)");
  fork(10, 20);
  openat(20, 3, "near").run();
  EXPECT_EQ(name(20, 5000000), "/home/far");
  openat(10, INT64_MIN, "no").run();
  EXPECT_EQ(close(10, INT64_MIN).run().fd, nullptr);
}

TEST_F(Files, NumbersMoveIntoTheArrayWhenItGrows) {
  openat(10, 200, "high").run();
  for (int i = 0; i < 199; ++i) openat(10, i, "f" + std::to_string(i)).run();
  EXPECT_EQ(name(10, 200), "/home/high");
  int64_t last = -1;
  size_t count = 0;
  state.for_each_fd(*state.thread(10), [&](int64_t number, const Fd&) {
    EXPECT_GT(number, last);
    last = number;
    ++count;
  });
  EXPECT_EQ(count, 200u);
  close(10, 200).run();
  EXPECT_EQ(state.open_fds(*state.thread(10)), 199u);
}

class FewFds : public StateTest {
 protected:
  FewFds() : StateTest({.max_fds_per_process = 10, .max_fd_slots = 40}) {
    process(10, 1, "bash", "/");
  }
};

TEST_F(FewFds, LimitsHold) {
  for (int i = 0; i < 20; ++i) openat(10, i, "f").run();
  EXPECT_EQ(state.open_fds(*state.thread(10)), 10u);
  EXPECT_EQ(state.stats().dropped_fds, 10u);
  EXPECT_EQ(openat(10, 3, "again").run().fd->name, "/again");
  fork(10, 20);
  openat(20, 30, "g").run();  // a table of its own would be one too many
  EXPECT_EQ(name(20, 30), "(none)");
  EXPECT_EQ(name(20, 3), "/again");
}

}  // namespace
}  // namespace saker::state
