#include "formats/spool_reader.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "formats/spool_format.h"
#include "formats/zstd_block.h"

namespace saker::formats {

namespace {

constexpr size_t kReadBehind = 64;

bool read_at(int fd, uint64_t offset, char* to, size_t size) {
  while (size != 0) {
    const ssize_t count = ::pread(fd, to, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    to += count;
    offset += static_cast<uint64_t>(count);
    size -= static_cast<size_t>(count);
  }
  return true;
}

uint64_t size_of(int fd) {
  struct stat about{};
  return ::fstat(fd, &about) == 0 ? static_cast<uint64_t>(about.st_size) : 0;
}

std::optional<FrameHeader> header_at(int fd, uint64_t offset) {
  std::array<char, kFrameHeader> bytes;
  if (!read_at(fd, offset, bytes.data(), bytes.size())) return std::nullopt;
  return read_frame_header(as_bytes({bytes.data(), bytes.size()}));
}

// Of the segment that a path names; 0: none.
uint64_t number_of(std::string_view path) {
  return segment_number(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

}  // namespace

Result<std::unique_ptr<SpoolReader>> SpoolReader::open(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return errno_error(path, errno);
  if (S_ISDIR(about.st_mode)) {
    if (!is_spool(path))
      return Error{.code = Code::invalid, .message = path + ": is a folder, and no spool"};
    return std::unique_ptr<SpoolReader>(new SpoolReader(path));
  }
  const uint64_t number = number_of(path);
  if (number == 0)
    return Error{.code = Code::invalid, .message = path + ": is no segment of a spool"};
  const size_t slash = path.rfind('/');
  std::unique_ptr<SpoolReader> reader(
      new SpoolReader(slash == std::string::npos ? "." : path.substr(0, slash)));
  reader->only_segment_ = number;
  return reader;
}

bool is_spool(const std::string& folder) {
  const Result<std::vector<uint64_t>> segments = list_segments(folder);
  return segments.ok() && (!segments->empty() || ::access((folder + "/lock").c_str(), F_OK) == 0);
}

bool is_spool_segment(std::string_view path) {
  return number_of(path) != 0;
}

void SpoolReader::only(uint64_t since_ns, uint64_t until_ns) {
  since_ns_ = since_ns;
  until_ns_ = until_ns;
}

void SpoolReader::tell(std::string_view what, uint64_t bytes) {
  damaged_bytes_ += bytes;
  if (told_segment_ == position_.segment) return;
  told_segment_ = position_.segment;
  problems_.push_back(fmt::format("{}/{}: {}, at byte {}; {} bytes skipped", folder_,
                                  segment_name(position_.segment), what, position_.offset, bytes));
}

// Opens the segment of position_, or the first one behind it; false when there is none before the
// limit.
bool SpoolReader::open_segment(SpoolPosition limit) {
  const Result<std::vector<uint64_t>> numbers = list_segments(folder_);
  if (!numbers.ok()) return false;
  for (const uint64_t number : *numbers) {
    if (number < position_.segment || (only_segment_ != 0 && number != only_segment_)) continue;
    if (number > limit.segment) return false;
    Result<UniqueFd> file = open_file(folder_ + "/" + segment_name(number), O_RDONLY);
    if (!file.ok()) continue;  // gone in the meantime
    file_ = std::move(*file);
    open_segment_ = number;
    if (number != position_.segment || position_.offset < kSegmentHeader)
      position_ = {number, kSegmentHeader};
    std::array<char, kSegmentHeader> header;
    if (read_at(file_.get(), 0, header.data(), header.size()) &&
        is_segment_header(as_bytes({header.data(), header.size()})))
      return true;
    if (number < limit.segment) tell("not a spool segment", size_of(file_.get()));
    position_ = {number + 1, 0};
  }
  open_segment_ = 0;
  return false;
}

// The next frame header at or behind the position, for damage in the middle of a segment.
bool SpoolReader::find_frame(uint64_t end) {
  constexpr size_t kStep = size_t{64} * 1024;
  const uint64_t begin = position_.offset;
  std::string window;
  for (uint64_t at = begin; at + kFrameHeader <= end; at += kStep) {
    window.resize(std::min<uint64_t>(kStep + kFrameHeader - 1, end - at));
    if (!read_at(file_.get(), at, window.data(), window.size())) break;
    for (size_t i = 0; i < kStep && i + kFrameHeader <= window.size(); ++i) {
      if (window[i] != 'S' || !read_frame_header(as_bytes(window).subspan(i, kFrameHeader)))
        continue;
      tell("damaged frame", at + i - begin);
      position_.offset = at + i;
      return true;
    }
  }
  tell("damaged or interrupted frame", end - begin);
  position_.offset = end;
  return false;
}

// A frame of the open segment, of which `end` bytes are to be read; false when there is none.
bool SpoolReader::read_frame(SpoolFrame& frame, uint64_t end) {
  while (position_.offset < end) {
    const std::optional<FrameHeader> header = header_at(file_.get(), position_.offset);
    if (!header || position_.offset + kFrameHeader + header->size > end) {
      if (!find_frame(end)) return false;
      const std::optional<FrameHeader> found = header_at(file_.get(), position_.offset);
      if (!found || position_.offset + kFrameHeader + found->size > end) {
        position_.offset += 1;
        continue;
      }
      continue;
    }
    const uint64_t behind = position_.offset + kFrameHeader + header->size;
    if (header->last_ns < since_ns_ || header->first_ns >= until_ns_) {
      position_.offset = behind;
      continue;
    }
    compressed_.resize(header->size);
    if (!read_at(file_.get(), position_.offset + kFrameHeader, compressed_.data(), header->size) ||
        !zstd_decompress(as_bytes(compressed_), header->content_size, content_).ok()) {
      tell("frame with damaged content", kFrameHeader + header->size);
      position_.offset = behind;
      continue;
    }
    content_.append(kReadBehind, '\0');
    frame = {.lines = std::string_view(content_).substr(0, header->content_size),
             .events = header->events,
             .first_ns = header->first_ns,
             .last_ns = header->last_ns,
             .begin = position_,
             .end = {position_.segment, behind}};
    position_.offset = behind;
    return true;
  }
  return false;
}

bool SpoolReader::next(SpoolFrame& frame, SpoolPosition limit) {
  for (;;) {
    if ((open_segment_ == 0 || open_segment_ != position_.segment) && !open_segment(limit))
      return false;
    const bool last = position_.segment == limit.segment;
    const uint64_t size = size_of(file_.get());
    if (read_frame(frame, last ? std::min(limit.offset, size) : size)) return true;
    if (last || position_.segment == only_segment_) return false;
    // A later segment must be there before this one is at its end: frames still come.
    const Result<std::vector<uint64_t>> numbers = list_segments(folder_);
    if (!numbers.ok() || numbers->empty() || numbers->back() <= position_.segment) return false;
    if (size_of(file_.get()) > size) continue;
    position_ = {position_.segment + 1, 0};
  }
}

Result<SpoolPosition> before_last_events(const std::string& folder, uint64_t events) {
  const std::vector<uint64_t> numbers = SAKER_TRY(list_segments(folder));
  uint64_t found = 0;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    const Result<UniqueFd> file = open_file(folder + "/" + segment_name(*number), O_RDONLY);
    if (!file.ok()) continue;                           // gone in the meantime
    std::vector<std::pair<uint64_t, uint32_t>> frames;  // offset, events
    uint64_t at = kSegmentHeader;
    while (const std::optional<FrameHeader> header = header_at(file->get(), at)) {
      frames.emplace_back(at, header->events);
      at += kFrameHeader + header->size;
    }
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame)
      if ((found += frame->second) >= events) return SpoolPosition{*number, frame->first};
  }
  return SpoolPosition{};
}

Result<uint64_t> whole_frames(const std::string& path) {
  const UniqueFd file = SAKER_TRY(open_file(path, O_RDONLY));
  const uint64_t size = size_of(file.get());
  std::array<char, kSegmentHeader> begin;
  if (!read_at(file.get(), 0, begin.data(), begin.size()) ||
      !is_segment_header(as_bytes({begin.data(), begin.size()})))
    return size < kSegmentHeader ? uint64_t{0} : size;  // not ours to cut
  uint64_t at = kSegmentHeader;
  while (const std::optional<FrameHeader> header = header_at(file.get(), at)) {
    if (at + kFrameHeader + header->size > size) break;
    at += kFrameHeader + header->size;
  }
  return at;
}

}  // namespace saker::formats
