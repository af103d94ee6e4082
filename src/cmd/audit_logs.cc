// See audit_logs.h.
#include "cmd/audit_logs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "capture/k8s_audit/log_reader.h"

namespace saker::cmd {

namespace {

using Clock = std::chrono::steady_clock;

// A line on the terminal that is rewritten a few times a second, and gone at the end.
class Progress {
 public:
  Progress() : shown_(::isatty(STDERR_FILENO) == 1) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (told_) std::fputs("\r\033[K", stderr);
  }

  // `total`: the size of all logs; 0: not known, or not in bytes that are read.
  void update(uint64_t bytes, uint64_t total) {
    constexpr double kInterval = 0.2;
    const Clock::time_point now = Clock::now();
    if (!shown_ || std::chrono::duration<double>(now - last_).count() < kInterval) return;
    last_ = now;
    told_ = true;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(bytes) / seconds;
    std::fprintf(stderr, "\r\033[K%.0f MB, %.0f MB/s", static_cast<double>(bytes) / 1e6,
                 rate / 1e6);
    if (total < bytes || rate <= 0) return;
    std::fprintf(stderr, ", %.0f %%, %.0f s left",
                 100.0 * static_cast<double>(bytes) / static_cast<double>(total),
                 static_cast<double>(total - bytes) / rate);
  }

 private:
  bool shown_, told_ = false;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

// The size of all logs as it will be read: 0 when one is compressed or no file.
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

}  // namespace

Result<LogsRead> read_audit_logs(
    const std::vector<std::string>& paths,
    FunctionRef<void(const audit::AuditRecord& record, const event::Event& event)> take) {
  constexpr uint64_t kCheckInterval = 8192;
  LogsRead out;
  Progress progress;
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
