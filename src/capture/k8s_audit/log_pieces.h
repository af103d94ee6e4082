// Cuts an audit log into pieces that can be read by themselves: some whole lines, or a document
// that takes several lines (a saved event, an EventList). Plain, gzip or zstd.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "capture/chunk_stream.h"

namespace saker::capture {

struct LogPiece {
  std::string_view text;
  uint64_t offset = 0;   // of its first byte in the log
  bool lines = true;     // a document a line; else the text is one document
  bool skipped = false;  // a line too long to be an event: its text is not there
};

// Whether text that a log begins with shows that it has a document a line.
bool is_log_of_lines(std::string_view begin);

// One thread reads; stop() may come from anywhere.
class LogPieces {
 public:
  // A list of a whole cluster's objects in one response is tens of megabytes; more than this is no
  // audit event.
  static constexpr size_t kLongestText = size_t{64} * 1024 * 1024;

  // The stream's first window may have been looked at already: `window` then is it.
  explicit LogPieces(std::unique_ptr<ChunkStream> stream, Bytes window = {});

  // The next piece, valid until the next call, with ChunkStream::kReadBehind bytes behind it that
  // may be read. False at the end of the log.
  bool next(LogPiece& piece);

  // After next() was false: why the log ended early, if it did.
  [[nodiscard]] const Status& status() const { return stream_->status(); }
  [[nodiscard]] const std::string& name() const { return stream_->name(); }
  // Bytes behind the last piece.
  [[nodiscard]] uint64_t offset() const {
    return passed_ + static_cast<uint64_t>(cursor_ - window_);
  }
  void stop() { stream_->stop(); }

 private:
  enum class Framing : uint8_t { unknown, lines, documents };

  bool more();
  bool next_lines(LogPiece& piece);
  bool next_document(LogPiece& piece);
  void skip_long_line();
  Framing detect();
  [[nodiscard]] std::string_view unread() const { return {cursor_, limit_}; }
  // The next `size` bytes as the piece's text.
  void take(size_t size, LogPiece& piece);

  std::unique_ptr<ChunkStream> stream_;
  const char* cursor_ = nullptr;
  const char* limit_ = nullptr;
  const char* window_ = nullptr;
  uint64_t passed_ = 0;  // bytes before the window
  Framing framing_ = Framing::unknown;
};

}  // namespace saker::capture
