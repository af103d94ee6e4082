// Fields of processes, their ancestors, sessions, threads, users.
#include "fields/test_driver.h"

namespace saker::fields {
namespace {

using namespace event;

class Processes : public FieldTest {
 protected:
  Processes() {
    process(1, 0, "systemd");
    process(5, 1, "sshd");
    process(10, 5, "bash", "/home");
    state.on_user({.id = 0, .name = "root", .home = "/root", .shell = "/bin/sh"});
    state.on_user({.id = 1000, .name = "ann", .home = "/home/ann", .shell = "/bin/zsh"});
    state.on_user({.is_group = true, .id = 1000, .name = "staff"});
    fork(10, 20);
    exec({.pid = 20,
          .ptid = 10,
          .comm = "cc1",
          .exe = "/usr/bin/cc1",
          .args = std::string_view("-o\0a b\0\0", 8),
          .env = std::string_view("HOME=/h\0A= 1 \0EMPTY=\0", 21),
          .path = "/usr/bin/cc1-12",
          .cgroups = std::string_view("cpu=/\0memory=/x\0", 16),
          .flags = 1,
          .uid = 1000,
          .gid = 1000})
        .run();
    at(openat(20, 3, "/etc/passwd"));
  }
};

TEST_F(Processes, WhatItIs) {
  EXPECT_EQ(text("proc.name"), "cc1");
  EXPECT_EQ(text("proc.exe"), "/usr/bin/cc1");
  EXPECT_EQ(text("proc.exepath"), "/usr/bin/cc1-12");
  EXPECT_EQ(text("proc.args"), "-o a b ");
  EXPECT_EQ(text("proc.args[0]"), "-o");
  EXPECT_EQ(text("proc.args[1]"), "a b");
  EXPECT_EQ(text("proc.args[9]"), "");
  EXPECT_EQ(text("proc.cmdline"), "cc1 -o a b ");
  EXPECT_EQ(text("proc.exeline"), "/usr/bin/cc1 -o a b ");
  EXPECT_EQ(text("proc.cmdnargs"), "3");
  EXPECT_EQ(text("proc.cmdlenargs"), "5");
  EXPECT_EQ(text("proc.env"), "HOME=/h A= 1  EMPTY=");
  EXPECT_EQ(text("proc.env[HOME]"), "/h");
  EXPECT_EQ(text("proc.env[A]"), "1");
  EXPECT_EQ(text("proc.env[NONE]"), "");
  EXPECT_EQ(text("proc.env[1]"), "A= 1 ");
  EXPECT_EQ(text("proc.cwd"), "/home/");
  EXPECT_EQ(text("proc.tty"), "34816");
  EXPECT_EQ(text("proc.pid"), "20");
  EXPECT_EQ(text("proc.vpid"), "20");
  EXPECT_EQ(text("proc.exe_ino"), "4711");
  EXPECT_EQ(text("proc.exe_ino.ctime"), "5");
  EXPECT_EQ(text("proc.exe_ino.mtime"), "6");
  EXPECT_EQ(text("proc.is_exe_writable"), "true");
  EXPECT_EQ(text("proc.is_exe_from_memfd"), "false");
}

TEST_F(Processes, OneEmptyArgumentIsNone) {
  exec({.pid = 20, .comm = "x", .exe = "x", .args = std::string_view("\0", 1)}).run();
  at(openat(20, 3, "/a"));
  EXPECT_EQ(text("proc.cmdline"), "x");
  EXPECT_EQ(text("proc.cmdnargs"), "0");
}

TEST_F(Processes, Times) {
  EXPECT_EQ(text("proc.pid.ts"), std::to_string(now - 2000));
  EXPECT_EQ(text("proc.duration"), "2000");
  EXPECT_EQ(text("proc.ppid.ts"), kNone);
  EXPECT_EQ(text("proc.ppid.duration"), kNone);
  EXPECT_EQ(text("proc.exe_ino.ctime_duration_proc_start"), std::to_string(now - 2000 - 5));
  EXPECT_NE(text("proc.exe_ino.ctime_duration_pidns_start"), "");
  EXPECT_NE(text("proc.pidns_init_start_ts"), "");
  fork(20, 30);
  at(openat(30, 3, "/a"));
  EXPECT_EQ(text("proc.ppid.duration"), "4000");
}

TEST_F(Processes, Ancestors) {
  EXPECT_EQ(text("proc.pname"), "bash");
  EXPECT_EQ(text("proc.ppid"), "10");
  EXPECT_EQ(text("proc.pvpid"), "10");
  EXPECT_EQ(text("proc.pexe"), "bash");
  EXPECT_EQ(text("proc.pexepath"), "/bin/bash");
  EXPECT_EQ(text("proc.pcmdline"), "bash");
  EXPECT_EQ(text("proc.aname"), "bash sshd systemd");
  EXPECT_EQ(text("proc.aname[0]"), "cc1");
  EXPECT_EQ(text("proc.aname[2]"), "sshd");
  EXPECT_EQ(text("proc.aname[9]"), kNone);
  EXPECT_EQ(text("proc.aexe[1]"), "bash");
  EXPECT_EQ(text("proc.aexepath"), "/bin/bash /bin/sshd /bin/systemd");
  EXPECT_EQ(text("proc.acmdline[0]"), "cc1 -o a b ");
  EXPECT_EQ(text("proc.aargs"), kNone);
  EXPECT_EQ(text("proc.aargs[0]"), "-o a b ");
  EXPECT_EQ(text("proc.apid"), "20");
  EXPECT_EQ(text("proc.apid[3]"), "1");
  EXPECT_EQ(text("proc.loginshellid"), "10");
  EXPECT_TRUE(holds("proc.aname = sshd"));
  EXPECT_FALSE(holds("proc.aname = cc1"));
  EXPECT_TRUE(holds("proc.aname in (a, systemd)"));
  EXPECT_TRUE(holds("proc.apid = 5"));
  EXPECT_FALSE(holds("proc.apid = 20"));
  EXPECT_NE(error("proc.aname[x] = a"), "");
}

TEST_F(Processes, InheritedVariables) {
  fork(20, 30);
  at(openat(30, 3, "/a"));
  EXPECT_EQ(text("proc.aenv[HOME]"), "/h");
  EXPECT_EQ(text("proc.aenv[NONE]"), "");
  EXPECT_EQ(text("proc.aenv[1]"), "HOME=/h A= 1  EMPTY=");
  EXPECT_EQ(text("proc.aenv"), "HOME=/h A= 1  EMPTY=");
  EXPECT_TRUE(holds("proc.aenv contains \"HOME=/h\""));
}

TEST_F(Processes, Leaders) {
  EXPECT_EQ(text("proc.sid"), "1");
  EXPECT_EQ(text("proc.sname"), "systemd");
  EXPECT_EQ(text("proc.sid.exe"), "systemd");
  EXPECT_EQ(text("proc.sid.exepath"), "/bin/systemd");
  EXPECT_EQ(text("proc.vpgid"), "77");
  EXPECT_EQ(text("proc.vpgid.name"), "");
  EXPECT_EQ(text("proc.pgid"), "78");
  EXPECT_EQ(text("proc.is_sid_leader"), "false");
  at(openat(1, 3, "/a"));
  EXPECT_EQ(text("proc.is_sid_leader"), "true");
  EXPECT_EQ(text("proc.is_vpgid_leader"), "true");
  EXPECT_EQ(text("proc.is_pgid_leader"), "true");
  EXPECT_EQ(text("proc.pgid.name"), "systemd");
  EXPECT_EQ(text("proc.aname"), kNone);
  EXPECT_EQ(text("proc.loginshellid"), kNone);
}

TEST_F(Processes, Resources) {
  EXPECT_EQ(text("proc.fdopencount"), "1");
  EXPECT_EQ(text("proc.fdlimit"), "1024");
  EXPECT_EQ(text("proc.fdusage"), "0.1");
  EXPECT_EQ(text("proc.vmsize"), "30");
  EXPECT_EQ(text("proc.vmrss"), "20");
  EXPECT_EQ(text("proc.vmswap"), "10");
  EXPECT_EQ(text("thread.vmsize"), "30");
  EXPECT_EQ(text("thread.vmrss"), "20");
  EXPECT_EQ(text("thread.vmsize.b"), "30720");
  EXPECT_EQ(text("thread.vmrss.b"), "20480");
  EXPECT_EQ(text("thread.pfmajor"), "3");
  EXPECT_EQ(text("thread.pfminor"), "4");
  EXPECT_EQ(text("proc.nthreads"), "1");
  EXPECT_EQ(text("proc.nchilds"), "0");
  thread(20, 21);
  at(openat(21, 0, "/dev/null"));
  EXPECT_EQ(text("proc.nthreads"), "2");
  EXPECT_EQ(text("proc.nchilds"), "1");
  EXPECT_EQ(text("thread.ismain"), "false");
  EXPECT_EQ(text("thread.vmsize"), "0");
  EXPECT_EQ(text("proc.stdin.name"), "/dev/null");
  EXPECT_EQ(text("proc.stdin.type"), "file");
  EXPECT_EQ(text("proc.stdout.name"), kNone);
}

TEST_F(Processes, Threads) {
  EXPECT_EQ(text("thread.tid"), "20");
  EXPECT_EQ(text("thread.vtid"), "20");
  EXPECT_EQ(text("thread.ismain"), "true");
  EXPECT_EQ(text("thread.nametid"), "cc120");
  EXPECT_EQ(text("thread.cgroups"), "cpu=/ memory=/x");
  EXPECT_EQ(text("thread.cgroup.memory"), "/x");
  EXPECT_EQ(text("thread.cgroup.mem"), kNone);
  EXPECT_EQ(text("thread.cap_inheritable"), "CAP_CHOWN");
  EXPECT_EQ(text("thread.cap_permitted"), "CAP_DAC_OVERRIDE");
  EXPECT_EQ(text("thread.cap_effective"), "CAP_DAC_READ_SEARCH");
}

TEST_F(Processes, Users) {
  EXPECT_EQ(text("user.uid"), "1000");
  EXPECT_EQ(text("user.name"), "ann");
  EXPECT_EQ(text("user.homedir"), "/home/ann");
  EXPECT_EQ(text("user.shell"), "/bin/zsh");
  EXPECT_EQ(text("user.loginuid"), "1000");
  EXPECT_EQ(text("user.loginname"), "ann");
  EXPECT_EQ(text("group.gid"), "1000");
  EXPECT_EQ(text("group.name"), "staff");
  at(openat(10, 3, "/a"));
  EXPECT_EQ(text("user.name"), "root");
  EXPECT_EQ(text("user.loginuid"), "-1");
  EXPECT_EQ(text("user.loginname"), "<NA>");
  EXPECT_EQ(text("group.name"), "root");
}

TEST_F(Processes, UnknownOnes) {
  at(openat(4711, 3, "/a"));
  EXPECT_EQ(text("proc.name"), "<NA>");
  EXPECT_EQ(text("proc.exe"), "<NA>");
  EXPECT_EQ(text("proc.pid"), "-1");
  EXPECT_EQ(text("proc.vpid"), kNone);
  EXPECT_EQ(text("proc.apid"), kNone);
  EXPECT_EQ(text("proc.cwd"), "./");
  EXPECT_EQ(text("proc.pname"), kNone);
  EXPECT_EQ(text("proc.fdopencount"), "0");
  EXPECT_EQ(text("proc.nthreads"), "0");
  EXPECT_EQ(text("user.name"), "<NA>");
  EXPECT_EQ(text("thread.tid"), "4711");
}

}  // namespace
}  // namespace saker::fields
