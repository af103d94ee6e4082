// This process as /proc shows it, and a made-up tree with what a hostile or racing /proc may hold.
#include "procfs/threads.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "procfs/users.h"

namespace saker::procfs {
namespace {

struct Sink : event::SnapshotSink {
  std::map<int64_t, std::string> comms, paths, cgroups, roots;
  std::map<int64_t, event::ProcessEntry> entries;
  std::map<int64_t, std::string> fds;
  std::map<int64_t, event::FdEntry> fd_entries;
  std::map<uint32_t, std::string> users, groups;
  void on_machine(const event::MachineInfo&) override {}
  void on_process(const event::ProcessEntry& process) override {
    comms[process.tid] = process.comm;
    paths[process.tid] = process.exepath;
    cgroups[process.tid] = process.cgroups;
    entries[process.tid] = process;
  }
  void on_fd(const event::FdEntry& fd) override {
    fds[fd.fd] = fd.name;
    fd_entries[fd.fd] = fd;
  }
  void on_user(const event::UserEntry& user) override {
    (user.is_group ? groups : users)[user.id] = user.name;
  }
  void on_interface(const event::InterfaceEntry&) override {}
};

TEST(Threads, ThisProcess) {
  const int file = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(server, 1), 0);
  socklen_t length = sizeof address;
  getsockname(server, reinterpret_cast<sockaddr*>(&address), &length);
  Sink sink;
  ASSERT_TRUE(look_up_thread("/proc", getpid(), sink));
  const event::ProcessEntry& self = sink.entries.at(getpid());
  EXPECT_EQ(self.pid, getpid());
  EXPECT_EQ(self.ptid, getppid());
  EXPECT_EQ(self.uid, geteuid());
  EXPECT_EQ(self.pgid, getpgrp());
  EXPECT_EQ(self.sid, getsid(0));
  EXPECT_GT(self.fdlimit, 0u);
  EXPECT_GT(self.vmsize_kb, 0u);
  EXPECT_EQ(sink.paths.at(getpid()), std::filesystem::read_symlink("/proc/self/exe").string());
  EXPECT_EQ(sink.fds.at(file), "/etc/hostname");
  EXPECT_EQ(sink.fd_entries.at(file).open_flags,
            1u | 4096u | (sink.fd_entries.at(file).open_flags & 2048u));
  EXPECT_EQ(sink.fd_entries.at(server).type, event::FdType::ipv4_server);
  EXPECT_EQ(sink.fd_entries.at(server).source_port, ntohs(address.sin_port));
  EXPECT_EQ(sink.fd_entries.at(server).source_ip[0], 127);
  close(file);
  close(server);
}

TEST(Threads, GoneOrNonsense) {
  Sink sink;
  EXPECT_FALSE(look_up_thread("/proc", 0, sink));
  EXPECT_FALSE(look_up_thread("/proc", -5, sink));
  EXPECT_FALSE(look_up_thread("/proc", 999999999, sink));
  EXPECT_FALSE(look_up_thread("/no/such/folder", 1, sink));
  EXPECT_FALSE(send_all_threads("/no/such/folder", sink).ok());
}

class MadeUp : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/saker_procfs_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  std::filesystem::path root_;
};

TEST_F(MadeUp, NamesWithBracketsAndNestedNamespaces) {
  const std::string status =
      "Name:\tx\nTgid:\t41\nPid:\t41\nPPid:\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"
      "NStgid:\t41\t9\nNSpid:\t41\t9\nNSpgid:\t40\t8\nVmSize:\t  120 "
      "kB\nCapEff:\t00000000000000ff\n";
  put("41/status", status);
  put("41/task/41/status", status);
  put("41/task/41/stat",
      "41 (a) b (c)) S 7 40 39 34819 40 0 11 0 12 0 1 1 0 0 20 0 1 0 500 1 1 1 1\n");
  put("41/task/41/comm", "a) b (c)\n");
  put("41/task/41/cmdline", std::string("exe\0one\0", 8));
  put("41/task/41/cgroup", "4:memory,cpu:/a\n1:name=systemd:/s\n0::/b\nbroken\n");
  Sink sink;
  ASSERT_TRUE(look_up_thread(root_.string(), 41, sink));
  const event::ProcessEntry& entry = sink.entries.at(41);
  EXPECT_EQ(sink.comms.at(41), "a) b (c)");
  EXPECT_EQ(entry.ptid, 7);
  EXPECT_EQ(entry.uid, 2u);
  EXPECT_EQ(entry.gid, 6u);
  EXPECT_EQ(entry.vtid, 9);
  EXPECT_EQ(entry.vpgid, 8);
  EXPECT_EQ(entry.pgid, 40);
  EXPECT_EQ(entry.sid, 39);
  EXPECT_EQ(entry.tty, 34819u);
  EXPECT_EQ(entry.cap_effective, 0xffu);
  EXPECT_EQ(sink.cgroups.at(41), std::string("memory=/a\0cpu=/a\0unified=/b\0", 28));
}

TEST_F(MadeUp, BrokenFilesGiveWhatTheyHold) {
  put("41/status", "Tgid:\t41\n");
  put("41/task/41/status", "Tgid:\t41\nVmSize:");
  put("41/task/41/stat", "41 (x");
  Sink sink;
  EXPECT_TRUE(look_up_thread(root_.string(), 41, sink));
  EXPECT_EQ(sink.entries.at(41).sid, -1);
}

TEST_F(MadeUp, Users) {
  put("etc/passwd",
      "root:x:0:0:root:/root:/bin/sh\nbroken\nx:y:z:0:::\nu:x:1000:1000::/home/u:/bin/bash\n");
  put("etc/group", "root:x:0:\nstaff:x:50:a,b\n:\n");
  Sink sink;
  send_users(root_.string(), sink);
  EXPECT_EQ(sink.users, (std::map<uint32_t, std::string>{{0, "root"}, {1000, "u"}}));
  EXPECT_EQ(sink.groups, (std::map<uint32_t, std::string>{{0, "root"}, {50, "staff"}}));
}

}  // namespace
}  // namespace saker::procfs
