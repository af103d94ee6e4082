// What the kernel's iterators write of each task and file, as entries of a snapshot.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "event/snapshot.h"

namespace saker::capture {

// Bytes that are no whole item are left out. `boot_epoch_ns` is added to times since boot.
void send_task(Bytes item, uint64_t boot_epoch_ns, event::SnapshotSink& sink);
void send_file(Bytes item, event::SnapshotSink& sink);

}  // namespace saker::capture
