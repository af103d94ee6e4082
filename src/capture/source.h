// Where events come from: a capture file, the live kernel. One interface for both.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "event/demand.h"
#include "event/event.h"
#include "event/snapshot.h"

namespace saker::capture {

// Counters of what a source saw and what it could not deliver. Every lost event has a reason.
struct SourceStats {
  uint64_t seen = 0;       // records that the source met, filtered ones included when it knows
  uint64_t delivered = 0;  // events handed out
  uint64_t bytes = 0;      // of records, uncompressed
  std::map<std::string, uint64_t> lost;  // by reason ("ring full", "event too large", ...)
  std::map<std::string, uint64_t> lost_by_type;
};

// What next() came back with.
enum class Next : uint8_t {
  event,   // an event is there
  idle,    // nothing within the time allowed (live only)
  end,     // the source is exhausted or was asked to stop
  failed,  // error() says why; nothing follows
};

// Not thread-safe: one thread calls all but stop().
class EventSource {
 public:
  virtual ~EventSource() = default;

  // Sends what is known before the first event. Call once, before next().
  virtual Status snapshot(event::SnapshotSink& sink) = 0;

  // The next event, valid until the next call. A corrupt capture fails with file and offset in
  // error().
  virtual Next next(event::Event& event) = 0;
  [[nodiscard]] virtual const Error& error() const = 0;

  [[nodiscard]] virtual SourceStats stats() const = 0;

  // Makes next() return `end` soon. Safe from any thread and from a signal handler.
  virtual void stop() = 0;
};

}  // namespace saker::capture
