// Raw audit events that came by the network, kept as they came: compressed frames in append-only
// segments of a folder, bounded by size and age.
// The bytes are those of formats/spool_format.h.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/pool.h"
#include "base/result.h"
#include "formats/spool_format.h"
#include "formats/zstd_block.h"

namespace saker::store {

using formats::SpoolPosition;

// Where the spool of a data folder is.
std::string spool_folder(const std::string& data_dir);

struct SpoolOptions {
  std::string folder;
  uint64_t max_bytes = uint64_t{2} << 30;
  std::chrono::seconds max_age{30 * 24 * 3600};  // 0: for ever
  uint64_t segment_bytes = uint64_t{64} << 20;
  SpoolPosition matched{};  // as it was at the last end
};

struct SpoolStats {
  uint64_t events = 0, batches = 0;  // that were appended
  uint64_t bytes = 0, segments = 0;  // on the disk
  uint64_t removed_bytes = 0;        // for size or age
  uint64_t unmatched_bytes = 0;      // of those, what nobody had read
  uint64_t failures = 0;             // batches that could not be written
  uint64_t torn_bytes = 0;           // cut away at the start: a write that a crash interrupted
};

// One process at a time writes a spool. All calls are for any thread.
class AuditSpool {
 public:
  // Makes the folder (0700); refuses one that another process writes.
  static Result<std::unique_ptr<AuditSpool>> open(SpoolOptions options);
  AuditSpool(const AuditSpool&) = delete;
  AuditSpool& operator=(const AuditSpool&) = delete;
  ~AuditSpool();

  struct Batch {
    std::string_view lines;  // a JSON text a line, each with its end
    uint32_t events = 0;
    uint64_t first_ns = 0, last_ns = 0;
  };
  // On the disk for good when it returns without error; calls at the same time share the wait.
  Status append(const Batch& batch);

  // Behind the last frame that is on the disk for good.
  [[nodiscard]] SpoolPosition committed() const;
  // Waits until it is beyond `position`; false when time is up.
  bool wait_beyond(SpoolPosition position, std::chrono::milliseconds timeout) const;

  // How far the rules have seen the spool, for the counts of what was removed unseen. Where this
  // is kept is not the spool's business.
  void set_matched(SpoolPosition position);

  // Removes what is too old, when nothing is appended either. Now and then, from one thread.
  void tidy();

  [[nodiscard]] SpoolStats stats() const;
  [[nodiscard]] const std::string& folder() const { return options_.folder; }

 private:
  explicit AuditSpool(SpoolOptions options);
  struct Segment {
    uint64_t number = 0, bytes = 0;
  };

  // Frames that one request to the disk makes durable, all of them or none.
  struct Group {
    bool done = false;
    Status status;
  };

  Status start();
  Status cut_torn_tail();
  Status begin_segment();
  Status write_frame(std::string_view frame, std::unique_lock<std::mutex>& lock);
  void end_segment();
  Status sync(std::unique_lock<std::mutex>& lock);
  void settle(Group& group, Status status, SpoolPosition end);
  [[nodiscard]] bool is_full() const;
  void remove_old();
  void remove_oldest();
  [[nodiscard]] std::string path_of(uint64_t number) const;

  const SpoolOptions options_;
  Pool<formats::ZstdCompressor> compressors_;  // megabytes each

  mutable std::mutex mutex_;  // of all below
  mutable std::condition_variable committed_more_;
  std::condition_variable synced_;
  UniqueFd lock_file_, file_;
  std::vector<Segment> segments_;                // ascending; the last one is written
  std::chrono::steady_clock::time_point begun_;  // that one
  std::shared_ptr<Group> group_;                 // of what is written and not asked for yet
  bool syncing_ = false;
  SpoolPosition committed_, matched_;
  SpoolStats stats_;
};

}  // namespace saker::store
