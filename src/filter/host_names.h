// Host names that conditions compare with. Loading rules asks no name server: names are looked up
// when a check first needs one, or ahead of that when somebody says so, on threads of their own and
// each name once a process.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filter/value.h"

namespace saker::filter {

class HostName {
 public:
  explicit HostName(std::string_view name) : name_(name) {}

  [[nodiscard]] const std::string& name() const { return name_; }

  // The name's addresses; none when it does not resolve. The first call of all waits for the
  // answer, at most two seconds over all names of the process, so that what it gives never changes
  // and a replay is the same twice. A name that was looked up ahead is not waited for: it has no
  // addresses until the answer is there. May be called by any thread.
  [[nodiscard]] std::span<const IpNetwork> addresses() {
    const State state = state_.load(std::memory_order_acquire);
    if (state == State::known) [[likely]]
      return addresses_;
    return state == State::asked_ahead ? std::span<const IpNetwork>() : wait();
  }

  // Whether somebody has asked for the addresses.
  [[nodiscard]] bool is_asked() const { return state_.load() != State::new_name; }

 private:
  friend class HostNames;
  enum class State : uint8_t { new_name, asked, asked_ahead, known };

  std::span<const IpNetwork> wait();

  std::string name_;
  std::vector<IpNetwork> addresses_;  // never changes once known
  std::atomic<State> state_ = State::new_name;
};

// The one object for a name.
std::shared_ptr<HostName> host_name(std::string_view name);

// Begins to look up all names of the process that nobody has asked for yet, and does not wait: for
// live watching, where the answers are there before they are needed, and an event can't wait.
void look_up_host_names_ahead();

}  // namespace saker::filter
