// What a rule set needs of the kernel: which event types, and tests on their arguments that hold
// for every rule of the type, so that the source may drop the rest. `rules` makes it, `capture`
// obeys it.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "event/schema.h"

namespace saker::event {

// A necessary condition on one event type: an event that fails it can match no rule. All parts must
// hold.
struct ArgumentTest {
  bool only_open_for_write = false;  // open family: flags have the write bit
  bool only_open_for_read = false;   // open family: flags have the read bit
  bool only_successful = false;      // result >= 0
  bool only_failed = false;
  bool only_socket_fd = false;  // the fd that the event uses is a socket
  // The path argument, made absolute, must start with one of these (empty: no test).
  std::vector<std::string> path_prefixes;
  // ... or end with one of these; a path passes when it satisfies prefixes or suffixes.
  std::vector<std::string> path_suffixes;
  std::vector<uint16_t> ports;  // either end (empty: no test)

  [[nodiscard]] bool empty() const {
    return !only_open_for_write && !only_open_for_read && !only_successful && !only_failed &&
           !only_socket_fd && path_prefixes.empty() && path_suffixes.empty() && ports.empty();
  }
};

struct Demand {
  std::bitset<kEventCodeCount> events;  // some rule can match this type
  std::bitset<1024> generic_syscalls;   // portable codes of generic events that rules name
  std::vector<ArgumentTest> tests = std::vector<ArgumentTest>(kEventCodeCount);  // by event code
  // Event types whose rules (conditions or outputs) read fd.* of an fd that the event uses but did
  // not make: read, close, dup, connect ... The source must let state know that fd, by sending the
  // event that made it or by describing the fd when it is used.
  std::bitset<kEventCodeCount> fd_info;
  bool needs_all_fds =
      false;  // a rule counts or lists the fds of a process: all that changes an fd must flow
  bool needs_data = false;  // a rule reads the data of reads and writes
  bool everything = false;  // record: every syscall with every parameter

  [[nodiscard]] bool needs_fd_names() const { return needs_all_fds || fd_info.any(); }
};

}  // namespace saker::event
