// The bytes of a spool's segments; see audit_spool.h. For the spool's writer and reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace saker::store {

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
// The numbers of the segments in a folder, ascending.
Result<std::vector<uint64_t>> list_segments(const std::string& folder);

}  // namespace saker::store
