// See habits.h.
#include "audit/habits.h"

#include <algorithm>

namespace saker::audit {

Novelty Habits::learn(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record) {
  Novelty novelty;
  auto place = actors_.find(digest.actor);
  if (place == actors_.end()) {
    if (actors_.size() >= kMostActors) {
      ++forgotten_;
      return novelty;
    }
    place = actors_.emplace(digest.actor, Actor{.first_ns = digest.time_ns}).first;
    novelty.actor = true;
  }
  Actor& actor = place->second;
  const bool known_address = std::ranges::find(actor.addresses, digest.address,
                                               &KnownAddress::address) != actor.addresses.end();
  const bool known_program =
      std::ranges::find(actor.programs, digest.program) != actor.programs.end();
  if (!known_address || !known_program) novelty.settled = is_settled(actor, digest.time_ns);
  if (!known_address) learn_address(actor, digest, record, novelty);
  if (!known_program) learn_program(actor, digest.program, novelty);
  ++actor.requests;
  return novelty;
}

// Who has many addresses, as a program that runs on all nodes, must be seen longer before they are
// all known.
bool Habits::is_settled(const Actor& actor, uint64_t now_ns) {
  constexpr uint64_t kRequests = 10, kRequestsAnAddress = 16, kHour = 3'600'000'000'000;
  const uint64_t wanted = std::max(kRequests, (actor.addresses.size() - 1) * kRequestsAnAddress);
  return !actor.addresses.empty() && actor.requests - actor.changed >= wanted &&
         now_ns >= actor.first_ns + kHour;
}

void Habits::learn_address(Actor& actor, const AuditDigest& digest,
                           FunctionRef<const AuditRecord&()> record, Novelty& novelty) {
  if (actor.addresses.size() >= kMostAddresses) return;
  const Place place = place_of(peer_address(record()));
  novelty.address = true;
  novelty.place = std::ranges::none_of(actor.addresses, [&](const KnownAddress& known) {
    return known.place.neighbourhood == place.neighbourhood;
  });
  novelty.outside =
      place.is_public && std::ranges::none_of(actor.addresses, [](const KnownAddress& known) {
        return known.place.is_public;
      });
  actor.addresses.push_back({digest.address, place});
  actor.changed = actor.requests;
}

void Habits::learn_program(Actor& actor, uint64_t program, Novelty& novelty) {
  if (actor.programs.size() >= kMostPrograms) return;
  novelty.program = true;
  actor.programs.push_back(program);
  actor.changed = actor.requests;
}

}  // namespace saker::audit
