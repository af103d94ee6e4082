// Where the rule engine keeps what it learnt of a class of audit events: of requests that differ in
// nothing but the object's name, the time and the bodies. What a process is to system calls.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "event/audit_record.h"
#include "event/rule_slot.h"

namespace saker::agent {

// Not thread-safe. Bounded: when too many classes have come, all are learnt anew.
class AuditClasses {
 public:
  static constexpr size_t kMostClasses = 8192;

  // Valid until the next call.
  event::RuleSlot* slot_of(const audit::AuditRecord& record);

 private:
  std::unordered_map<uint64_t, event::RuleSlot> slots_;
};

}  // namespace saker::agent
