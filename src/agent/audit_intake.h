// Audit events on their way from where they are collected to the thread that judges them.
#pragma once

#include <cstddef>
#include <string>

#include "base/bounded_queue.h"

namespace saker::agent {

// Events of one source, in its order.
struct AuditBatch {
  std::string text;  // a JSON text a line; of `size` bytes, with kJsonPadding more behind them
  size_t size = 0;
  std::string source;    // the name under which the store keeps the position
  std::string position;  // behind this batch
};

struct AuditBatchSize {
  size_t operator()(const AuditBatch& batch) const { return batch.size; }
};

// Bounded in bytes: whoever reads a source waits for room.
using AuditIntake = BoundedQueue<AuditBatch, AuditBatchSize>;

}  // namespace saker::agent
