// Streaming decompression: gzip by ISA-L, zstd by libzstd, and plain bytes through the same door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace saker::formats {

enum class Compression : uint8_t { none, gzip, zstd };
std::string_view to_string(Compression compression);

// How many bytes at the head of a stream detect_compression() wants to see.
inline constexpr size_t kCompressionMagicSize = 4;

// By the magic number; anything else is plain.
Compression detect_compression(Bytes head);

// Turns a compressed stream into plain bytes, in steps of whatever sizes the caller has. Members
// (gzip) and frames (zstd) that follow each other are one stream. Bytes after the last gzip member
// that do not start another one are ignored, as gzip does. Not thread-safe.
class Inflater {
 public:
  explicit Inflater(Compression compression);
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;
  ~Inflater();

  struct Step {
    size_t consumed = 0;
    size_t produced = 0;
  };
  // Goes on until `in` is used up or `out` is full. A step that neither consumes nor produces
  // anything, although `out` has room, wants more input. What was inflated before
  // a mistake comes out before the error; after it nothing follows.
  Result<Step> run(Bytes in, std::span<uint8_t> out);

  // To be asked once all input went through run(): an error when the stream ends too early.
  [[nodiscard]] Status finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The whole of `in`; an error when it would become longer than `limit` bytes.
Result<std::string> inflate_all(Compression compression, Bytes in, size_t limit);

}  // namespace saker::formats
