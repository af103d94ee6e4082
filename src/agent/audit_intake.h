// Audit events on their way from where they are collected to the thread that judges them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace saker::agent {

// Events of one source, in its order.
struct AuditBatch {
  std::string text;  // a JSON text a line; of `size` bytes, with kJsonPadding more behind them
  size_t size = 0;
  std::string source;    // the name under which the store keeps the position
  std::string position;  // behind this batch
};

// A queue of batches, bounded in bytes: who offers waits. Thread-safe.
class AuditIntake {
 public:
  explicit AuditIntake(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Waits for room; one batch always has it. False when the intake is closed.
  bool offer(AuditBatch batch);
  // The next batch, or nothing after `timeout`.
  std::optional<AuditBatch> take(std::chrono::milliseconds timeout);
  // No more batches; what is there can still be taken.
  void close();

  [[nodiscard]] bool empty() const;

 private:
  const size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable more_, room_;
  std::deque<AuditBatch> batches_;
  size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace saker::agent
