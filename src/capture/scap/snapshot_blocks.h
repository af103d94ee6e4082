// The entries of metadata blocks: machine, processes, fds, users, interfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "event/snapshot.h"

namespace saker::capture::scap {

// What became of one entry at the head of some bytes.
struct EntryResult {
  enum class State : uint8_t { done, too_short, bad } state = State::done;
  size_t size = 0;                // bytes that the entry takes, when done
  std::string_view problem = {};  // when bad
};

// Each reads one entry at the head of `bytes` and hands it to the sink. `too_short` means that more
// bytes are needed to tell. Versions as in BlockInfo.
EntryResult read_process(Bytes bytes, uint8_t version, event::SnapshotSink& sink);
EntryResult read_fd(Bytes bytes, uint8_t version, int64_t tid, event::SnapshotSink& sink);
EntryResult read_user(Bytes bytes, uint8_t version, event::SnapshotSink& sink);
EntryResult read_interface(Bytes bytes, uint8_t version, event::SnapshotSink& sink);
// The whole body of a machine block.
EntryResult read_machine(Bytes bytes, event::SnapshotSink& sink);

}  // namespace saker::capture::scap
