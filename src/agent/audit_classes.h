// Where the rule engine keeps what it learnt of a class of audit events: of requests that differ in
// nothing but the object's name, the time and the bodies. What a process is to system calls.
#pragma once

#include <cstdint>
#include <vector>

#include "audit/digest.h"
#include "event/audit_record.h"
#include "event/rule_slot.h"

namespace saker::agent {

// Not thread-safe. Bounded: two classes that fall on one place oust each other, which costs time
// alone.
class AuditClasses {
 public:
  static constexpr size_t kPlaces = 8192;

  struct Class {
    uint64_t hash = 0;
    event::RuleSlot slot;
    audit::AuditDigest digest;  // of one of its events; without identity until it is made
  };

  // Valid until the next call.
  Class& class_of(const audit::AuditRecord& record);
  // The digest of a record of this class.
  static audit::AuditDigest digest_of(const audit::AuditRecord& record, Class& its_class);

 private:
  std::vector<Class> places_;  // made when first needed
};

}  // namespace saker::agent
