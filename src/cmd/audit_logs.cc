// See audit_logs.h.
#include "cmd/audit_logs.h"

#include <sys/stat.h>

#include <cstdio>

#include "agent/audit_scan.h"
#include "agent/block_feeder.h"
#include "agent/progress.h"
#include "capture/k8s_audit/log_set.h"

namespace saker::cmd {

uint64_t total_size(const std::vector<std::string>& paths) {
  uint64_t total = 0;
  for (const std::string& path : paths) {
    struct stat about{};
    if (path.ends_with(".gz") || path.ends_with(".zst") || ::stat(path.c_str(), &about) != 0 ||
        !S_ISREG(about.st_mode))
      return 0;
    total += static_cast<uint64_t>(about.st_size);
  }
  return total;
}

Result<std::vector<std::string>> expand_logs(const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  for (const std::string& path : paths)
    for (std::string& log : SAKER_TRY(capture::expand_logs(path))) all.push_back(std::move(log));
  return all;
}

unsigned audit_log_threads() {
  return agent::reading_threads();
}

// One log after the other.
static Result<LogsRead> read_all(
    const std::vector<std::string>& given, unsigned threads,
    FunctionRef<void(unsigned thread, const audit::AuditRecord& record, const event::Event& event)>
        take) {
  const std::vector<std::string> paths = SAKER_TRY(expand_logs(given));
  agent::AuditScan scan;
  agent::Progress progress;
  const uint64_t total = total_size(paths);
  const auto show = [&](uint64_t bytes) { progress.update(bytes, total); };
  Status status;
  for (const std::string& path : paths) {
    const auto source = SAKER_TRY(capture::open_blocks(path));
    status = agent::scan_audit_log(*source, threads, take, show, scan);
    if (!status.ok()) break;
  }
  progress.clear();
  for (const std::string& problem : scan.problems)
    std::fprintf(stderr, "saker: %s\n", problem.c_str());
  SAKER_CHECK(std::move(status));
  LogsRead out{.events = scan.events};
  for (const auto& [reason, count] : scan.lost) out.skipped += count;
  return out;
}

Result<LogsRead> read_audit_logs(
    const std::vector<std::string>& paths,
    FunctionRef<void(unsigned thread, const audit::AuditRecord& record, const event::Event& event)>
        take) {
  return read_all(paths, audit_log_threads(), take);
}

Result<LogsRead> read_audit_logs_in_order(
    const std::vector<std::string>& paths,
    FunctionRef<void(const audit::AuditRecord& record, const event::Event& event)> take) {
  const auto take_one = [&](unsigned, const audit::AuditRecord& record, const event::Event& event) {
    take(record, event);
  };
  return read_all(paths, 1, take_one);
}

}  // namespace saker::cmd
