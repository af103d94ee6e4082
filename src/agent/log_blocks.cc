#include "agent/log_blocks.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "capture/k8s_audit/log_reader.h"

namespace saker::agent {

namespace {

// What the threads share.
class Reading {
 public:
  Reading(capture::BlockSource& source, BlockUser& user, LogSummary& summary)
      : source_(source), user_(user), summary_(summary), losses_(source.name()) {}

  void work(unsigned thread) {
    try {
      std::vector<char> bytes;  // the piece's text is in here
      capture::LogPiece piece;
      uint64_t turn = 0;
      while (next(piece, bytes, turn)) {
        const capture::AuditBlock& reader = user_.read(thread, piece);
        use(thread, turn, piece, reader);
      }
    } catch (const std::exception& problem) {  // no memory
      const std::scoped_lock lock(order_);
      end(Error{.code = Code::io, .message = problem.what()});
    }
  }

  // Once all threads are done.
  Status finish() {
    for (const auto& [reason, count] : losses_.counts()) summary_.lost[reason] += count;
    summary_.problems.insert(summary_.problems.end(), losses_.descriptions().begin(),
                             losses_.descriptions().end());
    SAKER_CHECK(std::move(status_));
    if (source_.status().ok()) return {};
    Error error = source_.status().error();
    error.position.file = source_.name();
    return error;
  }

 private:
  // False when there is no more.
  bool next(capture::LogPiece& piece, std::vector<char>& bytes, uint64_t& turn) {
    const std::scoped_lock lock(feed_);
    fed_all_ = fed_all_ || !source_.next(piece, bytes);
    if (!fed_all_) turn = turns_++;
    return !fed_all_;
  }

  void use(unsigned thread, uint64_t turn, const capture::LogPiece& piece,
           const capture::AuditBlock& reader) {
    std::unique_lock lock(order_);
    turned_.wait(lock, [&] { return turn_ == turn || ended_; });
    if (ended_) return;
    summary_.events += user_.use(thread);
    if (reader.is_old_format()) {
      end(losses_.old_format(reader.lines()));
    } else {
      losses_.add(reader, piece.offset);
      summary_.bytes += piece.text.size();
      if (!user_.on_progress(summary_.bytes)) end({});
    }
    ++turn_;
    turned_.notify_all();
  }

  // Nothing more is used; the threads come to their ends.
  void end(Status status) {
    ended_ = true;
    status_ = std::move(status);
    turned_.notify_all();
    const std::scoped_lock lock(feed_);
    fed_all_ = true;
  }

  capture::BlockSource& source_;
  BlockUser& user_;
  LogSummary& summary_;
  capture::LogLosses losses_;

  std::mutex feed_;  // of the source and these
  uint64_t turns_ = 0;
  bool fed_all_ = false;

  std::mutex order_;  // of the user's use(), the summary and these
  std::condition_variable turned_;
  uint64_t turn_ = 0;
  bool ended_ = false;
  Status status_;
};

}  // namespace

unsigned reading_threads() {
  constexpr unsigned kMost = 8;
  return std::clamp(std::thread::hardware_concurrency(), 1U, kMost);
}

Status read_blocks(capture::BlockSource& source, unsigned threads, BlockUser& user,
                   LogSummary& summary) {
  Reading reading(source, user, summary);
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([&, i] { reading.work(i); });
    reading.work(0);
  }
  return reading.finish();
}

}  // namespace saker::agent
