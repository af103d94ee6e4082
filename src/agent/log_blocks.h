// Reads an audit log on several threads: its pieces are taken apart side by side, and used in the
// order of the log.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/k8s_audit/audit_block.h"
#include "capture/k8s_audit/block_source.h"

namespace saker::agent {

// Of logs that were read.
struct LogSummary {
  uint64_t events = 0, bytes = 0;
  std::map<std::string, uint64_t> lost;  // what was no event, by reason
  std::vector<std::string> problems;     // the first of each, with file, line and offset
};

// What is made of a log. Threads count from 0.
class BlockUser {
 public:
  virtual ~BlockUser() = default;

  // Reads the piece to its end, with a reader of the thread's own that stays so until the thread's
  // next piece. Several threads at a time.
  virtual const capture::AuditBlock& read(unsigned thread, const capture::LogPiece& piece) = 0;
  // What of the thread's piece depends on the order, at its turn; gives the number of its events.
  virtual uint64_t use(unsigned thread) = 0;
  // After each piece: bytes that were read of all logs. False: that is enough. As use(), for one
  // thread at a time.
  virtual bool on_progress(uint64_t bytes) = 0;
};

// One a processor, up to a few.
unsigned reading_threads();

// Returns at the end of the log; an Error says why it came early, and what was read until then was
// used. Adds up in `summary`.
Status read_blocks(capture::BlockSource& source, unsigned threads, BlockUser& user,
                   LogSummary& summary);

}  // namespace saker::agent
