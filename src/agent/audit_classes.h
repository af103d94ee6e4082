// Where the rule engine keeps what it learnt of a class of audit events: of requests that differ in
// nothing but the object's name, the time and the bodies. What a process is to system calls.
#pragma once

#include <cstdint>
#include <vector>

#include "event/audit_record.h"
#include "event/rule_slot.h"

namespace saker::agent {

// Not thread-safe. Bounded: two classes that fall on one place oust each other, which costs time
// alone.
class AuditClasses {
 public:
  static constexpr size_t kPlaces = 8192;

  // Valid until the next call.
  event::RuleSlot* slot_of(const audit::AuditRecord& record);

 private:
  struct Place {
    uint64_t hash = 0;
    event::RuleSlot slot;
  };
  std::vector<Place> places_;  // made when first needed
};

}  // namespace saker::agent
