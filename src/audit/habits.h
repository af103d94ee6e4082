// What each actor is used to, learnt as the log goes or known from a baseline: the addresses it
// comes from, the programs that it uses, and on demand what it does and when. Bounded by the limits
// below, not by the log.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "audit/baseline.h"
#include "audit/digest.h"
#include "audit/place.h"
#include "base/function_ref.h"
#include "event/audit_record.h"

namespace saker::audit {

// What an event shows of its actor for the first time.
struct Novelty {
  bool actor = false;
  bool address = false;
  bool place = false;    // no known address of the actor is near the new one
  bool outside = false;  // it is public, and all known ones are private
  bool program = false;
  bool settled = false;  // the actor had kept to what was known for long
  // Of an actor that the baseline knows well:
  bool deed = false;
  bool hour = false;  // it is never active around this hour of the day
};

class Habits {
 public:
  static constexpr size_t kMostActors = Baseline::kMostActors, kMostHabits = Baseline::kMostHabits,
                          kMostAddresses = 64, kMostPrograms = 64;

  // With a baseline it begins with what that knows, if there is one. `learning`: for baseline(),
  // and takes what actors do into account, too.
  explicit Habits(const Baseline* known = nullptr, bool learning = false);

  // Of the next event of the log that shows who is asking; nothing is new of what has no room.
  Novelty learn(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record);

  // All that is known now; needs `learning`.
  [[nodiscard]] Baseline baseline() const;
  // Events of actors and habits that there was no room for.
  [[nodiscard]] uint64_t forgotten() const { return forgotten_; }

 private:
  struct KnownAddress {
    uint64_t hash = 0;
    Place place;
    std::string text;
  };
  struct KnownProgram {
    uint64_t hash = 0;
    std::string text;
  };
  struct Actor {
    std::string name;
    std::vector<KnownAddress> addresses;
    std::vector<KnownProgram> programs;
    std::vector<std::string> deeds;
    uint64_t requests = 0, changed = 0;  // `changed`: requests until something new was learnt
    uint64_t first_ns = 0, last_ns = 0;
    HoursOfDay hours;
    HoursOfDay usual_hours;  // of the baseline, with those beside them; all when it says too little
    bool well_known = false;  // by the baseline
  };

  void take_over(const ActorHabits& known);
  Actor* actor_of(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record,
                  Novelty& novelty);
  void learn_address(Actor& actor, const AuditDigest& digest,
                     FunctionRef<const AuditRecord&()> record, Novelty& novelty);
  void learn_program(Actor& actor, const AuditDigest& digest,
                     FunctionRef<const AuditRecord&()> record, Novelty& novelty);
  void learn_deed(Actor& actor, const AuditDigest& digest, FunctionRef<const AuditRecord&()> record,
                  Novelty& novelty);
  bool has_room();

  const bool with_deeds_;
  const bool learning_;  // texts are kept
  std::unordered_map<uint64_t, Actor> actors_;
  std::unordered_set<uint64_t> deeds_;  // of all actors
  std::unordered_set<uint64_t>
      node_deeds_;     // of any node: what one does, others do sooner or later
  size_t habits_ = 0;  // addresses, programs and deeds of all actors
  uint64_t forgotten_ = 0;
};

}  // namespace saker::audit
