// Audit logs on all processors where the order of events does not matter.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "capture/k8s_audit/block_source.h"
#include "event/audit_record.h"
#include "event/event.h"

namespace saker::agent {

struct AuditScan {
  uint64_t events = 0, bytes = 0;
  std::map<std::string, uint64_t> lost;  // what was no event, by reason
  std::vector<std::string> problems;     // the first of each, with file, line and offset
};

// Calls `use` for each event, of several at a time on as many threads; `thread` counts from 0.
// `progress` is told now and then how many bytes were read, by one thread at a time. An Error says
// why the log ended early. Adds up in `scan`.
Status scan_audit_log(
    capture::BlockSource& source, unsigned threads,
    FunctionRef<void(unsigned thread, const audit::AuditRecord& record, const event::Event& event)>
        use,
    FunctionRef<void(uint64_t bytes)> progress, AuditScan& scan);

}  // namespace saker::agent
