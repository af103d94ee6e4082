#include "formats/zstd_block.h"

#include <isa-l/crc.h>
#include <zstd.h>

namespace saker::formats {

namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Error zstd_error(size_t code) {
  return Error{.code = Code::corrupt, .message = std::string("zstd: ") + ZSTD_getErrorName(code)};
}

}  // namespace

struct ZstdCompressor::State {
  std::unique_ptr<ZSTD_CCtx, FreeContext> context{ZSTD_createCCtx()};
};

ZstdCompressor::ZstdCompressor() : state_(std::make_unique<State>()) {
  ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_checksumFlag, 1);
}
ZstdCompressor::~ZstdCompressor() = default;
ZstdCompressor::ZstdCompressor(ZstdCompressor&&) noexcept = default;
ZstdCompressor& ZstdCompressor::operator=(ZstdCompressor&&) noexcept = default;

Status ZstdCompressor::compress(std::string_view block, std::string& out) {
  const size_t before = out.size();
  out.resize(before + ZSTD_compressBound(block.size()));
  const size_t size = ZSTD_compress2(state_->context.get(), out.data() + before,
                                     out.size() - before, block.data(), block.size());
  if (ZSTD_isError(size) != 0) {
    out.resize(before);
    return zstd_error(size);
  }
  out.resize(before + size);
  return {};
}

Status zstd_decompress(Bytes block, size_t size, std::string& out) {
  out.resize(size);
  const size_t got = ZSTD_decompress(out.data(), size, block.data(), block.size());
  if (ZSTD_isError(got) != 0) return zstd_error(got);
  if (got != size)
    return Error{.code = Code::corrupt, .message = "zstd: a block of another size than said"};
  return {};
}

uint32_t crc32(Bytes bytes) {
  return crc32_gzip_refl(0, bytes.data(), bytes.size());
}

}  // namespace saker::formats
