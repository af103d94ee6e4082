#include "capture/chunk_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>

#include "base/assert.h"
#include "base/log.h"
#include "base/thread_signals.h"

namespace saker::capture {

namespace {

// Compressed bytes read at once.
constexpr size_t kInputBytes = size_t{128} * 1024;

}  // namespace

Result<std::unique_ptr<ChunkStream>> ChunkStream::open(const std::string& path, size_t chunk_bytes,
                                                       size_t chunks) {
  UniqueFd fd;
  if (path == "-") {
    const int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return errno_error("standard input", errno);
    fd.reset(copy);
  } else {
    fd = SAKER_TRY(open_file(path, O_RDONLY));
  }
  struct stat about{};
  if (fstat(fd.get(), &about) != 0) return errno_error(path, errno);
  if (S_ISDIR(about.st_mode) || formats::is_spool_segment(path))
    return open_spool(SAKER_TRY(formats::SpoolReader::open(path)), path, chunk_bytes, chunks);
  const bool regular = S_ISREG(about.st_mode);
  if (regular) posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::unique_ptr<ChunkStream> stream(new ChunkStream(std::move(fd), regular, chunk_bytes, chunks));
  stream->name_ = path == "-" ? "standard input" : path;
  return begin(std::move(stream));
}

Result<std::unique_ptr<ChunkStream>> ChunkStream::open_spool(
    std::unique_ptr<formats::SpoolReader> spool, const std::string& name, size_t chunk_bytes,
    size_t chunks) {
  std::unique_ptr<ChunkStream> stream(new ChunkStream({}, true, chunk_bytes, chunks));
  stream->name_ = name;
  stream->spool_ = std::move(spool);
  return begin(std::move(stream));
}

Result<std::unique_ptr<ChunkStream>> ChunkStream::begin(std::unique_ptr<ChunkStream> stream) {
  stream->wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stream->wake_.valid()) return errno_error("eventfd", errno);
  stream->thread_ = std::jthread([raw = stream.get()] { raw->produce(); });
  return stream;
}

ChunkStream::ChunkStream(UniqueFd fd, bool regular, size_t chunk_bytes, size_t chunks)
    : fd_(std::move(fd)), regular_(regular), chunk_bytes_(chunk_bytes), chunks_(chunks) {
  SAKER_ASSERT(chunks >= 2 && chunk_bytes >= 16);
}

ChunkStream::~ChunkStream() {
  stop();
}

