#include "output/dispatcher.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "base/log.h"

namespace saker::output {

namespace {

using Clock = Lane::Clock;

// How long a sink that was told to give up may take, before its thread is left behind.
constexpr std::chrono::milliseconds kGrace{1000};
constexpr std::chrono::milliseconds kFlushPoll{2};
// How long a sink that another took the place of may take for what it was handed.
constexpr std::chrono::seconds kRetirement{5};

void add_counts(const SinkStats& from, SinkStats& to) {
  to.delivered += from.delivered;
  to.dropped += from.dropped;
  to.failed += from.failed;
  to.retries += from.retries;
}

void tell_losses(const SinkStats& stats) {
  if (stats.failed == 0 && stats.dropped == 0 && stats.queued == 0) return;
  log::warning(fmt::format("output {}: {} findings delivered, {} lost", stats.name, stats.delivered,
                           stats.failed + stats.dropped + stats.queued));
}

}  // namespace

Dispatcher::Dispatcher(DispatcherOptions options)
    : options_(options), rate_limit_(options.rate, options.burst) {}

Dispatcher::~Dispatcher() {
  stop(std::chrono::milliseconds(0));
  for (Active& active : lanes_)
    if (active.lane->stuck()) static_cast<void>(active.lane.release());  // its thread still uses it
}

Status Dispatcher::add(const SinkInfo& info, const SinkSettings& settings,
                       finding::Severity least) {
  std::unique_ptr<Sink> sink = SAKER_TRY(info.open(settings));
  add(std::string(info.name), std::move(sink), least);
  lanes_.back().spec = {.info = &info, .settings = settings, .least = least};
  return {};
}

void Dispatcher::add(std::string name, std::unique_ptr<Sink> sink, finding::Severity least) {
  std::lock_guard lock(mutex_);
  lanes_.push_back({.lane = std::make_unique<Lane>(std::move(name), std::move(sink), least,
                                                   options_.queue_capacity, options_.slow_after)});
  lanes_.back().lane->start();
}

size_t Dispatcher::find(const SinkSpec& spec) const {
  const auto found = std::ranges::find_if(
      lanes_, [&](const Active& active) { return active.spec && *active.spec == spec; });
  return static_cast<size_t>(found - lanes_.begin());
}

Result<Dispatcher::Prepared> Dispatcher::prepare(DispatcherOptions options,
                                                 std::vector<SinkSpec> specs) const {
  std::unique_lock lock(mutex_);
  const bool same_queues = options.queue_capacity == options_.queue_capacity &&
                           options.slow_after == options_.slow_after;
  std::vector<bool> stays;
  for (const SinkSpec& spec : specs) stays.push_back(same_queues && find(spec) < lanes_.size());
  lock.unlock();  // opening a file may take its time
  Prepared prepared{.options = options, .specs = std::move(specs), .lanes = {}};
  for (size_t i = 0; i < prepared.specs.size(); ++i) {
    const SinkSpec& spec = prepared.specs[i];
    prepared.lanes.emplace_back();
    if (stays[i]) continue;
    std::unique_ptr<Sink> sink = SAKER_TRY(spec.info->open(spec.settings));
    prepared.lanes.back() =
        std::make_unique<Lane>(std::string(spec.info->name), std::move(sink), spec.least,
                               options.queue_capacity, options.slow_after);
  }
  return prepared;
}

void Dispatcher::exchange(Prepared prepared) {
  std::lock_guard lock(mutex_);
  std::vector<Active> next;
  for (size_t i = 0; i < prepared.specs.size(); ++i) {
    std::unique_ptr<Lane> lane = std::move(prepared.lanes[i]);
    if (lane) {
      lane->start();
    } else {
      lane = std::move(lanes_[find(prepared.specs[i])].lane);
    }
    next.push_back({.lane = std::move(lane), .spec = std::move(prepared.specs[i])});
  }
  const Clock::time_point deadline = Clock::now() + kRetirement;
  for (Active& active : lanes_) {
    if (!active.lane) continue;
    active.lane->close();
    retired_.push_back({.lane = std::move(active.lane), .deadline = deadline});
  }
  lanes_ = std::move(next);
  if (options_.rate != prepared.options.rate || options_.burst != prepared.options.burst)
    rate_limit_ = RateLimit(prepared.options.rate, prepared.options.burst);
  options_ = prepared.options;
}

// True when the lane is gone.
bool Dispatcher::tidy_one(Retired& retired, Clock::time_point now) {
  Lane& lane = *retired.lane;
  if (lane.wait_until(now)) {
    lane.join();
  } else if (now < retired.deadline) {
    return false;
  } else if (!retired.abandoned) {
    retired.abandoned = true;
    lane.abandon();
    return false;
  } else if (now < retired.deadline + kGrace) {
    return false;
  } else {
    lane.leave_behind();
  }
  const SinkStats stats = lane.stats();
  add_counts(stats, past_[stats.name]);
  tell_losses(stats);
  if (lane.stuck()) static_cast<void>(retired.lane.release());
  return true;
}

void Dispatcher::tidy() {
  std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  std::erase_if(retired_, [&](Retired& retired) { return tidy_one(retired, now); });
}

void Dispatcher::submit(SharedFinding finding) {
  std::lock_guard lock(mutex_);
  if (options_.rate > 0 && !rate_limit_.pass(finding->rule, Clock::now())) {
    ++rate_limited_;
    return;
  }
  for (const Active& active : lanes_) active.lane->push(finding);
}

void Dispatcher::reopen() {
  for (const Active& active : lanes_) active.lane->reopen();
}

bool Dispatcher::flush(std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  for (const Active& active : lanes_) {
    while (!active.lane->idle()) {
      if (Clock::now() >= deadline) return false;
      std::this_thread::sleep_for(kFlushPoll);
    }
  }
  return true;
}

bool Dispatcher::stop(std::chrono::milliseconds timeout) {
  if (stopped_) return true;
  stopped_ = true;
  const Clock::time_point deadline = Clock::now() + timeout;
  for (const Active& active : lanes_) active.lane->close();
  for (Retired& retired : retired_) retired.deadline = std::min(retired.deadline, deadline);
  bool complete = true;
  for (const Active& active : lanes_) {
    if (active.lane->wait_until(deadline)) continue;
    complete = false;
    active.lane->abandon();
  }
  const Clock::time_point last = Clock::now() + kGrace;
  for (const Active& active : lanes_) {
    const bool ended = active.lane->wait_until(last);
    ended ? active.lane->join() : active.lane->leave_behind();
    const SinkStats stats = active.lane->stats();
    if (!ended) log::error("output " + stats.name + " does not end; leaving it behind");
    tell_losses(stats);
  }
  for (tidy(); !retired_.empty(); tidy()) std::this_thread::sleep_for(kFlushPoll);
  return complete;
}

std::vector<SinkStats> Dispatcher::stats() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, SinkStats> gone = past_;
  for (const Retired& retired : retired_) {
    const SinkStats stats = retired.lane->stats();
    add_counts(stats, gone[stats.name]);
  }
  std::vector<SinkStats> all;
  for (const Active& active : lanes_) {
    all.push_back(active.lane->stats());
    const auto before = gone.find(all.back().name);
    if (before == gone.end()) continue;
    add_counts(before->second, all.back());
    gone.erase(before);
  }
  for (auto& [name, stats] : gone) {
    stats.name = name;
    all.push_back(stats);
  }
  return all;
}

uint64_t Dispatcher::rate_limited() const {
  std::lock_guard lock(mutex_);
  return rate_limited_;
}

}  // namespace saker::output
