// Keeps findings in the store: one thread, batched commits, bounds on size and age.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "finding/finding.h"
#include "store/database.h"

namespace saker::store {

using SharedFinding = std::shared_ptr<const finding::Finding>;

struct WriterOptions {
  std::string path;
  uint64_t max_bytes = uint64_t{512} << 20;  // of the file and its log together
  std::chrono::hours max_age{30 * 24};       // 0: for ever
  size_t queue_capacity = 8192;
  std::chrono::milliseconds batch_time{200};  // how long a finding waits for others
  size_t batch_size = 512;
  std::chrono::milliseconds retry_wait{1000};
  bool start = true;  // false: start() does
  // Told after each commit which findings are stored for good, on the writer's thread.
  std::function<void(int64_t id, const finding::Finding& finding)> on_stored = {};
};

// Every finding ends up in exactly one of stored, dropped and lost.
struct WriterStats {
  uint64_t stored = 0;   // committed
  uint64_t dropped = 0;  // the queue was full
  uint64_t lost = 0;     // could not be written: damaged row, or a full disk until the end
  uint64_t removed = 0;  // of the stored ones, for age or size
  uint64_t failed_commits = 0;
  size_t queued = 0;
  size_t capacity = 0;
  uint64_t bytes = 0;  // of the file
  std::string last_error;
};

// submit() is for any thread and never blocks. A commit that fails (full disk) is tried again while
// the queue fills; after that, new findings are dropped and counted.
class Writer {
 public:
  static Result<std::unique_ptr<Writer>> open(WriterOptions options);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  // Begins to write; what was submitted before waits.
  void start();

  void submit(SharedFinding finding);
  void submit(finding::Finding finding) {
    submit(std::make_shared<const finding::Finding>(std::move(finding)));
  }

  // Findings of a source that can be read again, with how far it was read then: stored in one
  // commit, so that after a crash neither is there without the other. False when there is no room:
  // the group is not dropped but to be submitted again.
  struct Group {
    std::vector<SharedFinding> findings;
    std::string name, position;
  };
  bool submit(const std::shared_ptr<const Group>& group);
  // As it was when the store was opened; empty: none.
  [[nodiscard]] std::string position(std::string_view name) const;

  // Waits until all that was submitted so far is stored or counted as lost; false when time is up.
  bool flush(std::chrono::milliseconds timeout);
  // No more findings; what is queued is written, with one last try when the disk is full.
  void stop();

  [[nodiscard]] WriterStats stats() const;

 private:
  using Positions = std::map<std::string, std::string, std::less<>>;
  Writer(WriterOptions options, Database database, Statement insert, Statement place);

  using Item = std::variant<SharedFinding, std::shared_ptr<const Group>>;
  struct Batch {
    std::vector<SharedFinding> findings;
    Positions positions;
    uint64_t bytes = 0;
    size_t queued = 0;  // as they count in queued_
  };
  void run();
  static size_t weight(const Item& item);
  static void add(Item item, Batch& batch);
  void gather(Batch& batch);
  void store(Batch& batch);
  Status commit(const Batch& batch);
  Status insert_all(const Batch& batch);
  Status place_all(const Batch& batch);
  void note_failure(const Error& error);
  void announce(const Batch& batch);

  Status remove_old();
  Status limit_size();
  Status remove_oldest(int64_t count);
  Status remember_removed(int64_t count);
  void enforce();

  const WriterOptions options_;
  Database database_;
  Statement insert_, place_;
  Positions positions_at_start_;
  BoundedQueue<Item> queue_;

  std::atomic<uint64_t> stored_ = 0, dropped_ = 0, lost_ = 0, removed_ = 0, failed_commits_ = 0,
                        bytes_ = 0;
  std::atomic<size_t> queued_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::string last_error_;

  // Of the writer's thread alone.
  std::vector<int64_t> ids_;  // of the batch; 0 for a row that can't be stored
  bool failing_ = false;
  std::chrono::steady_clock::time_point next_age_check_{};

  std::thread thread_;
};

}  // namespace saker::store
