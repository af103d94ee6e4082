// A spool: compressed frames of lines in append-only segments of a folder. The bytes, for its
// writer and its reader.
//
// A segment "NNNNNNNNNNNNNNNN.spool" (hexadecimal, ascending) begins with 16 bytes: "SAKSPOOL", u32
// version 1, u32 0. Then come frames, little endian: u32 "SAKF", u32 size, u32 size of the content,
// u32 events, u64 time of the first event (ns), u64 of the last, u32 0, u32 CRC-32 of the 36 bytes
// before; then the content as one zstd frame with checksum: a JSON text a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace saker::formats {

// Behind a frame. Ordered as the frames are.
struct SpoolPosition {
  uint64_t segment = 0, offset = 0;
  friend auto operator<=>(const SpoolPosition&, const SpoolPosition&) = default;
};

// As the store keeps it: "SEGMENT:OFFSET", decimal.
std::string to_text(SpoolPosition position);
std::optional<SpoolPosition> parse_spool_position(std::string_view text);

inline constexpr size_t kSegmentHeader = 16, kFrameHeader = 40;
// More than any batch that is taken in.
inline constexpr uint32_t kLargestContent = uint32_t{192} << 20;

struct FrameHeader {
  uint32_t size = 0, content_size = 0, events = 0;
  uint64_t first_ns = 0, last_ns = 0;
};

std::string segment_header();
bool is_segment_header(Bytes bytes);
// The frame's header, for which `bytes` must have room.
void put_frame_header(const FrameHeader& header, char* bytes);
// Nothing when these kFrameHeader bytes are no header.
std::optional<FrameHeader> read_frame_header(Bytes bytes);

std::string segment_name(uint64_t number);
// Of the segment that has this name; 0: none.
uint64_t segment_number(std::string_view name);
// The numbers of the segments in a folder, ascending.
Result<std::vector<uint64_t>> list_segments(const std::string& folder);

}  // namespace saker::formats
