#include "capture/k8s_audit/log_follower.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "base/strings.h"
#include "base/time.h"
#include "capture/chunk_stream.h"
#include "capture/k8s_audit/log_pieces.h"
#include "formats/inflate.h"
#include "formats/json.h"
#include "formats/zstd_block.h"

namespace saker::capture {

namespace {

constexpr size_t kBlockBytes = size_t{256} * 1024;
constexpr size_t kHeadBytes = 256;

struct Head {
  uint32_t size = 0, sum = 0;
  friend bool operator==(const Head&, const Head&) = default;
};

// Of the first bytes of a log. A file that begins with zeros was cut and written on at its old end.
Head head_of(std::string_view text) {
  if (text.empty() || text.front() == '\0') return {};
  return {static_cast<uint32_t>(text.size()), formats::crc32(as_bytes(text))};
}

}  // namespace

std::string to_text(const LogPosition& position) {
  return fmt::format("{}:{}:{}:{}:{}:{}", position.device, position.inode, position.offset,
                     position.head_size, position.head, position.seen_ns);
}

std::optional<LogPosition> parse_log_position(std::string_view text) {
  std::array<uint64_t, 6> numbers{};
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() != numbers.size()) return std::nullopt;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const std::optional<uint64_t> number = parse_uint(parts[i]);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  if (numbers[3] > kHeadBytes || numbers[4] > UINT32_MAX) return std::nullopt;
  return LogPosition{.device = numbers[0],
                     .inode = numbers[1],
                     .offset = numbers[2],
                     .head_size = static_cast<uint32_t>(numbers[3]),
                     .head = static_cast<uint32_t>(numbers[4]),
                     .seen_ns = numbers[5]};
}

// An open file: plain, which may grow, or compressed, which doesn't.
class LogFollower::Text {
 public:
  static Result<std::unique_ptr<Text>> open(const std::string& path, uint64_t offset) {
    std::unique_ptr<Text> text(new Text);
    text->opened_ns_ = now_ns();
    text->fd_ = SAKER_TRY(open_file(path, O_RDONLY));
    struct stat about{};
    if (::fstat(text->fd_.get(), &about) != 0) return errno_error(path, errno);
    if (!S_ISREG(about.st_mode))
      return Error{.code = Code::invalid, .message = path + ": is no regular file"};
    text->device_ = about.st_dev;
    text->inode_ = about.st_ino;
    std::array<char, kHeadBytes> begin;
    const std::string_view head = text->read_at(0, begin.data(), begin.size());
    if (formats::detect_compression(as_bytes(head)) == formats::Compression::none) {
      text->offset_ = offset;
      return text;
    }
    text->stream_ = SAKER_TRY(ChunkStream::open(path));
    text->skip(offset);
    return text;
  }

  [[nodiscard]] bool is_compressed() const { return stream_ != nullptr; }
  [[nodiscard]] bool is_at(const struct stat& about) const {
    return device_ == about.st_dev && inode_ == about.st_ino;
  }
  [[nodiscard]] bool is_at(const LogPosition& place) const {
    return device_ == place.device && inode_ == place.inode;
  }

  // Of at most `size` of its first bytes.
  [[nodiscard]] Head head(size_t size) const {
    std::array<char, kHeadBytes> begin;
    if (stream_)
      return head_of(std::string_view(stream_head_.data(), std::min(size, stream_head_.size())));
    return head_of(read_at(0, begin.data(), std::min(size, begin.size())));
  }
  [[nodiscard]] bool is_file_of(const LogPosition& place) const {
    if (place.head_size == 0) return is_at(place);
    return head(place.head_size) == Head{place.head_size, place.head};
  }
  // A plain file that is shorter than it was, or begins otherwise.
  [[nodiscard]] bool is_cut(const LogPosition& place) const {
    struct stat about{};
    if (stream_ || ::fstat(fd_.get(), &about) != 0) return false;
    return static_cast<uint64_t>(about.st_size) < offset_ + unread().size() || !is_file_of(place);
  }

