#include "k8s/resolver.h"

#include <algorithm>
#include <exception>

#include "base/log.h"

namespace saker::k8s {
namespace {

// A full id is never given twice; a name that a user chose may be.
bool is_unique_id(std::string_view id) {
  constexpr size_t kFullId = 64;
  return id.size() == kFullId && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

MetadataResolver::MetadataResolver(const RuntimeConfig& config, const ResolverLimits& limits)
    : limits_(limits), runtimes_(std::make_unique<Runtimes>(config)) {
  look_up_ = [this](const ContainerRequest& request) { return runtimes_->look_up(request); };
  start();
}

MetadataResolver::MetadataResolver(LookUp look_up, const ResolverLimits& limits)
    : limits_(limits), look_up_(std::move(look_up)) {
  start();
}

MetadataResolver::~MetadataResolver() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (runtimes_) runtimes_->stop();
  }
  work_.notify_all();
  news_.notify_all();
  thread_.join();
}

void MetadataResolver::start() {
  thread_ = std::thread([this] {
    try {
      run();
    } catch (const std::exception& e) {
      log::error(std::string("container metadata thread ended: ") + e.what());
    }
  });
}

bool MetadataResolver::request(ContainerRequest request) {
  std::lock_guard lock(mutex_);
  ++stats_.requested;
  const auto now = Clock::now();
  if (auto found = known_.find(request.full_id); found != known_.end()) {
    Known& known = found->second;
    if (known.outcome == Outcome::pending) return true;
    if (known.outcome == Outcome::failed && now < known.denied_until) {
      ++stats_.denied;
      return false;
    }
    if (known.info && is_unique_id(request.full_id) && results_.size() < limits_.max_queue) {
      results_.push_back(*known.info);
      return true;
    }
  }
  if (queue_.size() >= limits_.max_queue || !make_room()) {
    ++stats_.dropped;
    return false;
  }
  auto [place, is_new] = known_.try_emplace(request.full_id);
  Known& known = place->second;
  if (is_new) known.age = ages_.insert(ages_.end(), request.full_id);
  known.outcome = Outcome::pending;
  known.generation = ++generation_;
  queue_.emplace(now, Job{std::move(request), generation_, now});
  work_.notify_one();
  return true;
}

// Lets the oldest outcome go when there are too many; pending ones stay.
bool MetadataResolver::make_room() {
  if (known_.size() < limits_.max_known) return true;
  for (auto age = ages_.begin(); age != ages_.end(); ++age) {
    const auto known = known_.find(*age);
    if (known->second.outcome == Outcome::pending) continue;
    known_.erase(known);
    ages_.erase(age);
    ++stats_.forgotten;
    return true;
  }
  return false;
}

size_t MetadataResolver::poll(std::vector<ContainerInfo>& out) {
  std::lock_guard lock(mutex_);
  const size_t count = results_.size();
  if (count == 0) return 0;
  std::ranges::move(results_, std::back_inserter(out));
  results_.clear();
  work_.notify_one();
  return count;
}

Outcome MetadataResolver::outcome(std::string_view full_id) const {
  std::lock_guard lock(mutex_);
  const auto known = known_.find(std::string(full_id));
  return known == known_.end() ? Outcome::unknown : known->second.outcome;
}

Outcome MetadataResolver::wait_for(std::string_view full_id, Clock::time_point deadline) const {
  std::unique_lock lock(mutex_);
  const std::string id(full_id);
  Outcome outcome = Outcome::unknown;
  news_.wait_until(lock, deadline, [&] {
    const auto known = known_.find(id);
    outcome = known == known_.end() ? Outcome::unknown : known->second.outcome;
    return stopping_ || outcome != Outcome::pending;
  });
  return outcome;
}

void MetadataResolver::forget(std::string_view full_id) {
  std::lock_guard lock(mutex_);
  const auto known = known_.find(std::string(full_id));
  if (known == known_.end()) return;
  ages_.erase(known->second.age);
  known_.erase(known);
  std::erase_if(results_, [&](const ContainerInfo& info) { return info.full_id == full_id; });
  news_.notify_all();
}

ResolverStats MetadataResolver::stats() const {
  std::lock_guard lock(mutex_);
  ResolverStats stats = stats_;
  stats.waiting = queue_.size();
  return stats;
}

void MetadataResolver::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // Nothing is looked up that nobody has room for.
    if (queue_.empty() || results_.size() >= limits_.max_queue) {
      work_.wait(lock);
    } else if (const auto due = queue_.begin()->first; due > Clock::now()) {
      work_.wait_until(lock, due);
    } else {
      attempt(lock);
    }
  }
}

void MetadataResolver::attempt(std::unique_lock<std::mutex>& lock) {
  Job job = std::move(queue_.begin()->second);
  queue_.erase(queue_.begin());
  if (!find(job)) return;
  ++stats_.attempts;
  lock.unlock();
  auto found = look_up_(job.request);
  lock.lock();
  settle(std::move(job), std::move(found));
}

// Null when the container was forgotten since.
MetadataResolver::Known* MetadataResolver::find(const Job& job) {
  const auto known = known_.find(job.request.full_id);
  const bool is_current = known != known_.end() && known->second.generation == job.generation;
  return is_current ? &known->second : nullptr;
}

void MetadataResolver::settle(Job job, Result<FoundContainer> found) {
  Known* known = find(job);
  if (!known || stopping_) return;
  if (!found.ok()) return retry_or_give_up(std::move(job), found.error());
  // What was on disk is told once; the attempts after it are for the rest.
  const bool is_news = found->complete || !job.found;
  if (is_news) {
    known->outcome = Outcome::resolved;
    known->info = found->info;
    results_.push_back(std::move(found->info));
    ++(found->complete ? stats_.resolved : stats_.partial);
    news_.notify_all();
  }
  if (found->complete) return;
  ++stats_.failures;
  job.found = true;
  if (Clock::now() - job.asked < limits_.patience) schedule_again(std::move(job));
}

void MetadataResolver::retry_or_give_up(Job job, const Error& error) {
  const bool is_denied = error.code == Code::not_found;
  if (!is_denied) {
    ++stats_.failures;
    stats_.last_error = error.message;
  }
  const auto limit = is_denied ? limits_.give_up_after : limits_.patience;
  if (Clock::now() - job.asked < limit) return schedule_again(std::move(job));
  if (job.found) return;
  Known* known = find(job);
  known->outcome = Outcome::failed;
  known->denied_until = Clock::now() + limits_.deny_for;
  ++stats_.given_up;
  news_.notify_all();
}

void MetadataResolver::schedule_again(Job job) {
  job.pause = std::clamp(job.pause * 2, limits_.first_retry, limits_.longest_retry);
  const auto due = Clock::now() + job.pause;
  queue_.emplace(due, std::move(job));
}

}  // namespace saker::k8s
