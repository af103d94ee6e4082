#include "store/audit_spool.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <thread>

#include "base/log.h"
#include "formats/spool_reader.h"
#include "formats/zstd_block.h"

namespace saker::store {

using namespace formats;

namespace {

Status make_folder(const std::string& folder) {
  const size_t slash = folder.rfind('/');
  if (slash != std::string::npos && slash != 0)
    static_cast<void>(::mkdir(folder.substr(0, slash).c_str(), 0700));
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return errno_error(folder, errno);
  return {};
}

}  // namespace

std::string spool_folder(const std::string& data_dir) {
  return data_dir + "/audit-spool";
}

Result<std::unique_ptr<AuditSpool>> AuditSpool::open(SpoolOptions options) {
  std::unique_ptr<AuditSpool> spool(new AuditSpool(std::move(options)));
  SAKER_CHECK(spool->start());
  return spool;
}

std::string AuditSpool::path_of(uint64_t number) const {
  return options_.folder + "/" + segment_name(number);
}

Status AuditSpool::start() {
  SAKER_CHECK(make_folder(options_.folder));
  lock_file_ = SAKER_TRY(open_file(options_.folder + "/lock", O_RDWR | O_CREAT));
  if (::flock(lock_file_.get(), LOCK_EX | LOCK_NB) != 0)
    return Error{.code = Code::busy,
                 .message = options_.folder + ": another saker writes this spool",
                 .hint = "give this one a data folder of its own: --data-dir"};
  for (const uint64_t number : SAKER_TRY(list_segments(options_.folder))) {
    struct stat about{};
    if (::stat(path_of(number).c_str(), &about) == 0)
      segments_.push_back({number, static_cast<uint64_t>(about.st_size)});
  }
  matched_ = options_.matched;
  SAKER_CHECK(cut_torn_tail());
  SAKER_CHECK(begin_segment());
  remove_old();
  return {};
}

// What a crash left of the last write goes; so does a last segment in which nothing is.
Status AuditSpool::cut_torn_tail() {
  if (segments_.empty()) return {};
  Segment& last = segments_.back();
  const std::string path = path_of(last.number);
  const uint64_t whole = SAKER_TRY(whole_frames(path));
  if (whole < last.bytes) {
    if (::truncate(path.c_str(), static_cast<off_t>(whole)) != 0) return errno_error(path, errno);
    stats_.torn_bytes = last.bytes - whole;
    log::warning(fmt::format("{}: {} bytes of a write that was interrupted are cut away", path,
                             stats_.torn_bytes));
    last.bytes = whole;
  }
  if (last.bytes > kSegmentHeader) return {};
  if (::unlink(path.c_str()) != 0) return errno_error(path, errno);
  segments_.pop_back();
  return {};
}

AuditSpool::AuditSpool(SpoolOptions options)
    : options_(std::move(options)),
      compressors_(std::clamp(std::thread::hardware_concurrency(), 2U, 8U)) {}

AuditSpool::~AuditSpool() = default;

Status AuditSpool::begin_segment() {
  // Never one that was matched: somebody may have removed segments.
  const uint64_t number =
      std::max(segments_.empty() ? 0 : segments_.back().number, matched_.segment) + 1;
  const std::string path = path_of(number);
  UniqueFd file = SAKER_TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND));
  Status status = write_all(file.get(), segment_header());
  if (status.ok()) status = sync_folder(options_.folder);
  if (!status.ok()) {
    ::unlink(path.c_str());
    return status;
  }
  file_ = std::move(file);
  segments_.push_back({number, kSegmentHeader});
  begun_ = std::chrono::steady_clock::now();
  committed_ = {number, kSegmentHeader};
  return {};
}

// Segments go as a whole: one that is written for long would keep its begin too long.
bool AuditSpool::is_full() const {
  constexpr int kShareOfAge = 30;
  if (segments_.back().bytes >= options_.segment_bytes) return true;
  return options_.max_age.count() != 0 &&
         std::chrono::steady_clock::now() - begun_ >= options_.max_age / kShareOfAge;
}

// What was written of a frame that fails is taken back: the segment stays readable.
Status AuditSpool::write_frame(std::string_view frame, std::unique_lock<std::mutex>& lock) {
  while (file_.valid() && is_full()) {
    if (syncing_) {
      synced_.wait(lock);
    } else {
      end_segment();
    }
  }
  if (!file_.valid()) {
    SAKER_CHECK(begin_segment());
    remove_old();
  }
  Segment& segment = segments_.back();
  if (Status status = write_all(file_.get(), frame); !status.ok()) {
    if (::ftruncate(file_.get(), static_cast<off_t>(segment.bytes)) != 0) end_segment();
    return status;
  }
  segment.bytes += frame.size();
  if (group_ == nullptr) group_ = std::make_shared<Group>();
  return {};
}

