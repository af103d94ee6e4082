// What each actor is used to, learnt as the log goes: the addresses it comes from and the programs
// that it uses. Bounded by the limits below, not by the log.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

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
};

class Habits {
 public:
  static constexpr size_t kMostActors = 50'000, kMostAddresses = 64, kMostPrograms = 64;

  // Of the next event of the log that shows who is asking; nothing is new of what has no room.
  Novelty learn(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record);

  // Events of actors that there was no room for.
  [[nodiscard]] uint64_t forgotten() const { return forgotten_; }

 private:
  struct KnownAddress {
    uint64_t address = 0;
    Place place;
  };
  struct Actor {
    std::vector<KnownAddress> addresses;
    std::vector<uint64_t> programs;
    uint64_t requests = 0, changed = 0;  // `changed`: requests until something new was learnt
    uint64_t first_ns = 0;
  };

  static bool is_settled(const Actor& actor, uint64_t now_ns);
  static void learn_address(Actor& actor, const AuditDigest& digest,
                            FunctionRef<const AuditRecord&()> record, Novelty& novelty);
  static void learn_program(Actor& actor, uint64_t program, Novelty& novelty);

  std::unordered_map<uint64_t, Actor> actors_;
  uint64_t forgotten_ = 0;
};

}  // namespace saker::audit
