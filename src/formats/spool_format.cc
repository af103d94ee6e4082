#include "formats/spool_format.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/fd.h"
#include "base/strings.h"
#include "formats/zstd_block.h"

namespace saker::formats {

namespace {

constexpr std::string_view kMagic = "SAKSPOOL", kSuffix = ".spool";
constexpr uint32_t kVersion = 1, kFrameMagic = 0x464b4153;  // "SAKF"
constexpr size_t kCrcAt = kFrameHeader - sizeof(uint32_t);

template <typename T>
void put(char*& to, T value) {
  std::memcpy(to, &value, sizeof value);
  to += sizeof value;
}

}  // namespace

std::string to_text(SpoolPosition position) {
  return fmt::format("{}:{}", position.segment, position.offset);
}

std::optional<SpoolPosition> parse_spool_position(std::string_view text) {
  const size_t colon = std::min(text.find(':'), text.size());
  const std::optional<uint64_t> segment = parse_uint(text.substr(0, colon));
  const std::optional<uint64_t> offset = parse_uint(text.substr(std::min(colon + 1, text.size())));
  if (!segment || !offset) return std::nullopt;
  return SpoolPosition{*segment, *offset};
}

std::string segment_header() {
  std::string out(kMagic);
  out.resize(kSegmentHeader, '\0');
  std::memcpy(out.data() + kMagic.size(), &kVersion, sizeof kVersion);
  return out;
}

bool is_segment_header(Bytes bytes) {
  return bytes.size() >= kSegmentHeader && as_text(bytes.first(kSegmentHeader)) == segment_header();
}

void put_frame_header(const FrameHeader& header, char* bytes) {
  char* to = bytes;
  put(to, kFrameMagic);
  put(to, header.size);
  put(to, header.content_size);
  put(to, header.events);
  put(to, header.first_ns);
  put(to, header.last_ns);
  put(to, uint32_t{0});
  put(to, crc32(as_bytes({bytes, kCrcAt})));
}

std::optional<FrameHeader> read_frame_header(Bytes bytes) {
  if (bytes.size() < kFrameHeader || load<uint32_t>(bytes.data()) != kFrameMagic ||
      load<uint32_t>(bytes.data() + kCrcAt) != crc32(bytes.first(kCrcAt)))
    return std::nullopt;
  const uint8_t* at = bytes.data();
  FrameHeader header{.size = load<uint32_t>(at + 4),
                     .content_size = load<uint32_t>(at + 8),
                     .events = load<uint32_t>(at + 12),
                     .first_ns = load<uint64_t>(at + 16),
                     .last_ns = load<uint64_t>(at + 24)};
  if (header.content_size > kLargestContent) return std::nullopt;
  return header;
}

std::string segment_name(uint64_t number) {
  return fmt::format("{:016x}{}", number, kSuffix);
}

uint64_t segment_number(std::string_view name) {
  uint64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number, 16);
  return name == segment_name(number) ? number : 0;
}

Result<std::vector<uint64_t>> list_segments(const std::string& folder) {
  std::vector<uint64_t> out;
  for (const std::string& name : SAKER_TRY(names_in(folder)))
    if (const uint64_t number = segment_number(name); number != 0) out.push_back(number);
  return out;  // ascending, as their names are
}

}  // namespace saker::formats
