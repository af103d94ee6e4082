#include "capture/k8s_audit/block_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/fd.h"
#include "formats/inflate.h"
#include "formats/json.h"

namespace saker::capture {

namespace {

void make_room(std::vector<char>& buffer, size_t size) {
  if (buffer.size() < size + formats::kJsonPadding) buffer.resize(size + formats::kJsonPadding);
}

class StreamBlocks : public BlockSource {
 public:
  StreamBlocks(std::unique_ptr<ChunkStream> stream, Bytes window)
      : pieces_(std::move(stream), window) {}

  bool next(LogPiece& piece, std::vector<char>& buffer) override {
    if (!pieces_.next(piece)) return false;
    const size_t size = piece.text.size();
    make_room(buffer, size);
    if (size != 0) std::memcpy(buffer.data(), piece.text.data(), size);
    piece.text = {buffer.data(), size};
    return true;
  }
  [[nodiscard]] const Status& status() const override { return pieces_.status(); }
  [[nodiscard]] const std::string& name() const override { return pieces_.name(); }

 private:
  LogPieces pieces_;
};

// Reads a plain file of lines.
class FileBlocks : public BlockSource {
 public:
  FileBlocks(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  // Whether the file is one that this class can read; the first block is read then.
  bool begin() {
    struct stat about{};
    if (::fstat(fd_.get(), &about) != 0 || !S_ISREG(about.st_mode)) return false;
    ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    first_.resize(kBlockBytes);
    const std::optional<size_t> size = read_into(first_.data(), kBlockBytes);
    if (!size) return false;
    first_.resize(*size);
    const Bytes head = as_bytes({first_.data(), first_.size()});
    return formats::detect_compression(head) == formats::Compression::none &&
           is_log_of_lines({first_.data(), first_.size()});
  }

  bool next(LogPiece& piece, std::vector<char>& buffer) override {
    size_t size = carry_.size();
    make_room(buffer, size + kBlockBytes);
    std::copy(carry_.begin(), carry_.end(), buffer.begin());
    for (;;) {
      const std::optional<size_t> count = fill(buffer.data() + size);
      if (!count) return false;
      const char* fresh = buffer.data() + size;
      const auto* end = static_cast<const char*>(::memrchr(fresh, '\n', *count));
      size += *count;
      if (end != nullptr || *count == 0) {
        const size_t whole = end != nullptr ? static_cast<size_t>(end + 1 - buffer.data()) : size;
        carry_.assign(buffer.data() + whole, buffer.data() + size);
        return hand_out(piece, {buffer.data(), whole});
      }
      if (size > LogPieces::kLongestText) return skip_line(piece, size, buffer);
      make_room(buffer, size + kBlockBytes);
    }
  }
  [[nodiscard]] const Status& status() const override { return status_; }
  [[nodiscard]] const std::string& name() const override { return path_; }

 private:
  // Up to `size` bytes; nothing at an error.
  std::optional<size_t> read_into(char* to, size_t size) {
    size_t filled = 0;
    while (filled < size) {
      const ssize_t count = ::read(fd_.get(), to + filled, size - filled);
      if (count == 0) break;
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        status_ = errno_error("reading", errno);
        return std::nullopt;
      }
      filled += static_cast<size_t>(count);
    }
    return filled;
  }

  // The first block was read to look at it.
  std::optional<size_t> fill(char* to) {
    if (first_.empty()) return read_into(to, kBlockBytes);
    const size_t size = first_.size();
    std::memcpy(to, first_.data(), size);
    first_ = {};
    return size;
  }

  bool hand_out(LogPiece& piece, std::string_view text) {
    piece = {.text = text, .offset = offset_, .lines = true};
    offset_ += text.size();
    return !text.empty();
  }

  bool skip_line(LogPiece& piece, size_t size, std::vector<char>& buffer) {
    piece = {.text = {buffer.data(), 0}, .offset = offset_, .lines = true, .skipped = true};
    offset_ += size;
    carry_.clear();
    for (;;) {
      const std::optional<size_t> count = read_into(buffer.data(), kBlockBytes);
      if (!count || *count == 0) return true;
      const auto* end = static_cast<const char*>(std::memchr(buffer.data(), '\n', *count));
      const size_t skipped = end != nullptr ? static_cast<size_t>(end + 1 - buffer.data()) : *count;
      offset_ += skipped;
      if (end == nullptr) continue;
      carry_.assign(buffer.data() + skipped, buffer.data() + *count);
      return true;
    }
  }

  UniqueFd fd_;
  std::string path_;
  std::vector<char> first_, carry_;  // what was read to look at it; the begin of the next line
  uint64_t offset_ = 0;              // of the next piece
  Status status_;
};

}  // namespace

std::unique_ptr<BlockSource> make_blocks(std::unique_ptr<ChunkStream> stream, Bytes window) {
  return std::make_unique<StreamBlocks>(std::move(stream), window);
}

namespace {

constexpr size_t kChunks = 4;

bool is_folder(const std::string& path) {
  struct stat about{};
  return ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

}  // namespace

Result<std::unique_ptr<BlockSource>> open_blocks(const std::string& path) {
  if (path != "-" && !is_folder(path)) {
    auto direct = std::make_unique<FileBlocks>(SAKER_TRY(open_file(path, O_RDONLY)), path);
    if (direct->begin()) return std::unique_ptr<BlockSource>(std::move(direct));
  }
  return make_blocks(SAKER_TRY(ChunkStream::open(path, BlockSource::kBlockBytes, kChunks)), {});
}

Result<std::unique_ptr<BlockSource>> open_spool_blocks(const std::string& folder, uint64_t since_ns,
                                                       uint64_t until_ns) {
  std::unique_ptr<formats::SpoolReader> spool = SAKER_TRY(formats::SpoolReader::open(folder));
  spool->only(since_ns, until_ns);
  return make_blocks(SAKER_TRY(ChunkStream::open_spool(std::move(spool), folder,
                                                       BlockSource::kBlockBytes, kChunks)),
                     {});
}

}  // namespace saker::capture
