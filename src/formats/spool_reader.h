// Reads the frames of an audit spool in their order. See audit_spool.h for the bytes.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "formats/spool_format.h"

namespace saker::formats {

struct SpoolFrame {
  std::string_view lines;  // a JSON text a line; 64 bytes behind it may be read
  uint32_t events = 0;
  uint64_t first_ns = 0, last_ns = 0;
  SpoolPosition begin, end;
};

// For one thread. A spool may be read while it is written and while old segments go.
class SpoolReader {
 public:
  // The folder of a spool, or one of its segments. Any other folder is an error.
  static Result<std::unique_ptr<SpoolReader>> open(const std::string& path);

  // Only frames behind `position`; and those that may hold an event of this time.
  void start_behind(SpoolPosition position) { position_ = position; }
  void only(uint64_t since_ns, uint64_t until_ns);

  // The next frame that lies before `limit`, valid until the next call. False when there is none
  // (yet). What is damaged is left out and told by problems().
  bool next(SpoolFrame& frame, SpoolPosition limit = kNoLimit);

  // The first damage of each segment, with its offset; and how many bytes were left out in all.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] uint64_t damaged_bytes() const { return damaged_bytes_; }
  [[nodiscard]] SpoolPosition position() const { return position_; }

  static constexpr SpoolPosition kNoLimit{std::numeric_limits<uint64_t>::max(), 0};

 private:
  explicit SpoolReader(std::string folder) : folder_(std::move(folder)) {}
  bool open_segment(SpoolPosition limit);
  bool read_frame(SpoolFrame& frame, uint64_t end);
  bool find_frame(uint64_t end);
  void tell(std::string_view what, uint64_t bytes);

  std::string folder_;
  uint64_t only_segment_ = 0;  // a path that names one; 0: all of the folder
  uint64_t since_ns_ = 0, until_ns_ = std::numeric_limits<uint64_t>::max();
  SpoolPosition position_;
  UniqueFd file_;
  uint64_t open_segment_ = 0;  // the one of file_; 0: none
  uint64_t told_segment_ = 0;  // the last one with a problem
  std::string compressed_, content_;
  std::vector<std::string> problems_;
  uint64_t damaged_bytes_ = 0;
};

// Whether the folder is a spool's, and whether the name is that of a segment.
bool is_spool(const std::string& folder);
bool is_spool_segment(std::string_view path);

// Before the last frames, which hold at least `events` events; the begin when there are less.
Result<SpoolPosition> before_last_events(const std::string& folder, uint64_t events);

// How many bytes of a segment, from its begin, are whole frames.
Result<uint64_t> whole_frames(const std::string& path);

}  // namespace saker::formats
