#include "agent/audit_intake.h"

namespace saker::agent {

bool AuditIntake::offer(AuditBatch batch) {
  std::unique_lock lock(mutex_);
  room_.wait(lock,
             [&] { return closed_ || batches_.empty() || bytes_ + batch.size <= max_bytes_; });
  if (closed_) return false;
  bytes_ += batch.size;
  batches_.push_back(std::move(batch));
  more_.notify_one();
  return true;
}

std::optional<AuditBatch> AuditIntake::take(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (!more_.wait_for(lock, timeout, [&] { return closed_ || !batches_.empty(); }) ||
      batches_.empty())
    return std::nullopt;
  AuditBatch batch = std::move(batches_.front());
  batches_.pop_front();
  bytes_ -= batch.size;
  room_.notify_all();
  return batch;
}

void AuditIntake::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  more_.notify_all();
  room_.notify_all();
}

bool AuditIntake::empty() const {
  const std::scoped_lock lock(mutex_);
  return batches_.empty();
}

}  // namespace saker::agent
