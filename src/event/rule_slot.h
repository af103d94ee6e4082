// A place on each thread's record for the rule engine's bits. State keeps it and never looks
// inside; the engine does not know what a thread is.
#pragma once

#include <cstdint>
#include <memory>

namespace saker::event {

// When `epoch` moves on (exec, credentials, parents, container metadata), what was remembered is
// stale.
struct RuleSlot {
  uint32_t epoch = 1;
  uint32_t seen_epoch = 0;  // the epoch that `bits` were made in; set by the engine
  uint64_t generation = 0;  // of the rule set that made them; set by the engine
  std::unique_ptr<uint64_t[]> bits;
};

}  // namespace saker::event
