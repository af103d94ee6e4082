// What the machine looks like when watching starts.
#pragma once

#include "base/result.h"
#include "event/snapshot.h"
#include "kernel/probes.h"

namespace saker::capture {

// Nanoseconds since the epoch at which the boot clock was 0.
uint64_t boot_epoch_ns();

// Sends machine, interfaces, users, processes and fds to the sink: the last two from the kernel's
// iterators, or from /proc when those fail.
Status send_snapshot(kernel::Probes& probes, event::SnapshotSink& sink);

}  // namespace saker::capture
