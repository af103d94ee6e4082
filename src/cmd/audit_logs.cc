// See audit_logs.h.
#include "cmd/audit_logs.h"

#include <sys/stat.h>

#include <cstdio>

#include "agent/progress.h"
#include "capture/k8s_audit/log_reader.h"
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

Result<LogsRead> read_audit_logs(
    const std::vector<std::string>& given,
    FunctionRef<void(const audit::AuditRecord& record, const event::Event& event)> take) {
  constexpr uint64_t kCheckInterval = 8192;
  const std::vector<std::string> paths = SAKER_TRY(expand_logs(given));
  LogsRead out;
  agent::Progress progress;
  const uint64_t total = total_size(paths);
  uint64_t bytes = 0;  // of the logs before
  for (const std::string& path : paths) {
    auto reader = SAKER_TRY(capture::AuditLogReader::open(path));
    event::Event event;
    capture::Next next;
    while ((next = reader->next(event)) == capture::Next::event) {
      take(reader->record(), event);
      if (++out.events % kCheckInterval == 0) progress.update(bytes + reader->stats().bytes, total);
    }
    for (const std::string& problem : reader->problems())
      std::fprintf(stderr, "saker: %s\n", problem.c_str());
    if (next == capture::Next::failed) return reader->error();
    const capture::SourceStats stats = reader->stats();
    bytes += stats.bytes;
    for (const auto& [reason, count] : stats.lost) out.skipped += count;
  }
  return out;
}

}  // namespace saker::cmd
