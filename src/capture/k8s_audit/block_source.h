// Pieces of an audit log in buffers of the caller's: for readers that work on several at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "capture/chunk_stream.h"
#include "capture/k8s_audit/log_pieces.h"

namespace saker::capture {

// Not thread-safe.
class BlockSource {
 public:
  static constexpr size_t kBlockBytes = size_t{256} * 1024;

  virtual ~BlockSource() = default;

  // The next piece, whose text is in `buffer`, with kJsonPadding bytes behind it. False at the end
  // of the log.
  virtual bool next(LogPiece& piece, std::vector<char>& buffer) = 0;

  // After next() was false: why the log ended early, if it did.
  [[nodiscard]] virtual const Status& status() const = 0;
  // For messages: the path, or that it is standard input.
  [[nodiscard]] virtual const std::string& name() const = 0;
};

// A plain log of lines is read into the buffers directly; all else goes through a stream.
Result<std::unique_ptr<BlockSource>> open_blocks(const std::string& path);
// A spool's events, of which frames that lie before or behind these times are left out.
Result<std::unique_ptr<BlockSource>> open_spool_blocks(const std::string& folder, uint64_t since_ns,
                                                       uint64_t until_ns);
// The stream's first window may have been looked at already: `window` then is it.
std::unique_ptr<BlockSource> make_blocks(std::unique_ptr<ChunkStream> stream, Bytes window);

}  // namespace saker::capture
