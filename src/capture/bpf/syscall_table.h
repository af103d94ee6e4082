// How the record of each system call is put together, in the order of the event's parameters.
#pragma once

#include <cstdint>
#include <span>

#include "kernel/probes.h"

namespace saker::capture {

// Fills the tables that the BPF programs read: plans, flag and value maps, 32-bit numbers.
void fill_constants(kernel::Constants& constants);

// The plan of a system call, as fill_constants() would write it. count 0: the number is unknown.
kernel::SyscallPlan plan_of_syscall(unsigned number);

}  // namespace saker::capture
