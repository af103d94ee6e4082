#include "agent/audit_scan.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "agent/block_feeder.h"
#include "capture/k8s_audit/log_reader.h"

namespace saker::agent {

namespace {

// What of a piece is needed to tell its problems, in the order of the log.
struct PieceNote {
  uint64_t turn = 0, offset = 0, lines = 0;
  std::vector<capture::AuditBlock::Problem> problems;
  bool old_format = false;
};

// What all threads share.
class Scan {
 public:
  Scan(capture::BlockSource& source, AuditScan& out, FunctionRef<void(uint64_t)> progress)
      : feeder_(source), source_(source), out_(out), progress_(progress) {}

  bool next(FedBlock& block) { return feeder_.next(block); }

  void done(const FedBlock& block, const capture::AuditBlock& reader, uint64_t events) {
    const std::scoped_lock lock(mutex_);
    out_.events += events;
    out_.bytes += block.piece.text.size();
    notes_.push_back({.turn = block.turn,
                      .offset = block.piece.offset,
                      .lines = reader.lines(),
                      .problems = reader.problems(),
                      .old_format = reader.is_old_format()});
    if (reader.is_old_format()) feeder_.end();
    progress_(out_.bytes);
  }
  void fail(std::string why) {
    const std::scoped_lock lock(mutex_);
    failure_ = Error{.code = Code::io, .message = std::move(why)};
    feeder_.end();
  }

  // Once all threads are done.
  Status finish() {
    std::ranges::sort(notes_, {}, &PieceNote::turn);
    capture::LogLosses losses(source_.name());
    Status status;
    for (const PieceNote& note : notes_) {
      if (note.old_format) {
        status = losses.old_format(note.lines);
        break;
      }
      losses.add(note.problems, note.lines, note.offset);
    }
    for (const auto& [reason, count] : losses.counts()) out_.lost[reason] += count;
    out_.problems.insert(out_.problems.end(), losses.descriptions().begin(),
                         losses.descriptions().end());
    if (failure_) return *failure_;
    SAKER_CHECK(std::move(status));
    if (source_.status().ok()) return {};
    Error error = source_.status().error();
    error.position.file = source_.name();
    return error;
  }

 private:
  BlockFeeder feeder_;
  capture::BlockSource& source_;
  AuditScan& out_;
  FunctionRef<void(uint64_t)> progress_;
  std::mutex mutex_;
  std::vector<PieceNote> notes_;
  std::optional<Error> failure_;
};

}  // namespace

unsigned reading_threads() {
  constexpr unsigned kMost = 8;
  return std::clamp(std::thread::hardware_concurrency(), 1U, kMost);
}

Status scan_audit_log(
    capture::BlockSource& source, unsigned threads,
    FunctionRef<void(unsigned thread, const audit::AuditRecord& record, const event::Event& event)>
        use,
    FunctionRef<void(uint64_t bytes)> progress, AuditScan& out) {
  Scan scan(source, out, progress);
  const auto work = [&](unsigned thread) {
    try {
      FedBlock block;
      capture::AuditBlock reader;
      event::Event event;
      while (scan.next(block)) {
        uint64_t events = 0;
        reader.load(block.piece);
        for (; reader.next(event); ++events) use(thread, reader.record(), event);
        scan.done(block, reader, events);
      }
    } catch (const std::exception& problem) {  // no memory
      scan.fail(problem.what());
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back(work, i);
    work(0);
  }
  return scan.finish();
}

}  // namespace saker::agent
