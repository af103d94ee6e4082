#include "formats/inflate.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace saker::formats {

namespace {

// ISA-L counts in 32 bits.
constexpr size_t kMaxStep = size_t{1} << 30;

Error corrupt(std::string message) {
  return Error{.code = Code::corrupt, .message = std::move(message)};
}

std::string_view gzip_mistake(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK: return "invalid deflate block";
    case ISAL_INVALID_SYMBOL: return "invalid deflate symbol";
    case ISAL_INVALID_LOOKBACK: return "reference before the start of the data";
    case ISAL_INVALID_WRAPPER: return "invalid gzip header";
    case ISAL_UNSUPPORTED_METHOD: return "unknown compression method";
    case ISAL_INCORRECT_CHECKSUM: return "wrong checksum";
    default: return "invalid data";
  }
}

}  // namespace

std::string_view to_string(Compression compression) {
  switch (compression) {
    case Compression::none: return "none";
    case Compression::gzip: return "gzip";
    case Compression::zstd: return "zstd";
  }
  return "none";
}

Compression detect_compression(Bytes head) {
  constexpr std::array<uint8_t, 4> kZstdMagic = {0x28, 0xb5, 0x2f, 0xfd};
  if (head.size() >= 2 && head[0] == 0x1f && head[1] == 0x8b) return Compression::gzip;
  if (head.size() >= 4 && std::equal(kZstdMagic.begin(), kZstdMagic.end(), head.begin()))
    return Compression::zstd;
  return Compression::none;
}

struct Inflater::State {
  explicit State(Compression kind) : compression(kind) {
    if (compression == Compression::gzip) {
      gzip = std::make_unique<inflate_state>();
      isal_inflate_init(gzip.get());
      gzip->crc_flag = ISAL_GZIP;
    } else if (compression == Compression::zstd) {
      zstd = ZSTD_createDStream();
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (zstd != nullptr) ZSTD_freeDStream(zstd);
  }

  Result<Step> run_gzip(Bytes in, std::span<uint8_t> out);
  Result<Step> run_zstd(Bytes in, std::span<uint8_t> out);
  bool next_member(Bytes in, Step& step);
  // What was inflated before a mistake goes out first.
  Result<Step> broken(Error mistake, Step step) {
    if (step.produced == 0) return mistake;
    error = std::move(mistake);
    return step;
  }

  const Compression compression;
  std::unique_ptr<inflate_state> gzip;
  ZSTD_DStream* zstd = nullptr;
  std::optional<Error> error;  // to be told by the next step
  bool started = false;        // the first byte has been seen
  bool at_end = false;         // between members or frames: the input may stop here
  bool only_rest = false;      // after the last gzip member: the rest of the input is ignored
};

// Between gzip members: skips zero padding and starts the next member. False when there is none in
// this input.
bool Inflater::State::next_member(Bytes in, Step& step) {
  while (step.consumed < in.size() && in[step.consumed] == 0) ++step.consumed;
  if (step.consumed == in.size()) return false;
  if (in[step.consumed] != 0x1f) {
    only_rest = true;
    step.consumed = in.size();
    return false;
  }
  isal_inflate_reset(gzip.get());
  gzip->crc_flag = ISAL_GZIP;
  at_end = false;
  return true;
}

Result<Inflater::Step> Inflater::State::run_gzip(Bytes in, std::span<uint8_t> out) {
  Step step;
  if (only_rest) return Step{.consumed = in.size()};
  while (step.produced < out.size()) {
    if (at_end && !next_member(in, step)) break;
    const size_t in_size = std::min(in.size() - step.consumed, kMaxStep);
    const size_t out_size = std::min(out.size() - step.produced, kMaxStep);
    if (in_size != 0) started = true;
    // The library does not write to its input.
    gzip->next_in = const_cast<uint8_t*>(in.data()) + step.consumed;
    gzip->avail_in = static_cast<uint32_t>(in_size);
    gzip->next_out = out.data() + step.produced;
    gzip->avail_out = static_cast<uint32_t>(out_size);
    const int code = isal_inflate(gzip.get());
    // After a mistake the library may claim to have left more than it was given.
    const size_t consumed = in_size - std::min<size_t>(in_size, gzip->avail_in);
    const size_t produced = out_size - gzip->avail_out;
    step.consumed += consumed;
    step.produced += produced;
    if (code < 0) return broken(corrupt("gzip: " + std::string(gzip_mistake(code))), step);
    if (gzip->block_state == ISAL_BLOCK_FINISH) {
      at_end = true;
    } else if (consumed == 0 && produced == 0) {
      break;
    }
  }
  return step;
}

Result<Inflater::Step> Inflater::State::run_zstd(Bytes in, std::span<uint8_t> out) {
  if (zstd == nullptr) return Error{.code = Code::io, .message = "zstd: out of memory"};
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  while (output.pos < output.size) {
    const size_t in_before = input.pos;
    const size_t out_before = output.pos;
    if (input.pos < input.size) started = true;
    if (at_end && input.pos == input.size) break;
    const size_t code = ZSTD_decompressStream(zstd, &output, &input);
    if (ZSTD_isError(code) != 0)
      return broken(corrupt(std::string("zstd: ") + ZSTD_getErrorName(code)),
                    {.consumed = input.pos, .produced = output.pos});
    at_end = code == 0;
    if (!at_end && input.pos == in_before && output.pos == out_before) break;
  }
  return Step{.consumed = input.pos, .produced = output.pos};
}

Inflater::Inflater(Compression compression) : state_(std::make_unique<State>(compression)) {}
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;
Inflater::~Inflater() = default;

Result<Inflater::Step> Inflater::run(Bytes in, std::span<uint8_t> out) {
  if (state_->error) return *state_->error;
  switch (state_->compression) {
    case Compression::gzip: return state_->run_gzip(in, out);
    case Compression::zstd: return state_->run_zstd(in, out);
    case Compression::none: break;
  }
  const size_t count = std::min(in.size(), out.size());
  if (count != 0) std::memcpy(out.data(), in.data(), count);
  return Step{.consumed = count, .produced = count};
}

Status Inflater::finish() const {
  if (state_->error) return *state_->error;
  if (state_->compression == Compression::none || state_->at_end || !state_->started) return {};
  return corrupt("the " + std::string(to_string(state_->compression)) + " data ends too early");
}

Result<std::string> inflate_all(Compression compression, Bytes in, size_t limit) {
  Inflater inflater(compression);
  std::string out;
  size_t filled = 0;
  for (;;) {
    if (filled == out.size()) {
      if (filled > limit) return corrupt("more than " + std::to_string(limit) + " bytes inflated");
      // One byte more than the limit tells "exactly the limit" from "too long".
      out.resize(std::min(std::max<size_t>(out.size() * 2, 64 * 1024), limit + 1));
    }
    std::span<uint8_t> room(reinterpret_cast<uint8_t*>(out.data()) + filled, out.size() - filled);
    const Inflater::Step step = SAKER_TRY(inflater.run(in, room));
    in = in.subspan(step.consumed);
    filled += step.produced;
    if (step.produced < room.size() && (in.empty() || step.consumed == 0)) break;
  }
  if (filled > limit) return corrupt("more than " + std::to_string(limit) + " bytes inflated");
  SAKER_CHECK(inflater.finish());
  out.resize(filled);
  return out;
}

}  // namespace saker::formats
