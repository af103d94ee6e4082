#include "store/writer.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/thread_signals.h"
#include "store/record.h"
#include "store/schema.h"

namespace saker::store {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::string_view kInsert =
    "INSERT INTO alerts (time_ns, severity, rule, source, hostname, container_id, message, tags, "
    "fields, sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr std::string_view kPlace =
    "INSERT INTO positions VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

// The log is folded into the file when it has this many pages, and may grow to the allowance.
constexpr uint64_t kLogPages = 500;
constexpr uint64_t kLogAllowance = uint64_t{6} << 20;
constexpr uint64_t kSmallestFile = uint64_t{1} << 20;
constexpr std::chrono::seconds kCheckEvery{60};
constexpr milliseconds kFlushPoll{2};

// Parts of the budget: what stays free for the next batch, and what a batch may take.
constexpr int64_t kReserveShare = 16;
constexpr uint64_t kBatchShare = 64;

uint64_t approximate_size(const finding::Finding& finding) {
  uint64_t size = 256 + finding.message.size() + finding.rule.size();
  for (const finding::NamedValue& field : finding.fields) {
    size += field.name.size() + 32;
    if (const auto* text = std::get_if<std::string>(&field.value)) size += text->size();
  }
  return size;
}

uint64_t file_budget(uint64_t max_bytes) {
  return std::max(kSmallestFile,
                  max_bytes > 2 * kLogAllowance ? max_bytes - kLogAllowance : max_bytes / 2);
}

}  // namespace

Writer::Writer(WriterOptions options, Database database, Statement insert, Statement place)
    : options_(std::move(options)),
      database_(std::move(database)),
      insert_(std::move(insert)),
      place_(std::move(place)),
      queue_(options_.queue_capacity) {}

Result<std::unique_ptr<Writer>> Writer::open(WriterOptions options) {
  Database database = SAKER_TRY(open_for_writing(options.path));
  const auto page = static_cast<uint64_t>(SAKER_TRY(database.integer("PRAGMA page_size")));
  const uint64_t pages = file_budget(options.max_bytes) / std::max<uint64_t>(page, 512);
  // The last line of defence: an insert beyond it fails as on a full disk.
  SAKER_TRY(database.integer(fmt::format("PRAGMA max_page_count = {}", pages)));
  SAKER_TRY(database.integer(fmt::format("PRAGMA wal_autocheckpoint = {}",
                                         std::clamp<uint64_t>(pages / 8, 32, kLogPages))));
  Statement insert = SAKER_TRY(database.prepare(kInsert));
  Statement place = SAKER_TRY(database.prepare(kPlace));
  Statement query = SAKER_TRY(database.prepare("SELECT name, value FROM positions"));
  Positions positions;
  while (SAKER_TRY(query.step())) positions.emplace(query.text(0), query.text(1));
  std::unique_ptr<Writer> writer(
      new Writer(std::move(options), std::move(database), std::move(insert), std::move(place)));
  writer->positions_at_start_ = std::move(positions);
  writer->enforce();
  if (writer->options_.start) writer->start();
  return writer;
}

void Writer::start() {
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  stop();
}

void Writer::submit(SharedFinding finding) {
  ++queued_;
  if (queue_.try_push(std::move(finding))) return;
  --queued_;
  ++dropped_;
}

bool Writer::submit(const std::shared_ptr<const Group>& group) {
  const size_t count = weight(group);
  if (queued_ >= options_.queue_capacity) return false;
  queued_ += count;
  if (queue_.try_push(group)) return true;
  queued_ -= count;
  return false;
}

std::string Writer::position(std::string_view name) const {
  const auto found = positions_at_start_.find(name);
  return found == positions_at_start_.end() ? std::string() : found->second;
}

bool Writer::flush(milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (queued_ != 0) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kFlushPoll);
  }
  return true;
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  queue_.close();
  thread_.join();
}

WriterStats Writer::stats() const {
  WriterStats stats{.stored = stored_,
                    .dropped = dropped_,
                    .lost = lost_,
                    .removed = removed_,
                    .failed_commits = failed_commits_,
                    .queued = queued_,
                    .capacity = options_.queue_capacity,
                    .bytes = bytes_};
  std::lock_guard lock(mutex_);
  stats.last_error = last_error_;
  return stats;
}

void Writer::run() {
  block_signals();
  Batch batch;
  for (;;) {
    std::optional<Item> first = queue_.pop(kCheckEvery);
    if (first) {
      batch = {};
      add(std::move(*first), batch);
      gather(batch);
      store(batch);
    } else if (queue_.closed()) {
      return;
    }
    enforce();
  }
}

// A position counts as a finding.
size_t Writer::weight(const Item& item) {
  const auto* group = std::get_if<std::shared_ptr<const Group>>(&item);
  return group == nullptr ? 1 : (*group)->findings.size() + 1;
}

void Writer::add(Item item, Batch& batch) {
  batch.queued += weight(item);
  const auto take = [&](SharedFinding finding) {
    batch.bytes += approximate_size(*finding);
    batch.findings.push_back(std::move(finding));
  };
  if (auto* finding = std::get_if<SharedFinding>(&item)) return take(std::move(*finding));
  const Group& group = *std::get<std::shared_ptr<const Group>>(item);
  for (const SharedFinding& finding : group.findings) take(finding);
  batch.positions.insert_or_assign(group.name, group.position);
}

// Waits a little for others, so that many findings share one commit; but not for more than what
// surely fits into the room that limit_size() leaves.
void Writer::gather(Batch& batch) {
  const Clock::time_point until = Clock::now() + options_.batch_time;
  const uint64_t most = file_budget(options_.max_bytes) / kBatchShare;
  while (batch.queued < options_.batch_size && batch.bytes < most) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    std::optional<Item> next = queue_.pop(std::max(left, milliseconds(0)));
    if (!next) return;
    add(std::move(*next), batch);
  }
}

