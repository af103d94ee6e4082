#include "agent/audit_classes.h"

#include "base/hash.h"

namespace saker::agent {

event::RuleSlot* AuditClasses::slot_of(const audit::AuditRecord& record) {
  if (places_.empty()) places_ = std::vector<Place>(kPlaces);
  uint64_t hash = 0;
  for (const audit::AuditValue value : audit::kAuditClassValues)
    hash = hash_int(hash ^ hash_bytes(record.value(value)));
  Place& place = places_[hash % kPlaces];
  if (place.hash != hash) {
    place.hash = hash;
    ++place.slot.epoch;
  }
  return &place.slot;
}

}  // namespace saker::agent
