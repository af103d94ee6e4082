// Hands out the pieces of a log to several threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "capture/k8s_audit/block_source.h"

namespace saker::agent {

// A piece of a log, and the turn at which it came.
struct FedBlock {
  std::vector<char> bytes;  // the piece's text is in here
  capture::LogPiece piece;
  uint64_t turn = 0;
};

// Thread-safe.
class BlockFeeder {
 public:
  explicit BlockFeeder(capture::BlockSource& source) : source_(source) {}

  // False when there is no more.
  bool next(FedBlock& block) {
    const std::scoped_lock lock(mutex_);
    if (ended_ || !source_.next(block.piece, block.bytes)) {
      ended_ = true;
      return false;
    }
    block.turn = turns_++;
    return true;
  }

  void end() {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }

 private:
  std::mutex mutex_;
  capture::BlockSource& source_;
  uint64_t turns_ = 0;
  bool ended_ = false;
};

// How many threads read a log: one a processor, up to a few.
unsigned reading_threads();

}  // namespace saker::agent
