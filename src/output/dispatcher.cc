#include "output/dispatcher.h"

#include <fmt/core.h>

#include <thread>

#include "base/log.h"

namespace saker::output {

namespace {

// How long a sink that was told to give up may take, before its thread is left behind.
constexpr std::chrono::milliseconds kGrace{1000};
constexpr std::chrono::milliseconds kFlushPoll{2};

}  // namespace

Dispatcher::Dispatcher(DispatcherOptions options)
    : options_(options), rate_limit_(options.rate, options.burst) {}

Dispatcher::~Dispatcher() {
  stop(std::chrono::milliseconds(0));
  for (std::unique_ptr<Lane>& lane : lanes_)
    if (lane->stuck()) static_cast<void>(lane.release());  // its thread still uses it
}

Status Dispatcher::add(const SinkInfo& info, const SinkSettings& settings,
                       finding::Severity least) {
  std::unique_ptr<Sink> sink = SAKER_TRY(info.open(settings));
  add(std::string(info.name), std::move(sink), least);
  return {};
}

void Dispatcher::add(std::string name, std::unique_ptr<Sink> sink, finding::Severity least) {
  lanes_.push_back(std::make_unique<Lane>(std::move(name), std::move(sink), least,
                                          options_.queue_capacity, options_.slow_after));
  lanes_.back()->start();
}

void Dispatcher::submit(SharedFinding finding) {
  if (options_.rate > 0) {
    std::lock_guard lock(mutex_);
    if (!rate_limit_.pass(finding->rule, RateLimit::Time::clock::now())) {
      ++rate_limited_;
      return;
    }
  }
  for (const std::unique_ptr<Lane>& lane : lanes_) lane->push(finding);
}

void Dispatcher::reopen() {
  for (const std::unique_ptr<Lane>& lane : lanes_) lane->reopen();
}

bool Dispatcher::flush(std::chrono::milliseconds timeout) {
  const Lane::Clock::time_point deadline = Lane::Clock::now() + timeout;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    while (!lane->idle()) {
      if (Lane::Clock::now() >= deadline) return false;
      std::this_thread::sleep_for(kFlushPoll);
    }
  }
  return true;
}

bool Dispatcher::stop(std::chrono::milliseconds timeout) {
  if (stopped_) return true;
  stopped_ = true;
  const Lane::Clock::time_point deadline = Lane::Clock::now() + timeout;
  for (const std::unique_ptr<Lane>& lane : lanes_) lane->close();
  bool complete = true;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    if (lane->wait_until(deadline)) continue;
    complete = false;
    lane->abandon();
  }
  const Lane::Clock::time_point last = Lane::Clock::now() + kGrace;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    const bool ended = lane->wait_until(last);
    ended ? lane->join() : lane->leave_behind();
    const SinkStats stats = lane->stats();
    if (!ended) log::error("output " + stats.name + " does not end; leaving it behind");
    if (stats.failed != 0 || stats.dropped != 0 || stats.queued != 0) {
      log::warning(fmt::format("output {}: {} findings delivered, {} lost", stats.name,
                               stats.delivered, stats.failed + stats.dropped + stats.queued));
    }
  }
  return complete;
}

std::vector<SinkStats> Dispatcher::stats() const {
  std::vector<SinkStats> all;
  all.reserve(lanes_.size());
  for (const std::unique_ptr<Lane>& lane : lanes_) all.push_back(lane->stats());
  return all;
}

uint64_t Dispatcher::rate_limited() const {
  std::lock_guard lock(mutex_);
  return rate_limited_;
}

}  // namespace saker::output
