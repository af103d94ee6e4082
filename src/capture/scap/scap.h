// Reads .scap captures, of today and of old, and hands their events out in today's schema.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "capture/chunk_stream.h"
#include "capture/scap/blocks.h"
#include "capture/scap/converter.h"
#include "capture/source.h"

namespace saker::capture {

struct ScapOptions {
  std::string path;  // "-": standard input
  // The ring between the inflating thread and the reader.
  size_t chunk_bytes = ChunkStream::kChunkBytes;
  size_t chunks = ChunkStream::kChunks;
};

// Opens a capture: plain, gzip or zstd. Fails when it does not begin with a section header.
Result<std::unique_ptr<EventSource>> open_scap(const ScapOptions& options);

// The source behind open_scap(), for loops that want next_event() without a virtual call. One
// thread reads; stop() may come from anywhere. The sink of snapshot() must live as long as events
// are read: a capture that was glued to another brings processes of its own in the middle.
class ScapReader final : public EventSource {
 public:
  static Result<std::unique_ptr<ScapReader>> open(const ScapOptions& options);
  // The same over a stream whose first window was looked at already.
  static Result<std::unique_ptr<ScapReader>> open(std::unique_ptr<ChunkStream> stream,
                                                  Bytes window);

  Status snapshot(event::SnapshotSink& sink) override;
  Next next(event::Event& event) override { return next_event(event); }
  [[nodiscard]] const Error& error() const override { return error_; }
  [[nodiscard]] SourceStats stats() const override;
  void stop() override { stream_->stop(); }

  // next(), for the common case inline: an event of today that lies in the window as a whole.
  Next next_event(event::Event& event) {
    const uint8_t* at = cursor_;
    const auto left = static_cast<size_t>(limit_ - at);
    if (ready_ && left >= kEventV2Overhead + event::kHeaderSize &&
        load<uint32_t>(at) == scap::kEventV2) [[likely]] {
      const auto total = load<uint32_t>(at + 4);
      if (total >= kEventV2Overhead && total <= left &&
          event::Event::decode_into(event, {at + kEventV2Body, total - kEventV2Overhead},
                                    load<uint16_t>(at + scap::kBlockHeaderSize)) &&
          event.type < event::kEventCodeCount) [[likely]] {
        const uint8_t as_is = as_is_[event.type];
        if (as_is == event.param_count || as_is == scap::kAnyCount) [[likely]] {
          cursor_ = at + total;
          event.number = ++delivered_;
          return Next::event;
        }
      }
    }
    return next_slowly(event);
  }

 private:
  // Of an event block v2: its header and the cpu stand before the event, the trailer behind it.
  static constexpr size_t kEventV2Body = scap::kBlockHeaderSize + 2;
  static constexpr size_t kEventV2Overhead = kEventV2Body + 4;

  struct Block {
    uint32_t code = 0;
    uint32_t total = 0;
    scap::BlockInfo info;
  };
  enum class Step : uint8_t { done, end, failed };

  explicit ScapReader(std::unique_ptr<ChunkStream> stream);

  // Makes sure that `size` bytes are in the window; false at the end of the stream.
  bool need(size_t size);
  void advance(size_t size) { cursor_ += size; }
  [[nodiscard]] uint64_t offset() const {
    return window_end_ - static_cast<uint64_t>(limit_ - cursor_);
  }

  // The header of the next block, which stays in the window.
  Step peek_block(Block& block);
  Step truncated(std::string_view what);
  // Remembers what is wrong, and where.
  Step fail(Code code, std::string message, uint64_t at);

  // A section header and all metadata up to the first event.
  Step read_section_header();
  Step read_metadata();
  Step read_metadata_block(const Block& block);
  template <typename ReadEntry>
  Step read_entries(uint64_t left, ReadEntry read_entry);
  Step skip(uint64_t size);

  Next next_slowly(event::Event& event);
  Step read_event(event::Event& event, const Block& block, bool& deliver);
  Step decode_v1(event::Event& event, Bytes body, uint16_t cpu);
  void count_lost(std::string_view reason, uint16_t type);

  std::unique_ptr<ChunkStream> stream_;
  const std::string path_;  // for messages
  const uint8_t* cursor_ = nullptr;
  const uint8_t* limit_ = nullptr;
  const std::array<uint8_t, event::kEventCodeCount>& as_is_;
  uint64_t delivered_ = 0;
  bool ready_ = false;  // the metadata is behind us
  bool over_ = false;
  bool failed_ = false;
  uint64_t window_end_ = 0;  // where in the stream the window ends

  scap::Converter converter_;
  std::basic_string<uint8_t> rewritten_;  // an event v1 with its header made that of v2
  event::SnapshotSink* sink_ = nullptr;
  Error error_;

  uint64_t not_delivered_ = 0;  // records seen but not handed out
  std::map<std::string, uint64_t> lost_;
  std::map<std::string, uint64_t> lost_by_type_;
};

}  // namespace saker::capture
