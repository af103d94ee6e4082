// Audit events that come by the network, taken apart and put into a spool. It judges nothing, and
// knows nothing of HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/pool.h"
#include "base/recent_map.h"
#include "base/result.h"
#include "capture/k8s_audit/audit_block.h"
#include "store/audit_spool.h"

namespace saker::agent {

// Takes request bodies. Thread-safe.
//
// A body is an Event, an EventList, an array of events, or several of these a line. Each event
// becomes a line of the spool. Events that came already, a server sends a batch again when it got
// no answer, are not spooled again; the memory for that is bounded.
class AuditReceiver {
 public:
  // As many events at least are known again.
  static constexpr size_t kWindow = 131'072;
  explicit AuditReceiver(std::shared_ptr<store::AuditSpool> spool, size_t window = kWindow)
      : spool_(std::move(spool)), known_(window) {}

  enum class Answer : uint8_t {
    durable,    // all events of the body are on the disk
    malformed,  // no JSON, or no audit events: nothing of it is kept
    failed,     // the disk refused: to be sent again
  };
  struct Outcome {
    Answer answer = Answer::durable;
    std::string why;  // unless durable
  };
  // `body` may be grown for readers that look behind its end.
  Outcome receive(std::string& body);

  // What the spool holds last is known from the start.
  void remember_last();

  struct Stats {
    uint64_t batches = 0;    // durable
    uint64_t events = 0;     // spooled
    uint64_t repeated = 0;   // known already
    uint64_t skipped = 0;    // of durable batches: what was no audit event
    uint64_t malformed = 0;  // batches
    uint64_t failed = 0;     // batches
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct Lines;
  Lines take_apart(std::string_view body);
  uint64_t drop_known(Lines& lines) const;
  Status spool(const Lines& lines);

  const std::shared_ptr<store::AuditSpool> spool_;
  Pool<capture::AuditBlock> blocks_{8};  // as many threads take bodies apart at a time
  mutable std::mutex mutex_;             // of all below
  RecentMap<uint8_t> known_;             // by identity
  Stats stats_;
};

}  // namespace saker::agent
