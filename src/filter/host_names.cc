// Looking up host names that conditions compare with. A name server that does not answer must not
// keep a rule set from loading, so look-ups run on threads of their own and are given up after a
// while.
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include "filter/constant.h"

namespace saker::filter {

namespace {

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

// What the caller and its threads share; the threads may outlive the call.
struct LookUps {
  std::mutex mutex;
  std::condition_variable done;
  std::vector<std::string> names;
  std::vector<std::vector<IpNetwork>> results;
  size_t next = 0;
  size_t finished = 0;
  bool given_up = false;

  void work() {
    std::unique_lock lock(mutex);
    while (!given_up && next < names.size()) {
      const size_t index = next++;
      lock.unlock();
      std::vector<IpNetwork> addresses = look_up(names[index]);
      lock.lock();
      results[index] = std::move(addresses);
      ++finished;
      done.notify_one();
    }
  }
};

}  // namespace

void resolve_host_names(std::span<Constant> constants) {
  const auto shared = std::make_shared<LookUps>();
  for (const Constant& constant : constants) shared->names.push_back(constant.text);
  shared->results.resize(shared->names.size());
  const size_t threads = std::min(kMostThreads, shared->names.size());
  for (size_t i = 0; i < threads; ++i) std::thread([shared] { shared->work(); }).detach();
  std::unique_lock lock(shared->mutex);
  shared->done.wait_for(lock, kLongestWait,
                        [&] { return shared->finished == shared->names.size(); });
  shared->given_up = true;
  for (size_t i = 0; i < constants.size(); ++i)
    constants[i].networks = std::move(shared->results[i]);
}

}  // namespace saker::filter
