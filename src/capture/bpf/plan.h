// From a demand to what the kernel is told: which system calls, why, and with which tests.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "event/demand.h"
#include "kernel/shared_types.h"

namespace saker::capture {

// How much of the fds of a process state must be able to name.
enum class FdScope : uint8_t {
  none,     // directories only, since paths and working directories are relative to them
  sockets,  // and sockets
  all,
};

struct CapturePlan {
  std::array<uint8_t, kernel::kSyscalls> wanted{};
  std::array<kernel::SyscallTest, kernel::kSyscalls> tests{};
  std::vector<kernel::PathTest> path_tests;
  std::array<uint8_t, 8192> ports{};
  bool everything = false;
  bool signals = false;
  bool data = false;  // data of reads and writes are shipped
  FdScope scope = FdScope::none;
};

CapturePlan make_plan(const event::Demand& demand);

// For people: a line a system call that is watched, with why and what is tested in the kernel.
std::vector<std::string> explain(const CapturePlan& plan, const event::Demand& demand);

}  // namespace saker::capture
