#include "agent/audit_classes.h"

namespace saker::agent {

AuditClasses::Class& AuditClasses::class_of(const audit::AuditRecord& record) {
  if (places_.empty()) places_ = std::vector<Class>(kPlaces);
  const uint64_t hash = audit::class_hash(record);
  Class& place = places_[hash % kPlaces];
  if (place.hash != hash) {
    place.hash = hash;
    place.digest = {};
    ++place.slot.epoch;
  }
  return place;
}

audit::AuditDigest AuditClasses::digest_of(const audit::AuditRecord& record, Class& its_class) {
  if (its_class.digest.identity != 0) return audit::digest_of(record, its_class.digest);
  return its_class.digest = audit::digest_of(record);
}

}  // namespace saker::agent
