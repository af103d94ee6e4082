// See audit_logs.h.
#include "cmd/audit_logs.h"

#include <sys/stat.h>

#include <cstdio>

#include "agent/progress.h"
#include "capture/k8s_audit/block_source.h"
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

LogsRead report_reading(const agent::LogSummary& summary) {
  for (const std::string& problem : summary.problems)
    std::fprintf(stderr, "saker: %s\n", problem.c_str());
  LogsRead out{.events = summary.events};
  for (const auto& [reason, count] : summary.lost) out.skipped += count;
  return out;
}

namespace {

// Hands out events as they are read.
class EventTaker : public agent::BlockUser {
 public:
  EventTaker(unsigned threads, TakeEvent take, uint64_t total)
      : workers_(threads), take_(take), total_(total) {}

  const capture::AuditBlock& read(unsigned thread, const capture::LogPiece& piece) override {
    Worker& worker = workers_[thread];
    worker.events = 0;
    worker.reader.load(piece);
    event::Event event;
    for (; worker.reader.next(event); ++worker.events) take_(thread, worker.reader.record(), event);
    return worker.reader;
  }
  uint64_t use(unsigned thread) override { return workers_[thread].events; }
  bool on_progress(uint64_t bytes) override {
    progress_.update(bytes, total_);
    return true;
  }

 private:
  struct Worker {
    capture::AuditBlock reader;
    uint64_t events = 0;  // of its piece
  };
  std::vector<Worker> workers_;
  TakeEvent take_;
  uint64_t total_;
  agent::Progress progress_;
};

Status read_all(const std::vector<std::string>& given, unsigned threads, TakeEvent take,
                agent::LogSummary& summary) {
  const std::vector<std::string> paths = SAKER_TRY(capture::expand_logs(given));
  EventTaker taker(threads, take, total_size(paths));
  for (const std::string& path : paths) {
    const auto source = SAKER_TRY(capture::open_blocks(path));
    SAKER_CHECK(agent::read_blocks(*source, threads, taker, summary));
  }
  return {};
}

}  // namespace

Result<LogsRead> read_audit_logs(const std::vector<std::string>& paths, unsigned threads,
                                 TakeEvent take) {
  agent::LogSummary summary;
  Status status = read_all(paths, threads, take, summary);
  const LogsRead out = report_reading(summary);
  SAKER_CHECK(std::move(status));
  return out;
}

Result<LogsRead> read_audit_logs(
    const std::vector<std::string>& paths,
    FunctionRef<void(const audit::AuditRecord& record, const event::Event& event)> take) {
  const auto take_one = [&](unsigned, const audit::AuditRecord& record, const event::Event& event) {
    take(record, event);
  };
  return read_audit_logs(paths, 1, take_one);
}

}  // namespace saker::cmd
