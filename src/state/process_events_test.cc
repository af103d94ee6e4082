// clone, exec, exit, credentials, and what of it makes the rules' bits stale.
#include "state/test_driver.h"

namespace saker::state {
namespace {

using namespace event;

class Processes : public StateTest {
 protected:
  Processes() {
    process(1, 0, "init");
    process(10, 1, "bash", "/home");
    openat(10, 3, "notes").run();
    openat(10, 4, "secret", 1 | 4096).run();  // close on exec
  }
};

TEST_F(Processes, ChildSideCopiesTheParent) {
  clone({.tid = 20, .pid = 20, .ptid = 10, .comm = "bash", .exe = "bash", .uid = 5}).run();
  const Thread* child = state.thread(20);
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(child->cwd, "/home/");
  EXPECT_EQ(child->uid, 5u);
  EXPECT_EQ(child->sid, 1);
  EXPECT_EQ(child->clone_ts, now);
  EXPECT_EQ(child->fdlimit, 2048u);
  EXPECT_EQ(child->vmsize_kb, 30u);
  EXPECT_EQ(child->image.get(), state.thread(10)->image.get());  // same bytes: shared
  EXPECT_EQ(name(20, 3), "/home/notes");
  EXPECT_EQ(fd(20, 3), fd(10, 3));
  close(20, 3).run();
  EXPECT_EQ(name(20, 3), "(none)");
  EXPECT_EQ(name(10, 3), "/home/notes");
}

TEST_F(Processes, ParentSideMakesTheChildUnlessItIsThere) {
  clone({.result = 20, .tid = 10, .pid = 10, .ptid = 1, .comm = "bash", .exe = "bash"}).run();
  const Thread* child = state.thread(20);
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(child->ptid, 10);
  EXPECT_EQ(child->vtid, 20);
  const uint64_t made = child->clone_ts;
  clone({.tid = 20, .pid = 20, .ptid = 10}).run();  // the child's side, soon after
  EXPECT_EQ(state.thread(20)->clone_ts, made);
  now += 3'000'000'000;
  clone({.tid = 20, .pid = 20, .ptid = 10}).run();  // much later: another one
  EXPECT_EQ(state.thread(20)->clone_ts, now);
}

TEST_F(Processes, ParentSideLeavesStrangeNumbersAlone) {
  constexpr uint32_t kNewPid = 64, kVfork = 134217728, kInPidns = 536870912;
  for (uint32_t flags : {kNewPid, kVfork, kInPidns})
    clone({.result = 21, .tid = 10, .pid = 10, .ptid = 1, .flags = flags}).run();
  clone({.result = 21, .tid = 10, .pid = 10, .ptid = 1, .type = SYSCALL_VFORK_20_X}).run();
  EXPECT_EQ(state.thread(21), nullptr);
  clone({.result = -11, .tid = 10, .pid = 10, .ptid = 1}).run();
  EXPECT_EQ(state.stats().threads, 2u);
}

TEST_F(Processes, ParentSideDoesNotReviveTheDead) {
  fork(10, 20);
  exit(20).run();
  EXPECT_EQ(state.thread(20), nullptr);
  clone({.result = 20, .tid = 10, .pid = 10, .ptid = 1}).run();
  EXPECT_EQ(state.thread(20), nullptr);
}

TEST_F(Processes, ThreadsShareWhatIsTheProcesss) {
  thread(10, 11);
  const Thread* other = state.thread(11);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(other->leader, state.thread(10));
  EXPECT_EQ(state.thread(10)->live_threads, 2u);
  EXPECT_EQ(name(11, 3), "/home/notes");
  openat(11, 5, "/etc/passwd").run();
  EXPECT_EQ(name(10, 5), "/etc/passwd");
  call(11, SYSCALL_CHDIR_X).i64(0).text("..").run();
  EXPECT_EQ(state.thread(10)->cwd, "/");
  exit(11).run();
  EXPECT_EQ(state.thread(11), nullptr);
  EXPECT_EQ(state.thread(10)->live_threads, 1u);
}

TEST_F(Processes, MainThreadStaysUntilTheLastOneGoes) {
  fork(10, 20);
  thread(20, 21);
  exit(20).run();
  ASSERT_NE(state.thread(20), nullptr);
  EXPECT_TRUE(state.thread(20)->dead);
  EXPECT_EQ(state.thread(20)->live_threads, 1u);
  EXPECT_EQ(name(21, 3), "/home/notes");
  exit(21).run();
  EXPECT_EQ(state.thread(21), nullptr);
  EXPECT_EQ(state.thread(20), nullptr);
}

TEST_F(Processes, ExitIsSeenByRulesBeforeItHappens) {
  fork(10, 20);
  const Applied applied = exit(20).apply();
  ASSERT_NE(applied.thread, nullptr);
  EXPECT_TRUE(applied.thread->dead);
  EXPECT_NE(state.thread(20), nullptr);
  call(10, SYSCALL_GETCWD_X).i64(0).text("/x").run();  // the next event does what finish() forgot
  EXPECT_EQ(state.thread(20), nullptr);
}

TEST_F(Processes, ExitOfAnUnknownThreadMakesNone) {
  const Applied applied = exit(4711).run();
  EXPECT_EQ(applied.thread, nullptr);
  EXPECT_EQ(state.thread(4711), nullptr);
}

TEST_F(Processes, ChildrenGoToTheReaperOfTheEvent) {
  fork(10, 20);
  fork(20, 30);
  exit(20, 1).run();
  EXPECT_EQ(state.thread(30)->ptid, 1);
  EXPECT_EQ(state.ancestor(*state.thread(30), 1), state.thread(1));
  EXPECT_TRUE(state.thread(1)->is_subreaper);
}

TEST_F(Processes, ChildrenGoToAThreadOfTheGroupElseToASubreaper) {
  constexpr uint32_t kSetChildSubreaper = 36;
  call(10, SYSCALL_PRCTL_X).i64(0).u32(kSetChildSubreaper).none().i64(1).run();
  fork(10, 20);
  thread(20, 21);
  fork(20, 30);
  exit(20).run();
  EXPECT_EQ(state.thread(30)->ptid, 21);
  EXPECT_EQ(state.ancestor(*state.thread(30), 1), state.thread(20));
  exit(21).run();
  EXPECT_EQ(state.thread(30)->ptid, 10);
  call(10, SYSCALL_PRCTL_X).i64(0).u32(kSetChildSubreaper).none().i64(0).run();
  exit(10).run();
  EXPECT_EQ(state.thread(30)->ptid, 0);
  EXPECT_EQ(state.ancestor(*state.thread(30), 1), nullptr);
}

TEST_F(Processes, ExecReplacesTheImageAndClosesFds) {
  fork(10, 20);
  thread(20, 21);
  exec({.pid = 20,
        .ptid = 10,
        .comm = "evil",
        .exe = "./evil",
        .args = std::string_view("-x\0y\0", 5),
        .env = std::string_view("A=b\0", 4),
        .path = "/tmp/evil",
        .flags = 1 | 8,
        .uid = 7,
        .gid = 8})
      .run();
  const Thread* process = state.thread(20);
  EXPECT_EQ(process->comm, "evil");
  EXPECT_EQ(process->image->exe, "./evil");
  EXPECT_EQ(process->image->exepath, "/tmp/evil");
  EXPECT_EQ(process->image->args, std::string_view("-x\0y\0", 5));
  EXPECT_EQ(process->image->env, std::string_view("A=b\0", 4));
  EXPECT_TRUE(process->image->exe_writable);
  EXPECT_TRUE(process->image->exe_lower_layer);
  EXPECT_FALSE(process->image->exe_upper_layer);
  EXPECT_EQ(process->image->exe_ino, 4711u);
  EXPECT_EQ(process->uid, 7u);
  EXPECT_EQ(process->gid, 8u);
  EXPECT_EQ(process->tty, 34816u);
  EXPECT_EQ(process->vpgid, 77);
  EXPECT_EQ(process->pgid, 78);
  EXPECT_EQ(process->cap_effective, 4u);
  EXPECT_EQ(process->lastexec_ts, now);
  EXPECT_EQ(process->live_threads, 1u);
  EXPECT_EQ(state.thread(21), nullptr);
  EXPECT_EQ(name(20, 3), "/home/notes");
  EXPECT_EQ(name(20, 4), "(none)");
  EXPECT_EQ(name(10, 4), "/home/secret");
  EXPECT_EQ(state.thread(10)->image->exe, "bash");
}

TEST_F(Processes, FailedExecChangesNothing) {
  exec({.result = -2, .pid = 10, .comm = "evil"}).run();
  EXPECT_EQ(state.thread(10)->comm, "bash");
  EXPECT_EQ(name(10, 4), "/home/secret");
}

TEST_F(Processes, ExecOfADeadMainThreadRevivesIt) {
  fork(10, 20);
  thread(20, 21);
  exit(20).run();
  exec({.pid = 20, .ptid = 10}).run();  // by 21, which takes the number of the main thread
  EXPECT_FALSE(state.thread(20)->dead);
  EXPECT_EQ(state.thread(20)->live_threads, 1u);
  EXPECT_EQ(state.thread(21), nullptr);
}

TEST_F(Processes, ExecWithoutAPathUsesTheOneOfTheEntry) {
  call(10, SYSCALL_EXECVE_19_E).text("../run/it").run();
  exec({.pid = 10, .path = ""}).run();
  EXPECT_EQ(state.thread(10)->image->exepath, "/run/it");
}

TEST_F(Processes, PlaceholdersAreRepaired) {
  call(50, SYSCALL_GETUID_X).u32(0).run();
  const Thread* made = state.thread(50);
  ASSERT_NE(made, nullptr);
  EXPECT_TRUE(made->placeholder);
  EXPECT_EQ(made->comm, "<NA>");
  EXPECT_EQ(made->image->exe, "<NA>");
  EXPECT_EQ(made->pid, -1);
  EXPECT_EQ(made->uid, 0xffffffffu);
  exec({.pid = 50, .ptid = 10}).run();
  EXPECT_FALSE(made->placeholder);
  EXPECT_EQ(made->pid, 50);
  EXPECT_EQ(state.ancestor(*made, 1), state.thread(10));
  call(60, SYSCALL_GETUID_X).u32(0).run();
  clone({.result = 61, .tid = 60, .pid = 60, .ptid = 10, .comm = "w"}).run();
  EXPECT_EQ(state.thread(60)->comm, "w");
  EXPECT_EQ(state.ancestor(*state.thread(61), 2), state.thread(10));
}

TEST_F(Processes, CredentialsAndLimits) {
  call(10, SYSCALL_SETUID_X).i64(0).u32(1).run();
  EXPECT_EQ(state.thread(10)->uid, 1u);
  call(10, SYSCALL_SETUID_X).i64(-1).u32(9).run();
  EXPECT_EQ(state.thread(10)->uid, 1u);
  call(10, SYSCALL_SETREUID_X).i64(0).u32(2).u32(3).run();
  EXPECT_EQ(state.thread(10)->uid, 3u);
  call(10, SYSCALL_SETRESUID_X).i64(0).u32(4).u32(5).u32(6).run();
  EXPECT_EQ(state.thread(10)->uid, 5u);
  call(10, SYSCALL_SETGID_X).i64(0).u32(1).run();
  EXPECT_EQ(state.thread(10)->gid, 1u);
  call(10, SYSCALL_SETREGID_X).i64(0).u32(2).u32(3).run();
  EXPECT_EQ(state.thread(10)->gid, 3u);
  call(10, SYSCALL_SETRESGID_X).i64(0).u32(4).u32(5).u32(6).run();
  EXPECT_EQ(state.thread(10)->gid, 5u);
  call(10, SYSCALL_CAPSET_X).i64(0).u64(1).u64(2).u64(3).run();
  EXPECT_EQ(state.thread(10)->cap_permitted, 2u);
  EXPECT_EQ(state.thread(10)->cap_effective, 3u);
  call(10, SYSCALL_UNSHARE_X).i64(0).u32(1048576).run();
  EXPECT_EQ(state.thread(10)->cap_effective, 0x1ffffffffffu);
  call(10, SYSCALL_SETSID_X).i64(10).run();
  EXPECT_EQ(state.thread(10)->sid, 10);
  call(10, SYSCALL_PRLIMIT_X).i64(0).i64(99).i64(99).i64(0).i64(0).i64(0).u8(7).run();
  EXPECT_EQ(state.thread(10)->fdlimit, 99u);
  call(10, SYSCALL_PRLIMIT_X).i64(0).i64(98).i64(99).i64(0).i64(0).i64(1).u8(7).run();
  EXPECT_EQ(state.thread(1)->fdlimit, 98u);
  call(10, SYSCALL_SETRLIMIT_X).i64(0).i64(50).i64(50).u8(7).run();
  EXPECT_EQ(state.thread(10)->fdlimit, 50u);
  call(10, SYSCALL_SETRLIMIT_X).i64(0).i64(51).i64(50).u8(3).run();
  EXPECT_EQ(state.thread(10)->fdlimit, 50u);
  call(10, SYSCALL_BRK_4_X).u64(1).u32(7).u32(8).u32(9).u64(0).run();
  EXPECT_EQ(state.thread(10)->vmrss_kb, 8u);
}

TEST_F(Processes, DirectoriesAndRoot) {
  call(10, SYSCALL_CHDIR_X).i64(0).text("src/../lib").run();
  EXPECT_EQ(state.thread(10)->cwd, "/home/lib/");
  call(10, SYSCALL_CHDIR_X).i64(-2).text("/nope").run();
  EXPECT_EQ(state.thread(10)->cwd, "/home/lib/");
  openat(10, 7, "/var/log", 1024).run();
  call(10, SYSCALL_FCHDIR_X).i64(0).i64(7).run();
  EXPECT_EQ(state.thread(10)->cwd, "/var/log/");
  call(10, SYSCALL_GETCWD_X).i64(4).text("/srv").run();
  EXPECT_EQ(state.thread(10)->cwd, "/srv/");
  call(10, SYSCALL_CHROOT_X).i64(0).text("jail").run();
  EXPECT_EQ(state.thread(10)->root, "/srv/jail");
}

TEST_F(Processes, LeadersOnTheHostAndInAPidNamespace) {
  fork(10, 20);
  call(20, SYSCALL_SETSID_X).i64(20).run();
  fork(20, 30);
  EXPECT_EQ(state.session_leader(*state.thread(30)), state.thread(20));
  EXPECT_EQ(state.group_leader(*state.thread(30)), state.thread(1));
  EXPECT_EQ(state.host_group_leader(*state.thread(30)), state.thread(1));
  // In a container: the ids are the namespace's, so the leader is found by the chain.
  clone({.tid = 40, .pid = 40, .ptid = 10, .vtid = 1, .vpid = 1}).run();
  call(40, SYSCALL_SETSID_X).i64(5).run();
  clone({.tid = 41, .pid = 41, .ptid = 40, .vtid = 2, .vpid = 2}).run();
  clone({.tid = 42, .pid = 42, .ptid = 41, .vtid = 3, .vpid = 3}).run();
  EXPECT_EQ(state.session_leader(*state.thread(42)), state.thread(40));
  EXPECT_EQ(state.session_leader(*state.thread(41)), state.thread(40));
  EXPECT_EQ(state.session_leader(*state.thread(40)), nullptr);  // no ancestor is in its session
}

TEST_F(Processes, EpochMovesWithWhatRulesCanSee) {
  fork(10, 20);
  fork(20, 30);
  uint32_t grandchild = epoch(30), child = epoch(20), parent = epoch(10);
  openat(20, 9, "/x").run();
  call(20, SYSCALL_CHDIR_X).i64(0).text("/").run();
  EXPECT_EQ(epoch(20), child);
  call(20, SYSCALL_SETUID_X).i64(0).u32(1).run();
  EXPECT_GT(epoch(20), child);
  EXPECT_EQ(epoch(30), grandchild);  // nobody sees the uid of an ancestor
  child = epoch(20);
  exec({.pid = 20, .ptid = 10}).run();
  EXPECT_GT(epoch(20), child);
  EXPECT_GT(epoch(30), grandchild);
  EXPECT_EQ(epoch(10), parent);
  grandchild = epoch(30);
  exit(20, 1).run();
  EXPECT_GT(epoch(30), grandchild);
}

TEST_F(Processes, EpochMovesWhenALeaderChanges) {
  fork(10, 20);
  call(20, SYSCALL_SETSID_X).i64(20).run();
  fork(20, 30);
  fork(30, 40);
  exit(30, 1).run();  // 40 is in the session of 20, and no descendant any more
  call(40, SYSCALL_GETUID_X).u32(0).run();
  ASSERT_EQ(state.session_leader(*state.thread(40)), state.thread(20));
  uint32_t before = epoch(40);
  exec({.pid = 20, .ptid = 10}).run();
  call(40, SYSCALL_GETUID_X).u32(0).run();  // told at the thread's next event
  EXPECT_GT(epoch(40), before);
  before = epoch(40);
  exit(20, 1).run();
  call(40, SYSCALL_GETUID_X).u32(0).run();
  EXPECT_GT(epoch(40), before);
}

TEST_F(Processes, ANumberUsedAgainIsAnotherThread) {
  fork(10, 20);
  const uint32_t before = epoch(20);
  exit(20).run();
  now += 5'000'000'000;
  fork(10, 20);
  EXPECT_NE(epoch(20), before);
  EXPECT_TRUE(state.thread(20)->children.empty());
}

}  // namespace
}  // namespace saker::state