  // What was read and not taken.
  [[nodiscard]] std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }
  [[nodiscard]] uint64_t offset() const { return offset_; }        // of the first unread byte
  [[nodiscard]] uint64_t opened_ns() const { return opened_ns_; }  // or a moment before
  [[nodiscard]] uint64_t device() const { return device_; }
  [[nodiscard]] uint64_t inode() const { return inode_; }
  void take(size_t size) {
    begin_ += size;
    offset_ += size;
  }

  // Reads more behind what is unread; false when there is nothing.
  bool fill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    buffer_.resize(std::max(buffer_.size(), end_ + kBlockBytes + formats::kJsonPadding));
    if (stream_) return fill_from_stream();
    if (end_ == 0) skip_hole();
    const std::string_view more = read_at(offset_ + end_, buffer_.data() + end_, kBlockBytes);
    end_ += more.size();
    return !more.empty();
  }
  [[nodiscard]] Status status() const { return stream_ ? stream_->status() : Status{}; }

 private:
  std::string_view read_at(uint64_t offset, char* to, size_t size) const {
    for (;;) {
      const ssize_t count = ::pread(fd_.get(), to, size, static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      return {to, count > 0 ? static_cast<size_t>(count) : 0};
    }
  }

  // Where nothing was ever written there are zeros, gigabytes of them.
  void skip_hole() {
    const off_t data = ::lseek(fd_.get(), static_cast<off_t>(offset_), SEEK_DATA);
    if (data > 0 && static_cast<uint64_t>(data) > offset_) offset_ = static_cast<uint64_t>(data);
  }

  bool fill_from_stream() {
    if (window_.empty()) {
      Bytes window;
      if (!stream_->more({}, window)) return false;
      window_ = window;
      if (stream_head_.empty())
        stream_head_ = as_text(window.first(std::min(window.size(), kHeadBytes)));
    }
    const size_t size = std::min(window_.size(), kBlockBytes);
    std::memcpy(buffer_.data() + end_, window_.data(), size);
    window_ = window_.subspan(size);
    end_ += size;
    return true;
  }

  void skip(uint64_t offset) {
    do {
      if (!fill_from_stream_once()) return;
      take(static_cast<size_t>(std::min<uint64_t>(offset - offset_, unread().size())));
    } while (offset_ < offset);
  }
  bool fill_from_stream_once() {
    if (!unread().empty()) return true;
    begin_ = end_ = 0;
    buffer_.resize(std::max(buffer_.size(), kBlockBytes + formats::kJsonPadding));
    return fill_from_stream();
  }

  UniqueFd fd_;
  uint64_t opened_ns_ = 0, device_ = 0, inode_ = 0;
  std::unique_ptr<ChunkStream> stream_;  // of a compressed file
  Bytes window_;                         // of the stream, what is not in the buffer yet
  std::string stream_head_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;
  uint64_t offset_ = 0;
};

LogFollower::LogFollower(std::string path, std::optional<LogPosition> from,
                         std::chrono::milliseconds drain)
    : path_(std::move(path)), drain_(drain) {
  if (from) resume(*from);
}
LogFollower::~LogFollower() = default;

void LogFollower::tell(std::string message) {
  if (message == told_) return;  // what is asked for several times a second
  told_ = message;
  messages_.push_back(std::move(message));
}

LogPosition LogFollower::position() const {
  const Head head = text_->head(kHeadBytes);
  return {.device = text_->device(),
          .inode = text_->inode(),
          .offset = text_->offset(),
          .head_size = head.size,
          .head = head.sum,
          .seen_ns = seen_ns_};
}

bool LogFollower::is_next_live(const Text& text) const {
  return next_live_ && text.device() == next_live_->device() && text.inode() == next_live_->inode();
}

void LogFollower::queue(const RotatedLog& log, uint64_t offset) {
  sources_.push_back({.path = log.path, .offset = offset, .time_ns = log.time_ns});
}

// Goes on where the position says, wherever that file is by now. The live file is opened before the
// rotated ones are listed: what is rotated in between is then found by its descriptor.
void LogFollower::resume(const LogPosition& place) {
  text_.reset();
  sources_.clear();
  live_ = ended_ = false;
  if (auto live = Text::open(path_, 0); live.ok()) {
    next_live_ = std::move(*live);
    if (next_live_->is_file_of(place)) {
      auto same = Text::open(path_, place.offset);
      if (same.ok() && (*same)->is_file_of(place) && !(*same)->is_cut(place)) {
        next_live_ = std::move(*same);
        return;
      }
    }
  }
  const std::vector<RotatedLog> logs = rotated_logs(path_);
  for (size_t i = logs.size(); i-- > 0;) {
    auto text = Text::open(logs[i].path, 0);
    if (!text.ok() || !(*text)->is_file_of(place) || is_next_live(**text)) continue;
    queue(logs[i], place.offset);
    for (size_t later = i + 1; later < logs.size(); ++later) queue(logs[later], 0);
    return;
  }
  ++gaps_;
  tell(
      fmt::format("{}: what was read up to byte {} is gone; what was written behind it until the "
                  "next file is not seen",
                  path_, place.offset));
  for (const RotatedLog& log : logs)
    if (log.time_ns > place.seen_ns) queue(log, 0);
}

