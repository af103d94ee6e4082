// Reading audit logs for a command, with progress on a terminal and what was wrong with them on
// stderr.
#pragma once

#include <string>
#include <vector>

#include "agent/log_blocks.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "event/audit_record.h"
#include "event/event.h"

namespace saker::cmd {

struct LogsRead {
  uint64_t events = 0;
  uint64_t skipped = 0;  // lines and items that are no audit event
};

// The size of all logs as it will be read, in bytes: 0 when one is compressed or no file.
uint64_t total_size(const std::vector<std::string>& paths);

// Prints the problems that reading met.
LogsRead report_reading(const agent::LogSummary& summary);

using TakeEvent =
    FunctionRef<void(unsigned thread, const audit::AuditRecord& record, const event::Event& event)>;

// Calls back for each event, in no order, on `threads` threads at a time, which count from 0
// (agent::reading_threads()). Logs are JSON lines, saved events and EventLists, plain or
// compressed, folders of them, and spools; "-" is standard input.
Result<LogsRead> read_audit_logs(const std::vector<std::string>& paths, unsigned threads,
                                 TakeEvent take);

// The same one after the other, in the order of the logs.
Result<LogsRead> read_audit_logs(
    const std::vector<std::string>& paths,
    FunctionRef<void(const audit::AuditRecord& record, const event::Event& event)> take);

}  // namespace saker::cmd
