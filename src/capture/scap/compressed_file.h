// A file that is written through gzip or zstd, or plain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"
#include "formats/inflate.h"

namespace saker::capture::scap {

// Not thread-safe. After an error every call gives that error again.
class CompressedFile {
 public:
  // Makes the file anew, for its owner only. "-" is standard output.
  static Result<std::unique_ptr<CompressedFile>> create(const std::string& path,
                                                        formats::Compression compression);
  ~CompressedFile();
  CompressedFile(const CompressedFile&) = delete;
  CompressedFile& operator=(const CompressedFile&) = delete;

  Status write(Bytes bytes);
  // Brings all that was written so far to the file, so that a reader can have it.
  Status flush();
  // Ends the compressed stream and closes. Without it the file is one that was cut off.
  Status close();
  // Bytes that the file has by now.
  [[nodiscard]] uint64_t file_bytes() const { return file_bytes_; }

 private:
  enum class Mode : uint8_t { more, flush, end };
  struct Packer;

  CompressedFile(UniqueFd fd, formats::Compression compression);
  Status pack(Mode mode);
  Status pack_gzip(Mode mode);
  Status pack_zstd(Mode mode);
  Status put(size_t size);
  Status remember(Status status);

  UniqueFd fd_;
  const formats::Compression compression_;
  std::unique_ptr<Packer> packer_;
  std::vector<uint8_t> input_;  // what is still to be packed
  std::vector<uint8_t> output_;
  uint64_t file_bytes_ = 0;
  Status status_;
};

}  // namespace saker::capture::scap
