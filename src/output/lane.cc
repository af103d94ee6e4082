#include "output/lane.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "base/thread_signals.h"

namespace saker::output {

// The same trouble is told at most this often.
static constexpr std::chrono::seconds kTellEvery{10};

Lane::Lane(std::string name, std::unique_ptr<Sink> sink, finding::Severity least, size_t capacity,
           std::chrono::milliseconds slow_after)
    : name_(std::move(name)),
      sink_(std::move(sink)),
      policy_(sink_->retry_policy()),
      least_(least),
      capacity_(capacity),
      slow_after_(slow_after),
      queue_(capacity) {}

void Lane::start() {
  thread_ = std::thread([this] { run(); });
}

void Lane::push(const SharedFinding& finding) {
  if (finding->severity > least_) return;
  ++queued_;
  if (!queue_.try_push(finding)) --queued_;
}

SinkStats Lane::stats() const {
  SinkStats stats{.name = name_,
                  .delivered = delivered_,
                  .dropped = queue_.dropped(),
                  .failed = failed_,
                  .retries = retries_,
                  .queued = queued_,
                  .capacity = capacity_};
  if (const Clock::rep since = busy_since_; since != 0) {
    const Clock::duration busy = Clock::now() - Clock::time_point(Clock::duration(since));
    stats.busy_for = std::chrono::duration_cast<std::chrono::milliseconds>(busy);
  }
  std::lock_guard lock(mutex_);
  stats.last_error = last_error_;
  return stats;
}

bool Lane::wait_until(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return ended_; });
}

void Lane::abandon() {
  {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  sink_->cancel();
}

void Lane::run() {
  block_signals();
  std::vector<SharedFinding> batch;
  while (std::optional<SharedFinding> first = queue_.pop()) {
    batch.push_back(std::move(*first));
    while (batch.size() < kLargestBatch) {
      std::optional<SharedFinding> next = queue_.pop(std::chrono::milliseconds(0));
      if (!next) break;
      batch.push_back(std::move(*next));
    }
    deliver(batch);
    batch.clear();
    note_drops();
  }
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

Delivery Lane::try_once(std::span<const SharedFinding> batch) {
  const Clock::time_point start = Clock::now();
  busy_since_ = start.time_since_epoch().count();
  Delivery delivery;
  try {
    delivery = sink_->deliver(batch);
  } catch (const std::exception& problem) {  // out of memory; the lane must live on
    delivery.status = Error{.code = Code::invalid, .message = problem.what()};
  }
  busy_since_ = 0;
  SAKER_ASSERT(delivery.done != 0 || !delivery.status.ok());
  delivered_ += delivery.done;
  queued_ -= delivery.done;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  if (took > slow_after_ && delivery.status.ok())
    log::warning(fmt::format("output {} is slow: {} ms for one delivery", name_, took.count()));
  return delivery;
}

void Lane::deliver(std::vector<SharedFinding>& batch) {
  size_t at = 0;
  Clock::time_point first_try = Clock::now();
  std::chrono::milliseconds wait = policy_.first_wait;
  const auto begin_anew = [&] {
    first_try = Clock::now();
    wait = policy_.first_wait;
  };
  while (at < batch.size()) {
    Delivery delivery = try_once(std::span(batch).subspan(at));
    at += delivery.done;
    if (delivery.done != 0) {
      begin_anew();
      note_success();
    }
    if (delivery.status.ok()) continue;
    const Error& error = delivery.status.error();
    note_error(error);
    const bool retry = (error.code == Code::busy || error.code == Code::io) &&
                       Clock::now() - first_try < policy_.give_up_after;
    if (error.code == Code::not_found || (retry && !pause(wait)) || abandoned()) {
      count_failed(batch.size() - at);
      return;
    }
    if (retry) {
      ++retries_;
      wait = std::min(wait * 2, policy_.longest_wait);
    } else {
      count_failed(1);
      ++at;
      begin_anew();
    }
  }
}

bool Lane::abandoned() const {
  std::lock_guard lock(mutex_);
  return abandoned_;
}

// False when the lane is to give up.
bool Lane::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, duration, [this] { return abandoned_; });
}

void Lane::count_failed(size_t count) {
  failed_ += count;
  queued_ -= count;
}

void Lane::note_error(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    last_error_ = error.message;
  }
  const Clock::time_point now = Clock::now();
  if (failing_ && now - error_told_ < kTellEvery) return;
  failing_ = true;
  error_told_ = now;
  log::error(fmt::format("output {}: {}", name_, error.to_text()));
}

void Lane::note_success() {
  if (!failing_) return;
  failing_ = false;
  log::info(fmt::format("output {} works again", name_));
}

void Lane::note_drops() {
  const uint64_t dropped = queue_.dropped();
  const Clock::time_point now = Clock::now();
  if (dropped == drops_told_ || now - drop_told_ < kTellEvery) return;
  log::warning(fmt::format("output {} is too slow: {} findings dropped, {} in all", name_,
                           dropped - drops_told_, dropped));
  drops_told_ = dropped;
  drop_told_ = now;
}

}  // namespace saker::output