// Tries until it works. At the end of the program, only once more.
void Writer::store(Batch& batch) {
  for (;;) {
    Status status = commit(batch);
    if (status.ok()) {
      if (failing_) log::info("the store works again");
      failing_ = false;
      announce(batch);
      break;
    }
    note_failure(status.error());
    const uint64_t removed_before = removed_;
    enforce();
    if (removed_ != removed_before) continue;  // there is room now
    std::unique_lock lock(mutex_);
    const bool last = stopping_;
    if (!last) changed_.wait_for(lock, options_.retry_wait, [this] { return stopping_; });
    lock.unlock();
    if (last) {
      lost_ += batch.findings.size();
      log::error(fmt::format("{} alerts could not be stored", batch.findings.size()));
      break;
    }
  }
  queued_ -= batch.queued;
}

Status Writer::commit(const Batch& batch) {
  ids_.assign(batch.findings.size(), 0);
  Status status = database_.execute("BEGIN IMMEDIATE");
  if (status.ok()) status = insert_all(batch);
  if (status.ok()) status = place_all(batch);
  if (status.ok()) status = database_.execute("COMMIT");
  if (!status.ok()) {
    ++failed_commits_;
    // Fails when SQLite has rolled back by itself.
    static_cast<void>(database_.execute("ROLLBACK"));
  }
  return status;
}

Status Writer::insert_all(const Batch& batch) {
  for (size_t i = 0; i < batch.findings.size(); ++i) {
    bind_finding(*batch.findings[i], insert_);
    Result<bool> step = insert_.step();
    const Failure failure = step.ok() ? Failure::none : database_.last_failure();
    insert_.reset();
    if (failure == Failure::row) {  // this one will never fit: the others must not suffer
      log::error("an alert can't be stored: " + step.error().message);
      continue;
    }
    if (!step.ok()) return std::move(step).error();
    ids_[i] = database_.last_id();
  }
  return {};
}

Status Writer::place_all(const Batch& batch) {
  for (const auto& [name, value] : batch.positions) {
    place_.bind(1, std::string_view(name));
    place_.bind(2, std::string_view(value));
    Result<bool> step = place_.step();
    place_.reset();
    if (!step.ok()) return std::move(step).error();
  }
  return {};
}

void Writer::note_failure(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    last_error_ = error.message;
  }
  if (failing_) return;
  failing_ = true;
  log::error("alerts can't be stored: " + error.message + "; trying again");
}

void Writer::announce(const Batch& batch) {
  for (size_t i = 0; i < batch.findings.size(); ++i) {
    if (ids_[i] == 0) {
      ++lost_;
      continue;
    }
    ++stored_;
    if (options_.on_stored) options_.on_stored(ids_[i], *batch.findings[i]);
  }
}

void Writer::enforce() {
  Status status;
  if (Clock::now() >= next_age_check_) {
    next_age_check_ = Clock::now() + kCheckEvery;
    status = remove_old();
  }
  if (status.ok()) status = limit_size();
  if (!status.ok()) {
    static_cast<void>(database_.execute("ROLLBACK"));
    note_failure(status.error());
  }
}

Status Writer::limit_size() {
  const int64_t page = SAKER_TRY(database_.integer("PRAGMA page_size"));
  const auto budget = static_cast<int64_t>(file_budget(options_.max_bytes)) / page;
  for (;;) {
    const int64_t pages = SAKER_TRY(database_.integer("PRAGMA page_count"));
    const int64_t unused = SAKER_TRY(database_.integer("PRAGMA freelist_count"));
    bytes_ = static_cast<uint64_t>(pages * page);
    // Some room must be left for the rows until the next check.
    if ((pages - unused) <= budget - budget / kReserveShare) {
      if (unused > budget / 8) SAKER_CHECK(database_.execute("PRAGMA incremental_vacuum(1000)"));
      return {};
    }
    const int64_t rows = SAKER_TRY(database_.integer("SELECT count(*) FROM alerts"));
    if (rows == 0) return {};
    SAKER_CHECK(remove_oldest(std::clamp<int64_t>(rows / 20, 1, 5000)));
  }
}

Status Writer::remove_old() {
  if (options_.max_age.count() == 0) return {};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto oldest =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now - options_.max_age).count();
  const int64_t old = SAKER_TRY(
      database_.integer(fmt::format("SELECT count(*) FROM alerts WHERE time_ns < {}", oldest)));
  if (old == 0) return {};
  SAKER_CHECK(database_.execute("BEGIN IMMEDIATE"));
  const std::string remove = fmt::format("DELETE FROM alerts WHERE time_ns < {}", oldest);
  SAKER_CHECK(database_.execute(remove.c_str()));
  return remember_removed(old);
}

Status Writer::remove_oldest(int64_t count) {
  SAKER_CHECK(database_.execute("BEGIN IMMEDIATE"));
  const std::string remove = fmt::format(
      "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts ORDER BY id LIMIT {})", count);
  SAKER_CHECK(database_.execute(remove.c_str()));
  return remember_removed(count);
}

// Commits a removal together with its count.
Status Writer::remember_removed(int64_t count) {
  const std::string add = fmt::format(
      "INSERT INTO counters VALUES ('removed', {0}) ON CONFLICT (name) DO UPDATE SET value = value "
      "+ "
      "{0}",
      count);
  SAKER_CHECK(database_.execute(add.c_str()));
  SAKER_CHECK(database_.execute("COMMIT"));
  removed_ += static_cast<uint64_t>(count);
  return {};
}

}  // namespace saker::store
