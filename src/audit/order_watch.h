// Looks at events in their order for what none of them shows alone: success after refusals, what
// an actor is not used to, a credential accepted after guesses.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "audit/digest.h"
#include "audit/guesses.h"
#include "audit/habits.h"
#include "audit/suspicion.h"
#include "base/function_ref.h"
#include "event/audit_record.h"

namespace saker::audit {

class OrderWatch {
 public:
  static constexpr size_t kMostKeys = 200'000;

  // A baseline, when there is one, says what actors are used to. `learning`: for baseline().
  explicit OrderWatch(const Baseline* known = nullptr, bool learning = false)
      : habits_(known, learning),
        compares_(known != nullptr),
        complete_(known != nullptr && known->left_out == 0) {}

  using Tell = FunctionRef<void(const SuspicionKind& kind)>;

  // The next event of the log, which is no repetition; `record` gives it, when it is needed.
  void look(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record, Tell tell);

  [[nodiscard]] Baseline baseline() const { return habits_.baseline(); }
  // Events that no table had room for.
  [[nodiscard]] uint64_t forgotten() const {
    return forgotten_ + habits_.forgotten() + guesses_.forgotten();
  }

 private:
  // Of one actor with one kind of object in one namespace.
  struct AccessHistory {
    uint32_t refusals = 0;  // before the first success
    bool allowed = false;
  };
  // Whatever an actor does from an address for a while belongs to what was told of it.
  struct Watch {
    const SuspicionKind* kind = nullptr;
    uint64_t address = 0, until_ns = 0;
  };

  bool is_late_success(const AuditDigest& digest);
  void look_at_actor(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record,
                     Tell tell);
  void compare(const AuditDigest& digest, const Novelty& novelty, Tell tell) const;
  void watch(const AuditDigest& digest, const SuspicionKind& kind);

  Habits habits_;
  const bool compares_;  // there is a baseline
  const bool complete_;  // and it has all actors
  Guesses guesses_;
  std::unordered_map<uint64_t, AccessHistory> access_;  // by hash of actor, kind and namespace
  std::unordered_map<uint64_t, Watch> watches_;         // by actor
  uint64_t forgotten_ = 0;
};

}  // namespace saker::audit
