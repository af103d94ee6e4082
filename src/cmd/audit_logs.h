// Reading audit logs for a command, with progress on a terminal and what was wrong with them on
// stderr.
#pragma once

#include <string>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "event/audit_record.h"
#include "event/event.h"

namespace saker::cmd {

struct LogsRead {
  uint64_t events = 0;
  uint64_t skipped = 0;  // lines and items that are no audit event
};

// A folder stands for the logs in it, rotated sets in their order.
Result<std::vector<std::string>> expand_logs(const std::vector<std::string>& paths);

// The size of all logs as it will be read, in bytes: 0 when one is compressed or no file.
uint64_t total_size(const std::vector<std::string>& paths);

// How many threads read_audit_logs() calls back on.
unsigned audit_log_threads();

// Calls back for each event, in no order, on several threads at a time; `thread` counts from 0.
// Logs are JSON lines, saved events and EventLists, plain or compressed, folders of them, and
// spools; "-" is standard input.
Result<LogsRead> read_audit_logs(
    const std::vector<std::string>& paths,
    FunctionRef<void(unsigned thread, const audit::AuditRecord& record, const event::Event& event)>
        take);

// The same one after the other, in the order of the logs.
Result<LogsRead> read_audit_logs_in_order(
    const std::vector<std::string>& paths,
    FunctionRef<void(const audit::AuditRecord& record, const event::Event& event)> take);

}  // namespace saker::cmd
