// Follows an audit log while a server writes it: over rotation, truncation and restarts of ours,
// each line once.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "capture/k8s_audit/log_set.h"

namespace saker::capture {

// Where a log was read up to. The file is known again by its first bytes, whatever its name or
// place is by then, and whether it was compressed or copied; by its place when it is still empty.
struct LogPosition {
  uint64_t device = 0, inode = 0;
  uint64_t offset = 0;     // of the plain text
  uint32_t head_size = 0;  // of the first bytes that `head` is about
  uint32_t head = 0;       // their CRC-32
  uint64_t seen_ns = 0;    // when the path was last seen to name this file

  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};
std::string to_text(const LogPosition& position);
std::optional<LogPosition> parse_log_position(std::string_view text);

// For one thread.
class LogFollower {
 public:
  // A file that has another name now may still get the end of a line.
  static constexpr std::chrono::milliseconds kDrain{1'000};
  // Without a position it begins at the begin of the file that the path names then.
  LogFollower(std::string path, std::optional<LogPosition> from,
              std::chrono::milliseconds drain = kDrain);
  ~LogFollower();
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  struct Piece {
    std::string_view text;  // whole lines
    LogPosition behind;
  };
  // The next lines, valid until the next call, with kJsonPadding bytes behind them that may be
  // read. False when there are none yet: to be asked again in a moment.
  bool next(Piece& piece);

  // What went wrong since the last call, for people.
  std::vector<std::string> take_messages() { return std::exchange(messages_, {}); }

  // Lines that were longer than any event.
  [[nodiscard]] uint64_t skipped_lines() const { return skipped_lines_; }
  // How often a file was gone before it was read to its end, as far as that is known.
  [[nodiscard]] uint64_t gaps() const { return gaps_; }

 private:
  using Clock = std::chrono::steady_clock;
  class Text;
  struct Source {
    std::string path;
    uint64_t offset = 0;
    uint64_t time_ns = 0;  // of its rotation
  };

  bool open_next();
  void resume(const LogPosition& position);
  void begin_anew(const LogPosition& done);
  bool take_lines(Piece& piece);
  bool look_around();
  void queue(const RotatedLog& log, uint64_t offset);
  [[nodiscard]] LogPosition position() const;
  [[nodiscard]] bool is_next_live(const Text& text) const;
  void tell(std::string message);

  const std::string path_;
  const std::chrono::milliseconds drain_;
  std::deque<Source> sources_;       // to be read before the live file
  std::unique_ptr<Text> text_;       // the file that is read
  std::unique_ptr<Text> next_live_;  // opened before the rotated ones were looked for
  bool live_ = false;                // text_ is what the path named when it was opened
  bool ended_ = false;               // nothing more comes into text_
  std::optional<Clock::time_point> replaced_at_;
  uint64_t seen_ns_ = 0;
  LogPosition last_;  // of text_, as it was last handed out or opened
  std::string told_;  // the last message
  std::vector<std::string> messages_;
  uint64_t skipped_lines_ = 0, gaps_ = 0;
};

}  // namespace saker::capture
