// Alerts that wait a moment for the metadata of their container: what a runtime says comes later
// than the first events of a container. An alert waits no longer than it is told to, and is never
// lost for lack of metadata.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "finding/finding.h"
#include "k8s/resolver.h"
#include "rules/engine.h"
#include "state/state.h"

namespace saker::agent {

// Belongs to the watching thread; only the resolver behind it has a thread of its own.
class MetadataDesk {
 public:
  using Emit = std::function<void(finding::Finding)>;

  // State's requests go to the resolver from now on; what it finds goes into state.
  MetadataDesk(state::State& state, const k8s::RuntimeConfig& config, size_t cache_size,
               std::chrono::milliseconds wait, Emit emit);

  // Emits the finding now, or once its container's metadata is there or the wait is over.
  void handle(finding::Finding finding, const rules::Rule& rule,
              const filter::EvalContext& context);

  // Takes in what was found and lets go of what has waited long enough.
  void poll();
  // Lets go of everything: before the rules change, and at the end.
  void release_all();

  void set_wait(std::chrono::milliseconds wait) { wait_ = wait; }
  [[nodiscard]] bool waiting() const { return !held_.empty(); }
  [[nodiscard]] k8s::ResolverStats stats() const { return resolver_.stats(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Held {
    finding::Finding finding;
    const rules::Rule* rule;
    std::vector<std::string> pieces;  // of the message
    Ref<state::Cgroups> cgroups;
    Clock::time_point deadline;
  };
  static constexpr size_t kMostHeld = 1024;

  void release(Held& held);
  // What the resolver found since the last time goes into state.
  void take_in();
  void forget_deserted(Clock::time_point now);

  state::State& state_;
  std::chrono::milliseconds wait_;
  Emit emit_;
  k8s::MetadataResolver resolver_;
  std::vector<Held> held_;
  std::vector<k8s::ContainerInfo> found_;
  Clock::time_point forgot_at_{};
};

}  // namespace saker::agent
