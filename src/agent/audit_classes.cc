#include "agent/audit_classes.h"

#include "base/hash.h"

namespace saker::agent {

event::RuleSlot* AuditClasses::slot_of(const audit::AuditRecord& record) {
  uint64_t hash = 0;
  for (const audit::AuditValue value : audit::kAuditClassValues)
    hash = hash_int(hash ^ hash_bytes(record.value(value)));
  if (slots_.size() >= kMostClasses && !slots_.contains(hash)) slots_.clear();
  return &slots_[hash];
}

}  // namespace saker::agent
