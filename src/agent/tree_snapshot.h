// The snapshot for a recording of one command: what its events can refer to, and no more. The
// environment of every process of the machine has no place in a capture that is passed on.
#pragma once

#include "event/snapshot.h"

namespace saker::agent {

// Hands on the command whole, with its open files. Of the others the names stay: the command has
// ancestors, and signals and traces tell of processes.
class TreeSnapshot : public event::SnapshotSink {
 public:
  TreeSnapshot(int64_t command, event::SnapshotSink& next) : command_(command), next_(next) {}

  void on_machine(const event::MachineInfo& machine) override { next_.on_machine(machine); }
  void on_process(const event::ProcessEntry& process) override {
    if (process.pid == command_) return next_.on_process(process);
    event::ProcessEntry named = process;
    named.args = named.env = named.cwd = named.cgroups = {};
    next_.on_process(named);
  }
  void on_fd(const event::FdEntry& fd) override {
    if (fd.tid == command_) next_.on_fd(fd);
  }
  void on_user(const event::UserEntry& user) override { next_.on_user(user); }
  void on_interface(const event::InterfaceEntry& interface) override {
    next_.on_interface(interface);
  }

 private:
  int64_t command_;
  event::SnapshotSink& next_;
};

}  // namespace saker::agent
