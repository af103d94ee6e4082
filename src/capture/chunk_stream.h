// The plain bytes of a capture, inflated by a thread of their own into a small ring of chunks that
// are used again and again: memory does not grow with the length of the capture.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"
#include "formats/inflate.h"
#include "formats/spool_reader.h"

namespace saker::capture {

// The reader sees a window of contiguous bytes, which it moves on over the stream. One thread
// reads; stop() may be called from any thread and from a signal handler.
class ChunkStream {
 public:
  static constexpr size_t kChunkBytes = size_t{128} * 1024, kChunks = 8;
  // `path` "-" is standard input. The stream is plain, gzip or zstd, told by its first bytes; a
  // folder must be a spool, of which it has the lines.
  static Result<std::unique_ptr<ChunkStream>> open(const std::string& path,
                                                   size_t chunk_bytes = kChunkBytes,
                                                   size_t chunks = kChunks);
  static Result<std::unique_ptr<ChunkStream>> open_spool(
      std::unique_ptr<formats::SpoolReader> spool, const std::string& name,
      size_t chunk_bytes = kChunkBytes, size_t chunks = kChunks);
  ChunkStream(const ChunkStream&) = delete;
  ChunkStream& operator=(const ChunkStream&) = delete;
  ~ChunkStream();

  // Adds the bytes of the next chunk behind `unread`, the part of the current window that is still
  // wanted (its end must be the window's end). The new window starts with `unread`; what the old
  // one pointed to is gone. False at the end of the stream, at an error and after stop(): then the
  // window stays as it is.
  // kReadBehind bytes behind the window may be read, whatever they hold.
  static constexpr size_t kReadBehind = 64;
  bool more(Bytes unread, Bytes& window);

  // After more() was false: why the stream ended early, if it did.
  [[nodiscard]] const Status& status() const { return status_; }

  // For messages: the path, or that it is standard input.
  [[nodiscard]] const std::string& name() const { return name_; }

  void stop();
  [[nodiscard]] bool stopped() const {
    return (released_.load(std::memory_order_relaxed) & kStop) != 0;
  }

 private:
  struct Chunk {
    std::unique_ptr<uint8_t[]> bytes;  // headroom, then data
    size_t size = 0;
  };
  ChunkStream(UniqueFd fd, bool regular, size_t chunk_bytes, size_t chunks);

  // The thread that fills chunks.
  void produce();
  static Result<std::unique_ptr<ChunkStream>> begin(std::unique_ptr<ChunkStream> stream);
  Status run_producer();
  Status fill_from_spool();
  Status fill_inflated(formats::Inflater& inflater, std::vector<uint8_t>& input, size_t have);
  Status fill_plain(Bytes head);
  // The next free chunk; null when the reader wants no more.
  Chunk* free_chunk();
  void publish(size_t size);
  // Reads once; 0 at the end of the file and after stop().
  Result<size_t> read_some(uint8_t* to, size_t size);
  bool wait_readable();

  void release();

  // Room in front of each chunk for the unread end of the one before.
  static constexpr size_t kHeadroom = size_t{64} * 1024;
  // Top bits of the two counters.
  static constexpr uint64_t kEnded = uint64_t{1} << 63;
  static constexpr uint64_t kStop = uint64_t{1} << 63;

  std::string name_;
  UniqueFd fd_;
  std::unique_ptr<formats::SpoolReader> spool_;  // instead of fd_
  UniqueFd wake_;  // an eventfd that ends a wait for input that does not come
  const bool regular_;
  const size_t chunk_bytes_;
  std::vector<Chunk> chunks_;
  Status status_;  // written by the producer before kEnded is set

  std::atomic<uint64_t> produced_ = 0;  // chunks filled since the start, and kEnded
  std::atomic<uint64_t> released_ = 0;  // chunks given back, and kStop

  uint64_t taken_ = 0;          // chunks that the reader has met
  bool holding_ = false;        // the window is in chunk taken_ - 1
  std::vector<uint8_t> spill_;  // the window, when a block is longer than the headroom

  std::jthread thread_;
};

}  // namespace saker::capture
