#include "agent/tree_snapshot.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace saker::agent {
namespace {

class Keeper : public event::SnapshotSink {
 public:
  void on_machine(const event::MachineInfo&) override {}
  void on_user(const event::UserEntry&) override {}
  void on_interface(const event::InterfaceEntry&) override {}
  void on_process(const event::ProcessEntry& process) override {
    environments[process.pid] = process.env;
    names[process.pid] = process.comm;
  }
  void on_fd(const event::FdEntry& fd) override { fds.push_back(fd.tid); }

  std::map<int64_t, std::string> environments, names;
  std::vector<int64_t> fds;
};

TEST(TreeSnapshotTest, KeepsTheNamesOfOthersOnly) {
  Keeper kept;
  TreeSnapshot snapshot(10, kept);
  for (const int64_t pid : {1, 10})
    snapshot.on_process({.tid = pid, .pid = pid, .comm = "name", .env = "PASSWORD=x"});
  EXPECT_EQ(kept.environments[10], "PASSWORD=x");
  EXPECT_EQ(kept.environments[1], "");
  EXPECT_EQ(kept.names[1], "name");
}

TEST(TreeSnapshotTest, KeepsTheFilesOfTheCommandOnly) {
  Keeper kept;
  TreeSnapshot snapshot(10, kept);
  snapshot.on_fd({.tid = 1, .fd = 3});
  snapshot.on_fd({.tid = 10, .fd = 4});
  EXPECT_EQ(kept.fds, std::vector<int64_t>{10});
}

}  // namespace
}  // namespace saker::agent