void ChunkStream::stop() {
  released_.fetch_or(kStop, std::memory_order_release);
  released_.notify_all();
  const uint64_t one = 1;
  // Nothing to do when it fails: the counter is full, so the waiter is awake already.
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

ChunkStream::Chunk* ChunkStream::free_chunk() {
  const uint64_t produced = produced_.load(std::memory_order_relaxed);
  for (;;) {
    const uint64_t released = released_.load(std::memory_order_acquire);
    if ((released & kStop) != 0) return nullptr;
    if (((produced - released) & ~kStop) < chunks_.size()) break;
    released_.wait(released, std::memory_order_acquire);
  }
  Chunk& chunk = chunks_[produced % chunks_.size()];
  if (chunk.bytes == nullptr)
    chunk.bytes = std::make_unique_for_overwrite<uint8_t[]>(kHeadroom + chunk_bytes_ + kReadBehind);
  return &chunk;
}

void ChunkStream::publish(size_t size) {
  const uint64_t produced = produced_.load(std::memory_order_relaxed);
  chunks_[produced % chunks_.size()].size = size;
  produced_.store(produced + 1, std::memory_order_release);
  produced_.notify_one();
}

bool ChunkStream::wait_readable() {
  std::array<pollfd, 2> waits = {pollfd{fd_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  while (poll(waits.data(), waits.size(), -1) < 0)
    if (errno != EINTR) return true;  // read() will say what is wrong
  return waits[1].revents == 0;
}

Result<size_t> ChunkStream::read_some(uint8_t* to, size_t size) {
  for (;;) {
    if (!regular_ && !wait_readable()) return size_t{0};
    const ssize_t count = read(fd_.get(), to, size);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR && errno != EAGAIN) return errno_error("reading", errno);
  }
}

void ChunkStream::produce() {
  block_signals();
  try {
    status_ = run_producer();
  } catch (const std::exception& problem) {
    status_ = Error{.code = Code::io, .message = problem.what()};
  }
  produced_.fetch_or(kEnded, std::memory_order_release);
  produced_.notify_all();
}

Status ChunkStream::run_producer() {
  if (spool_) return fill_from_spool();
  std::vector<uint8_t> input(kInputBytes);
  size_t have = 0;
  while (have < formats::kCompressionMagicSize) {
    const size_t count = SAKER_TRY(read_some(input.data() + have, input.size() - have));
    if (count == 0) break;
    have += count;
  }
  const Bytes head(input.data(), have);
  const formats::Compression kind = formats::detect_compression(head);
  if (kind == formats::Compression::none) return fill_plain(head);
  formats::Inflater inflater(kind);
  return fill_inflated(inflater, input, have);
}

Status ChunkStream::fill_from_spool() {
  formats::SpoolFrame frame;
  while (spool_->next(frame)) {
    for (Bytes left = as_bytes(frame.lines); !left.empty();) {
      Chunk* chunk = free_chunk();
      if (chunk == nullptr) return {};
      const size_t size = std::min(left.size(), chunk_bytes_);
      std::memcpy(chunk->bytes.get() + kHeadroom, left.data(), size);
      left = left.subspan(size);
      publish(size);
    }
  }
  for (const std::string& problem : spool_->problems()) log::warning(problem);
  return {};
}

Status ChunkStream::fill_plain(Bytes head) {
  while (Chunk* chunk = free_chunk()) {
    uint8_t* data = chunk->bytes.get() + kHeadroom;
    size_t filled = std::min(head.size(), chunk_bytes_);
    if (filled != 0) std::memcpy(data, head.data(), filled);
    head = head.subspan(filled);
    // A pipe may have nothing more for a long time: hand out what there is.
    while (filled < chunk_bytes_ && (regular_ || filled == 0)) {
      auto count = read_some(data + filled, chunk_bytes_ - filled);
      if (!count.ok() || *count == 0) {
        if (filled != 0) publish(filled);
        if (!count.ok()) return std::move(count).error();
        return {};
      }
      filled += *count;
    }
    publish(filled);
  }
  return {};
}

Status ChunkStream::fill_inflated(formats::Inflater& inflater, std::vector<uint8_t>& input,
                                  size_t have) {
  Bytes in(input.data(), have);
  bool at_end = have == 0;
  // Fills one chunk; what is in it goes out also when it ends with an error.
  auto fill = [&](uint8_t* data, size_t& filled) -> Status {
    while (filled < chunk_bytes_) {
      const size_t room = chunk_bytes_ - filled;
      const auto step = SAKER_TRY(inflater.run(in, {data + filled, room}));
      filled += step.produced;
      in = in.subspan(step.consumed);
      if (!in.empty()) {
        if (step.consumed == 0 && step.produced == 0)
          return Error{.code = Code::corrupt, .message = "compressed data leads nowhere"};
        continue;
      }
      if (step.produced == room) break;
      if (at_end) return inflater.finish();
      if (!regular_ && filled != 0) break;
      const size_t count = SAKER_TRY(read_some(input.data(), input.size()));
      at_end = count == 0;
      in = Bytes(input.data(), count);
    }
    return {};
  };
  while (Chunk* chunk = free_chunk()) {
    size_t filled = 0;
    Status status = fill(chunk->bytes.get() + kHeadroom, filled);
    if (filled != 0) publish(filled);
    if (!status.ok() || (at_end && filled < chunk_bytes_)) return status;
  }
  return {};
}

void ChunkStream::release() {
  const uint64_t released = released_.fetch_add(1, std::memory_order_release) + 1;
  // Waking the producer for every chunk would cost a system call each when it is the faster one.
  const uint64_t filled = (produced_.load(std::memory_order_relaxed) - released) & ~kStop;
  if (filled <= chunks_.size() / 2) released_.notify_one();
}

bool ChunkStream::more(Bytes unread, Bytes& window) {
  for (;;) {
    if (stopped()) return false;
    const uint64_t produced = produced_.load(std::memory_order_acquire);
    if ((produced & ~kEnded) != taken_) break;
    if ((produced & kEnded) != 0) return false;
    produced_.wait(produced, std::memory_order_acquire);
  }
  Chunk& chunk = chunks_[taken_ % chunks_.size()];
  ++taken_;
  uint8_t* data = chunk.bytes.get() + kHeadroom;
  if (unread.size() <= kHeadroom) {
    if (!unread.empty()) std::memcpy(data - unread.size(), unread.data(), unread.size());
    window = Bytes(data - unread.size(), unread.size() + chunk.size);
    if (holding_) release();
    holding_ = true;
    return true;
  }
  // A long block: gathered aside, and the chunk goes back at once.
  std::vector<uint8_t> gathered;
  const size_t needed = unread.size() + chunk.size + kReadBehind;
  if (!spill_.empty() && unread.data() == spill_.data() && unread.size() == spill_.size()) {
    gathered.swap(spill_);
    if (gathered.capacity() < needed) gathered.reserve(std::max(needed, gathered.size() * 2));
  } else {
    gathered.reserve(needed);
    gathered.assign(unread.begin(), unread.end());
  }
  gathered.insert(gathered.end(), data, data + chunk.size);
  spill_.swap(gathered);
  window = spill_;
  if (holding_) release();
  holding_ = false;
  release();
  return true;
}

}  // namespace saker::capture
