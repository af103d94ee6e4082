// One block of bytes compressed by itself, with a checksum of its content. Facade over zstd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace saker::formats {

// Appends the compressed block to `out`. Used for one block after the other; not thread-safe.
class ZstdCompressor {
 public:
  ZstdCompressor();
  ~ZstdCompressor();
  ZstdCompressor(ZstdCompressor&&) noexcept;
  ZstdCompressor& operator=(ZstdCompressor&&) noexcept;

  Status compress(std::string_view block, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The content of a block, which must be of exactly `size` bytes. Corrupt when it is not.
Status zstd_decompress(Bytes block, size_t size, std::string& out);

// The CRC-32 of gzip.
uint32_t crc32(Bytes bytes);

}  // namespace saker::formats
