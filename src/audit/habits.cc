// See habits.h.
#include "audit/habits.h"

#include <algorithm>
#include <tuple>

#include "base/arena.h"
#include "base/hash.h"
#include "base/strings.h"
#include "base/time.h"
#include "formats/json_text.h"

namespace saker::audit {

namespace {

constexpr size_t kMostHabitText = 128;
constexpr std::string_view kNodePrefix = "system:node:";

size_t hour_of(uint64_t time_ns) {
  return static_cast<size_t>(time_ns / kHourNs % 24);
}

// As it can be written to a file and read back, of at most so many bytes. What is cut is no name
// that a cluster gives.
std::string kept(std::string_view text, size_t most) {
  constexpr size_t kMended = 3;  // bytes that a bad one becomes
  std::string out = sanitize_utf8(text.substr(0, most));
  return text.size() <= most && out.size() <= most ? out
                                                   : sanitize_utf8(text.substr(0, most / kMended));
}

std::string user_name(const AuditRecord& record) {
  const std::string_view token = record.value(AuditValue::user_name);
  if (token.empty()) return {};
  Arena scratch;
  return kept(formats::json_text::to_text(token, scratch), Baseline::kMostText);
}

// The hours of somebody whom the baseline shows on several days, with those before and after.
HoursOfDay usual_hours(const ActorHabits& known) {
  constexpr uint64_t kRequests = 100, kDays = 2;
  HoursOfDay out;
  if (known.requests < kRequests || known.last_ns < known.first_ns + kDays * 24 * kHourNs)
    return out.set();
  for (size_t hour = 0; hour < out.size(); ++hour)
    if (known.hours[hour])
      out.set(hour).set((hour + 1) % out.size()).set((hour + out.size() - 1) % out.size());
  return out;
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  texts.erase(std::ranges::unique(texts).begin(), texts.end());
  return texts;
}

template <typename Known>
std::vector<std::string> texts_of(const std::vector<Known>& known) {
  std::vector<std::string> out;
  for (const Known& each : known) out.push_back(each.text);
  return sorted(std::move(out));
}

// Who has many addresses, as a program that runs on all nodes, must be seen longer before they are
// all known.
bool is_settled(size_t addresses, uint64_t unchanged, uint64_t since_ns, uint64_t now_ns) {
  constexpr uint64_t kRequests = 10, kRequestsAnAddress = 16;
  return addresses != 0 && unchanged >= std::max(kRequests, (addresses - 1) * kRequestsAnAddress) &&
         now_ns >= since_ns + kHourNs;
}

}  // namespace

Habits::Habits(const Baseline* known, bool learning)
    : with_deeds_(known != nullptr || learning), learning_(learning) {
  if (known == nullptr) return;
  for (const ActorHabits& actor : known->actors) take_over(actor);
}

void Habits::take_over(const ActorHabits& known) {
  constexpr uint64_t kRequests = 10;
  const uint64_t hash = actor_hash(known.name);
  Actor& actor = actors_[hash];
  actor = {.requests = known.requests,
           .first_ns = known.first_ns,
           .last_ns = known.last_ns,
           .hours = known.hours,
           .usual_hours = usual_hours(known),
           .well_known = known.requests >= kRequests};
  if (learning_) {
    actor.name = known.name;
    actor.deeds = known.deeds;
  }
  for (const std::string& text : known.addresses)
    actor.addresses.push_back({part_hash(text), place_of(text), learning_ ? text : ""});
  for (const std::string& text : known.programs)
    actor.programs.push_back({part_hash(text), learning_ ? text : ""});
  const bool node = known.name.starts_with(kNodePrefix);
  for (const std::string& text : known.deeds) {
    deeds_.insert(deed_hash(hash, text));
    if (node) node_deeds_.insert(hash_bytes(text));
  }
  habits_ += known.addresses.size() + known.programs.size() + known.deeds.size();
}

Habits::Actor* Habits::actor_of(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record,
                                Novelty& novelty) {
  if (const auto place = actors_.find(digest.actor); place != actors_.end()) return &place->second;
  if (actors_.size() >= kMostActors) {
    ++forgotten_;
    return nullptr;
  }
  novelty.actor = true;
  Actor& actor = actors_[digest.actor];
  if (learning_) actor.name = user_name(record());
  actor.first_ns = actor.last_ns = digest.time_ns;
  actor.usual_hours.set();
  return &actor;
}

Novelty Habits::learn(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record) {
  Novelty novelty;
  Actor* const actor = actor_of(digest, record, novelty);
  if (actor == nullptr) return novelty;
  const bool known_address = std::ranges::find(actor->addresses, digest.address,
                                               &KnownAddress::hash) != actor->addresses.end();
  const bool known_program = std::ranges::find(actor->programs, digest.program,
                                               &KnownProgram::hash) != actor->programs.end();
  if (!known_address || !known_program)
    novelty.settled = is_settled(actor->addresses.size(), actor->requests - actor->changed,
                                 actor->first_ns, digest.time_ns);
  if (!known_address) learn_address(*actor, digest, record, novelty);
  if (!known_program) learn_program(*actor, digest, record, novelty);
  if (with_deeds_) {
    if (digest.is_object && digest.outcome == Outcome::allowed && !deeds_.contains(digest.deed))
      learn_deed(*actor, digest, record, novelty);
    const size_t hour = hour_of(digest.time_ns);
    novelty.hour = !actor->usual_hours[hour];
    actor->hours.set(hour);
    actor->first_ns = std::min(actor->first_ns, digest.time_ns);
    actor->last_ns = std::max(actor->last_ns, digest.time_ns);
  }
  ++actor->requests;
  return novelty;
}

bool Habits::has_room() {
  if (habits_ >= kMostHabits) {
    ++forgotten_;
    return false;
  }
  ++habits_;
  return true;
}

void Habits::learn_address(Actor& actor, const AuditDigest& digest,
                           FunctionRef<const AuditRecord&()> record, Novelty& novelty) {
  if (actor.addresses.size() >= kMostAddresses || !has_room()) return;
  const std::string_view text = peer_address(record());
  const Place place = place_of(text);
  novelty.address = true;
  novelty.place = std::ranges::none_of(actor.addresses, [&](const KnownAddress& known) {
    return known.place.neighbourhood == place.neighbourhood;
  });
  novelty.outside =
      place.is_public && std::ranges::none_of(actor.addresses, [](const KnownAddress& known) {
        return known.place.is_public;
      });
  actor.addresses.push_back({digest.address, place, learning_ ? kept(text, kMostHabitText) : ""});
  actor.changed = actor.requests;
}

void Habits::learn_program(Actor& actor, const AuditDigest& digest,
                           FunctionRef<const AuditRecord&()> record, Novelty& novelty) {
  if (actor.programs.size() >= kMostPrograms || !has_room()) return;
  novelty.program = true;
  actor.programs.push_back(
      {digest.program, learning_ ? kept(program_name(record()), kMostHabitText) : ""});
  actor.changed = actor.requests;
}

void Habits::learn_deed(Actor& actor, const AuditDigest& digest,
                        FunctionRef<const AuditRecord&()> record, Novelty& novelty) {
  if (!has_room()) return;
  deeds_.insert(digest.deed);
  std::string deed = kept(deed_name(record()), kMostHabitText);
  const bool another_nodes =
      digest.actor_kind == ActorKind::node && !node_deeds_.insert(hash_bytes(deed)).second;
  if (learning_) actor.deeds.push_back(std::move(deed));
  novelty.deed = actor.well_known && !another_nodes;
}

Baseline Habits::baseline() const {
  Baseline out{.left_out = forgotten_};
  for (const auto& [hash, actor] : actors_)
    out.actors.push_back({.name = actor.name,
                          .requests = actor.requests,
                          .first_ns = actor.first_ns,
                          .last_ns = actor.last_ns,
                          .hours = actor.hours,
                          .addresses = texts_of(actor.addresses),
                          .programs = texts_of(actor.programs),
                          .deeds = sorted(actor.deeds)});
  std::ranges::sort(out.actors, {}, [](const ActorHabits& actor) {
    return std::tie(actor.name, actor.requests, actor.first_ns, actor.last_ns);
  });
  // Names that were cut or mended may have become the same.
  const auto same = std::ranges::unique(out.actors, {}, &ActorHabits::name);
  out.actors.erase(same.begin(), same.end());
  while (out.actors.size() > Baseline::kMostActors) {
    out.left_out += out.actors.back().requests;
    out.actors.pop_back();
  }
  return out;
}

}  // namespace saker::audit
