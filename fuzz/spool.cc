// Any bytes as two segments of a spool: whatever is handed out lies within its segment and in
// order, and what the writer would keep is not more than there is.
// parser: src/formats/spool_reader.cc src/formats/spool_format.cc
// parser: src/formats/zstd_block.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "formats/spool_format.h"
#include "formats/spool_reader.h"
#include "formats/zstd_block.h"
#include "scratch_folder.h"

namespace {

using namespace saker;

void require(bool condition) {
  if (!condition) std::abort();
}

// No fuzzer finds a CRC: after one frame header in two it is made right.
void mend_headers(std::string& bytes) {
  bool mend = true;
  for (size_t at = bytes.find("SAKF"); at != std::string::npos; at = bytes.find("SAKF", at + 1)) {
    if (at + formats::kFrameHeader > bytes.size()) return;
    const size_t end = formats::kFrameHeader - sizeof(uint32_t);
    const uint32_t sum = formats::crc32(as_bytes(std::string_view(bytes).substr(at, end)));
    if (mend) std::memcpy(bytes.data() + at + end, &sum, sizeof sum);
    mend = bytes[at + end - 1] == 0;  // a byte that means nothing
  }
}

std::string store_segment(std::string_view lines) {
  std::string out = formats::segment_header(), content;
  formats::ZstdCompressor compressor;
  require(compressor.compress(lines, content).ok());
  std::string header(formats::kFrameHeader, '\0');
  formats::put_frame_header({.size = static_cast<uint32_t>(content.size()),
                             .content_size = static_cast<uint32_t>(lines.size()),
                             .events = 3},
                            header.data());
  return out + header + content;
}

// What is written of any bytes is read again.
void write_and_read(const fuzz::ScratchFolder& folder, std::string_view lines) {
  std::string segment = store_segment(lines);
  folder.put("one/" + formats::segment_name(7), segment);
  const std::string path = folder.path() + "/one";
  auto reader = formats::SpoolReader::open(path);
  require(reader.ok());
  formats::SpoolFrame frame;
  require((*reader)->next(frame) && frame.lines == lines && frame.events == 3);
  require(!(*reader)->next(frame) && (*reader)->problems().empty());
  const auto before = formats::before_last_events(path, 3);
  require(before.ok() && before->segment == 7 && before->offset == formats::kSegmentHeader);
  require(formats::before_last_events(path, 4).value() == formats::SpoolPosition{});
}

void read(const std::string& path, size_t size, uint64_t since, uint64_t until) {
  auto reader = formats::SpoolReader::open(path);
  require(reader.ok());
  (*reader)->only(since, until);
  formats::SpoolFrame frame;
  formats::SpoolPosition last;
  while ((*reader)->next(frame)) {
    require(last < frame.begin && frame.begin < frame.end && frame.end.offset <= size);
    require(frame.lines.size() <= formats::kLargestContent);
    last = frame.begin;
  }
  require((*reader)->damaged_bytes() == 0 || !(*reader)->problems().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFolder folder;
  std::string bytes = formats::segment_header();
  if (size != 0 && data[0] == '!') {
    bytes.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  } else {
    bytes.append(reinterpret_cast<const char*>(data), size);
    mend_headers(bytes);
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  write_and_read(folder, text);
  if (const auto position = formats::parse_spool_position(text))
    require(formats::parse_spool_position(formats::to_text(*position)) == position);
  for (const uint64_t number : {1U, 2U}) folder.put(formats::segment_name(number), bytes);
  const std::string segment = folder.path() + "/" + formats::segment_name(1);
  read(folder.path(), bytes.size(), 0, UINT64_MAX);
  read(segment, bytes.size(), 100, 200);
  const Result<uint64_t> whole = formats::whole_frames(segment);
  require(whole.ok() && *whole <= bytes.size());
  return 0;
}