// The file that was read is drained and rotated: what came after it, and then the live one.
void LogFollower::begin_anew(const LogPosition& done) {
  const uint64_t since = seen_ns_;
  auto live = Text::open(path_, 0);
  if (live.ok()) next_live_ = std::move(*live);
  for (const RotatedLog& log : rotated_logs(path_)) {
    if (log.time_ns <= since) continue;
    auto text = Text::open(log.path, 0);
    if (text.ok() && !is_next_live(**text) && !(*text)->is_file_of(done)) queue(log, 0);
  }
}

bool LogFollower::open_next() {
  replaced_at_.reset();
  ended_ = false;
  while (!sources_.empty()) {
    const Source source = std::move(sources_.front());
    sources_.pop_front();
    auto text = Text::open(source.path, source.offset);
    if (!text.ok()) text = Text::open(source.path + ".gz", source.offset);  // compressed by now
    if (!text.ok()) {
      ++gaps_;
      tell(text.error().to_text());
      continue;
    }
    text_ = std::move(*text);
    live_ = false;
    seen_ns_ = source.time_ns;
    last_ = position();
    return true;
  }
  live_ = true;
  if (next_live_) {
    text_ = std::move(next_live_);
  } else {
    auto text = Text::open(path_, 0);
    if (!text.ok()) {
      tell(text.error().to_text() + "; waiting for it");
      return false;
    }
    text_ = std::move(*text);
  }
  seen_ns_ = text_->opened_ns();
  last_ = position();
  return true;
}

// Whole lines of what is read; the rest once nothing more comes.
bool LogFollower::take_lines(Piece& piece) {
  std::string_view unread = text_->unread();
  const size_t zeros = std::min(unread.find_first_not_of('\0'), unread.size());
  text_->take(zeros);
  unread.remove_prefix(zeros);
  size_t size = unread.rfind('\n') + 1;  // npos + 1 is 0
  if (size == 0 && ended_) size = unread.size();
  if (size == 0 && unread.size() > LogPieces::kLongestText) {
    ++skipped_lines_;
    tell(fmt::format("{}: a line longer than 64 MiB at byte {} is left out", path_,
                     text_->offset()));
    text_->take(unread.size());  // its end will be no JSON, and be counted
    return false;
  }
  if (size == 0) return false;
  text_->take(size);
  last_ = position();
  piece = {.text = unread.substr(0, size), .behind = last_};
  return true;
}

// At the end of what is there: whether reading goes on at once, in this file or another.
bool LogFollower::look_around() {
  if (!live_ || text_->is_compressed()) {
    if (Status status = text_->status(); !status.ok()) {
      ++gaps_;
      tell(path_ + ": a rotated file is damaged: " + status.error().message);
    }
    return ended_ = true;
  }
  struct stat there{};
  const uint64_t looked_ns = now_ns();
  if (::stat(path_.c_str(), &there) == 0 && text_->is_at(there)) {
    replaced_at_.reset();
    seen_ns_ = looked_ns;
    return false;
  }
  const Clock::time_point now = Clock::now();
  if (!replaced_at_) replaced_at_ = now;
  if (now - *replaced_at_ < drain_) return false;
  begin_anew(position());
  return ended_ = true;
}

bool LogFollower::next(Piece& piece) {
  for (;;) {
    if (!text_ && !open_next()) return false;
    if (take_lines(piece)) return true;
    if (ended_) {
      text_.reset();
      continue;
    }
    if (live_ && text_->is_cut(last_)) {
      resume(LogPosition(last_));
      continue;
    }
    if (text_->fill()) continue;
    if (!look_around()) return false;
  }
}

}  // namespace saker::capture
