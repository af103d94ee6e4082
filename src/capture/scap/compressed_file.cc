#include "capture/scap/compressed_file.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>

namespace saker::capture::scap {

using formats::Compression;

namespace {
constexpr size_t kBufferBytes = 256 * 1024;
constexpr uint32_t kGzipLevel = 1;
constexpr int kZstdLevel = 3;
}  // namespace

struct CompressedFile::Packer {
  explicit Packer(Compression compression) {
    if (compression == Compression::zstd) {
      zstd = ZSTD_createCCtx();
      if (zstd == nullptr) return;
      ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, kZstdLevel);
      ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    } else if (compression == Compression::gzip) {
      gzip = std::make_unique<isal_zstream>();
      level.resize(ISAL_DEF_LVL1_DEFAULT);
      isal_deflate_init(gzip.get());
      gzip->gzip_flag = IGZIP_GZIP;
      gzip->level = kGzipLevel;
      gzip->level_buf = level.data();
      gzip->level_buf_size = static_cast<uint32_t>(level.size());
    }
  }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  ~Packer() { ZSTD_freeCCtx(zstd); }

  std::unique_ptr<isal_zstream> gzip;
  std::vector<uint8_t> level;  // working memory of the gzip side
  ZSTD_CCtx* zstd = nullptr;
};

Result<std::unique_ptr<CompressedFile>> CompressedFile::create(const std::string& path,
                                                               Compression compression) {
  UniqueFd fd;
  if (path == "-") {
    const int copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return errno_error("standard output", errno);
    fd.reset(copy);
  } else {
    fd = SAKER_TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC));
    struct stat about{};
    // What is captured is nobody else's business, also when the file was there before.
    if (fstat(fd.get(), &about) == 0 && S_ISREG(about.st_mode) && fchmod(fd.get(), 0600) != 0)
      return errno_error(path, errno);
  }
  return std::unique_ptr<CompressedFile>(new CompressedFile(std::move(fd), compression));
}

CompressedFile::CompressedFile(UniqueFd fd, Compression compression)
    : fd_(std::move(fd)),
      compression_(compression),
      packer_(std::make_unique<Packer>(compression)) {
  input_.reserve(kBufferBytes);
  if (compression != Compression::none) output_.resize(kBufferBytes);
}

CompressedFile::~CompressedFile() = default;

Status CompressedFile::remember(Status status) {
  if (!status.ok()) status_ = status;
  return status;
}

Status CompressedFile::write(Bytes bytes) {
  SAKER_CHECK(status_);
  while (!bytes.empty()) {
    const size_t count = std::min(bytes.size(), kBufferBytes - input_.size());
    input_.insert(input_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (input_.size() == kBufferBytes) SAKER_CHECK(remember(pack(Mode::more)));
  }
  return {};
}

Status CompressedFile::flush() {
  SAKER_CHECK(status_);
  return remember(pack(Mode::flush));
}

Status CompressedFile::close() {
  SAKER_CHECK(status_);
  if (!fd_.valid()) return {};
  SAKER_CHECK(remember(pack(Mode::end)));
  // A full disk may show only now.
  if (::close(fd_.release()) != 0) return remember(errno_error("closing", errno));
  return {};
}

Status CompressedFile::pack(Mode mode) {
  switch (compression_) {
    case Compression::gzip: return pack_gzip(mode);
    case Compression::zstd: return pack_zstd(mode);
    case Compression::none: break;
  }
  SAKER_CHECK(write_all(fd_.get(), as_text(input_)));
  file_bytes_ += input_.size();
  input_.clear();
  return {};
}

Status CompressedFile::put(size_t size) {
  SAKER_CHECK(write_all(fd_.get(), as_text(Bytes(output_).first(size))));
  file_bytes_ += size;
  return {};
}

Status CompressedFile::pack_gzip(Mode mode) {
  isal_zstream& stream = *packer_->gzip;
  stream.next_in = input_.data();
  stream.avail_in = static_cast<uint32_t>(input_.size());
  stream.flush = mode == Mode::flush ? SYNC_FLUSH : NO_FLUSH;
  stream.end_of_stream = mode == Mode::end ? 1 : 0;
  do {
    stream.next_out = output_.data();
    stream.avail_out = static_cast<uint32_t>(output_.size());
    if (isal_deflate(&stream) != COMP_OK)
      return Error{.code = Code::io, .message = "gzip: compression failed"};
    SAKER_CHECK(put(output_.size() - stream.avail_out));
  } while (stream.avail_out == 0);
  input_.clear();
  return {};
}

Status CompressedFile::pack_zstd(Mode mode) {
  if (packer_->zstd == nullptr) return Error{.code = Code::io, .message = "zstd: out of memory"};
  const ZSTD_EndDirective directive = mode == Mode::end     ? ZSTD_e_end
                                      : mode == Mode::flush ? ZSTD_e_flush
                                                            : ZSTD_e_continue;
  ZSTD_inBuffer in{input_.data(), input_.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{output_.data(), output_.size(), 0};
    const size_t left = ZSTD_compressStream2(packer_->zstd, &out, &in, directive);
    if (ZSTD_isError(left) != 0)
      return Error{.code = Code::io, .message = std::string("zstd: ") + ZSTD_getErrorName(left)};
    SAKER_CHECK(put(out.pos));
    if (mode == Mode::more ? in.pos == in.size : left == 0) break;
  }
  input_.clear();
  return {};
}

}  // namespace saker::capture::scap