// The next frame comes into a new segment.
void AuditSpool::end_segment() {
  if (group_ != nullptr) {
    const SpoolPosition end{segments_.back().number, segments_.back().bytes};
    const bool done = ::fdatasync(file_.get()) == 0;
    settle(*std::exchange(group_, nullptr), done ? Status{} : errno_error(options_.folder, errno),
           end);
  }
  file_.reset();
}

void AuditSpool::settle(Group& group, Status status, SpoolPosition end) {
  group.done = true;
  group.status = std::move(status);
  if (group.status.ok()) {
    committed_ = end;
    committed_more_.notify_all();
  }
  synced_.notify_all();
}

// Waits until what the caller wrote is on the disk. Who comes first asks the disk for all that is
// written by then; the others wait for the answer.
Status AuditSpool::sync(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<Group> mine = group_;
  while (!mine->done) {
    if (syncing_) {
      synced_.wait(lock);
      continue;
    }
    syncing_ = true;
    group_ = nullptr;
    const SpoolPosition end{segments_.back().number, segments_.back().bytes};
    lock.unlock();
    const bool done = ::fdatasync(file_.get()) == 0;
    const int why = errno;
    lock.lock();
    syncing_ = false;
    const Status status = done ? Status{} : errno_error(options_.folder, why);
    settle(*mine, status, end);
    if (done) break;
    // What the disk has of this segment's end is not known, and asking again would not tell.
    if (group_ != nullptr) settle(*std::exchange(group_, nullptr), status, end);
    file_.reset();
  }
  return mine->status;
}

Status AuditSpool::append(const Batch& batch) {
  if (batch.lines.size() > kLargestContent)
    return Error{.code = Code::invalid, .message = "a batch of events beyond 192 MiB"};
  std::string frame(kFrameHeader, '\0');
  SAKER_CHECK(compressors_.borrow()->compress(batch.lines, frame));
  put_frame_header({.size = static_cast<uint32_t>(frame.size() - kFrameHeader),
                    .content_size = static_cast<uint32_t>(batch.lines.size()),
                    .events = batch.events,
                    .first_ns = batch.first_ns,
                    .last_ns = batch.last_ns},
                   frame.data());
  std::unique_lock lock(mutex_);
  Status status = write_frame(frame, lock);
  if (status.ok()) status = sync(lock);
  if (!status.ok()) {
    ++stats_.failures;
    return status;
  }
  ++stats_.batches;
  stats_.events += batch.events;
  return {};
}

SpoolPosition AuditSpool::committed() const {
  const std::scoped_lock lock(mutex_);
  return committed_;
}

bool AuditSpool::wait_beyond(SpoolPosition position, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return committed_more_.wait_for(lock, timeout, [&] { return committed_ > position; });
}

void AuditSpool::set_matched(SpoolPosition position) {
  const std::scoped_lock lock(mutex_);
  matched_ = position;
}

void AuditSpool::remove_oldest() {
  const Segment oldest = segments_.front();
  segments_.erase(segments_.begin());
  if (::unlink(path_of(oldest.number).c_str()) != 0 && errno != ENOENT) {
    log::warning(errno_error(path_of(oldest.number), errno).to_text());
    return;
  }
  stats_.removed_bytes += oldest.bytes;
  if (matched_.segment > oldest.number || oldest.bytes <= kSegmentHeader) return;
  const uint64_t seen = matched_.segment == oldest.number ? matched_.offset : kSegmentHeader;
  if (seen < oldest.bytes) stats_.unmatched_bytes += oldest.bytes - seen;
}

// Whole segments, the oldest first; never the one that is written.
void AuditSpool::remove_old() {
  uint64_t total = 0;
  for (const Segment& segment : segments_) total += segment.bytes;
  while (segments_.size() > 1 && total > options_.max_bytes) {
    total -= segments_.front().bytes;
    remove_oldest();
  }
  if (options_.max_age.count() == 0) return;
  const std::time_t now = std::time(nullptr);
  while (segments_.size() > 1) {
    struct stat about{};
    const bool there = ::stat(path_of(segments_.front().number).c_str(), &about) == 0;
    if (there && now - about.st_mtime <= options_.max_age.count()) break;
    remove_oldest();
  }
}

void AuditSpool::tidy() {
  const std::scoped_lock lock(mutex_);
  remove_old();
}

SpoolStats AuditSpool::stats() const {
  const std::scoped_lock lock(mutex_);
  SpoolStats out = stats_;
  out.segments = segments_.size();
  for (const Segment& segment : segments_) out.bytes += segment.bytes;
  return out;
}

}  // namespace saker::store
