#include "filter/host_names.h"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace saker::filter {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLongestWait = std::chrono::seconds(2);
constexpr size_t kMostThreads = 16;

std::vector<IpNetwork> look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return {};
  std::vector<IpNetwork> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    IpNetwork address;
    if (entry->ai_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(entry->ai_addr);
      std::memcpy(address.address.bytes.data(), &v4->sin_addr, 4);
      address.prefix = 32;
    } else if (entry->ai_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry->ai_addr);
      std::memcpy(address.address.bytes.data(), &v6->sin6_addr, 16);
      address.address.v6 = true;
      address.prefix = 128;
    } else {
      continue;
    }
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

// All names of the process, and the threads that look them up. Never destroyed, since a name server
// may keep a thread beyond the end of main().
class HostNames {
 public:
  static HostNames& instance() {
    static auto* names = new HostNames;
    return *names;
  }

  std::shared_ptr<HostName> of(std::string_view name) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<HostName>& entry = names_.try_emplace(std::string(name)).first->second;
    std::shared_ptr<HostName> found = entry.lock();
    if (found == nullptr) entry = found = std::make_shared<HostName>(name);
    return found;
  }

  void begin_ahead() {
    const std::lock_guard lock(mutex_);
    begin(HostName::State::asked_ahead);
  }

  void wait_for(HostName& name) {
    std::unique_lock lock(mutex_);
    begin(HostName::State::asked);
    if (!deadline_) deadline_ = Clock::now() + kLongestWait;
    const auto is_known = [&] { return name.state_ == HostName::State::known; };
    if (!answered_.wait_until(lock, *deadline_, is_known)) name.state_ = HostName::State::known;
  }

 private:
  // With the lock held.
  void begin(HostName::State state) {
    for (auto entry = names_.begin(); entry != names_.end();) {
      std::shared_ptr<HostName> name = entry->second.lock();
      if (name == nullptr) {
        entry = names_.erase(entry);
        continue;
      }
      ++entry;
      if (name->state_ != HostName::State::new_name) continue;
      name->state_ = state;
      waiting_.push_back(std::move(name));
    }
    while (threads_ < std::min(kMostThreads, waiting_.size())) {
      ++threads_;
      std::thread([this] { work(); }).detach();
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty()) {
      const std::shared_ptr<HostName> name = std::move(waiting_.front());
      waiting_.pop_front();
      if (name->state_ == HostName::State::known) continue;  // given up
      lock.unlock();
      std::vector<IpNetwork> addresses = look_up(name->name());
      lock.lock();
      if (name->state_ == HostName::State::known) continue;
      name->addresses_ = std::move(addresses);
      name->state_.store(HostName::State::known, std::memory_order_release);
      answered_.notify_all();
    }
    --threads_;
  }

  std::mutex mutex_;
  std::condition_variable answered_;
  std::map<std::string, std::weak_ptr<HostName>, std::less<>> names_;
  std::deque<std::shared_ptr<HostName>> waiting_;
  size_t threads_ = 0;
  std::optional<Clock::time_point> deadline_;  // of all waits together
};

std::span<const IpNetwork> HostName::wait() {
  HostNames::instance().wait_for(*this);
  return addresses_;
}

std::shared_ptr<HostName> host_name(std::string_view name) {
  return HostNames::instance().of(name);
}

void look_up_host_names_ahead() {
  HostNames::instance().begin_ahead();
}

}  // namespace saker::filter
