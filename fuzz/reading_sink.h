// A sink that reads every byte of what it is told, so that a view of bytes that are gone is seen.
#pragma once

#include <cstdint>
#include <string_view>

#include "event/snapshot.h"

namespace saker::fuzz {

class ReadingSink final : public event::SnapshotSink {
 public:
  void on_machine(const event::MachineInfo& machine) override { read({machine.hostname}); }
  void on_process(const event::ProcessEntry& process) override {
    read({process.comm, process.exe, process.exepath, process.args, process.cwd, process.env,
          process.cgroups, process.root});
  }
  void on_fd(const event::FdEntry& fd) override { read({fd.name}); }
  void on_user(const event::UserEntry& user) override {
    read({user.name, user.home, user.shell, user.container_id});
  }
  void on_interface(const event::InterfaceEntry& entry) override { read({entry.name}); }

  uint64_t sum = 0;

 private:
  void read(std::initializer_list<std::string_view> texts) {
    for (std::string_view text : texts)
      for (const char c : text) sum = (sum + static_cast<unsigned char>(c)) * 31;
  }
};

}  // namespace saker::fuzz
