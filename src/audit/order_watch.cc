// See order_watch.h.
#include "audit/order_watch.h"

#include "audit/order_kinds.h"
#include "base/time.h"

namespace saker::audit {

namespace {

// What a new address of an actor means; nothing when it is not worth telling.
const SuspicionKind* kind_of_move(const AuditDigest& digest, const Novelty& novelty) {
  if (!novelty.address || !novelty.settled) return nullptr;
  switch (digest.actor_kind) {
    case ActorKind::person: return novelty.place && novelty.program ? &order::kNewPlace : nullptr;
    case ActorKind::service_account:
      if (novelty.outside) return &order::kAccountOutside;
      return novelty.place ? &order::kAccountElsewhere : &order::kAccountMoved;
    case ActorKind::node: return novelty.place ? &order::kNodeElsewhere : nullptr;
    default: return nullptr;
  }
}

bool is_person(const AuditDigest& digest) {
  return digest.actor_kind == ActorKind::person;
}

const SuspicionKind& kind_of_first_deed(const AuditDigest& digest) {
  if (is_person(digest)) return digest.is_secret ? order::kUserFirstSecret : order::kUserFirstDeed;
  return digest.is_secret ? order::kMachineFirstSecret : order::kMachineFirstDeed;
}

}  // namespace

void OrderWatch::look(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record,
                      Tell tell) {
  if (digest.outcome == Outcome::open) return;
  if (digest.outcome == Outcome::unauthenticated) return guesses_.failed(digest);
  if (is_late_success(digest)) tell(order::kLateSuccess);
  if (digest.actor_kind != ActorKind::nobody && digest.actor_kind != ActorKind::anonymous)
    look_at_actor(digest, record, tell);
}

// By namespace: who may read here and not there is refused there every day. What was allowed
// before is no surprise, and one refusal is a slip.
bool OrderWatch::is_late_success(const AuditDigest& digest) {
  constexpr uint32_t kSurprising = 2;
  const bool refused = digest.outcome == Outcome::refused;
  if (!refused && !(digest.outcome == Outcome::allowed && digest.complete)) return false;
  auto place = access_.find(digest.access);
  if (place == access_.end()) {
    if (access_.size() >= kMostKeys) {
      ++forgotten_;
      return false;
    }
    place = access_.emplace(digest.access, AccessHistory{}).first;
  }
  AccessHistory& history = place->second;
  if (refused) {
    history.refusals += history.allowed ? 0 : 1;
    return false;
  }
  history.allowed = true;
  return history.refusals >= kSurprising;
}

void OrderWatch::look_at_actor(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record,
                               Tell tell) {
  const Novelty novelty = habits_.learn(digest, record);
  if (novelty.program && !novelty.actor && digest.actor_kind == ActorKind::service_account)
    tell(order::kNewClient);
  if (compares_) compare(digest, novelty, tell);
  const SuspicionKind* const moved = kind_of_move(digest, novelty);
  if (novelty.address && guesses_.accepted(digest))
    watch(digest, order::kAcceptedAfterGuesses);
  else if (moved != nullptr)
    watch(digest, *moved);
  if (watches_.empty()) return;
  const auto watched = watches_.find(digest.actor);
  if (watched != watches_.end() && watched->second.address == digest.address &&
      digest.time_ns <= watched->second.until_ns)
    tell(*watched->second.kind);
}

void OrderWatch::compare(const AuditDigest& digest, const Novelty& novelty, Tell tell) const {
  if (novelty.actor && complete_) tell(is_person(digest) ? order::kNewUser : order::kNewMachine);
  if (novelty.deed) tell(kind_of_first_deed(digest));
  if (!is_person(digest)) return;
  if (novelty.place && novelty.settled && !novelty.program) tell(order::kUserElsewhere);
  if (novelty.hour)
    tell(digest.act == Act::write || digest.is_secret ? order::kChangeAtOddHour : order::kOddHour);
}

void OrderWatch::watch(const AuditDigest& digest, const SuspicionKind& kind) {
  watches_[digest.actor] = {
      .kind = &kind, .address = digest.address, .until_ns = digest.time_ns + kHourNs};
}

}  // namespace saker::audit
