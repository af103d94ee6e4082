// What `saker audit analyze` says, for a screen, as markdown and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/access_table.h"
#include "audit/suspicion.h"
#include "cmd/audit_shown.h"

namespace saker::cmd {

struct AuditReport {
  std::vector<const audit::Suspicion*> suspicions;
  std::vector<audit::ObjectAccess> accesses;
  std::vector<std::string> logs;
  std::string baseline;       // the file that the logs were compared with; empty: none
  bool of_one_actor = false;  // somebody asked for one only
  uint64_t events = 0, skipped = 0, repeated = 0, forgotten = 0;
};

std::string audit_json(const AuditReport& report);
std::string audit_text(const AuditReport& report, Medium medium);

// "132 events, 1 repeated."
std::string audit_notes(const AuditReport& report);
// "mallory as system:admin".
std::string audit_actor(const audit::Suspicion& suspicion);

}  // namespace saker::cmd
