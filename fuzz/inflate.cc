// Any bytes as a compressed stream: whatever the steps, the same bytes come out.
// parser: src/formats/inflate.cc
#include "formats/inflate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace saker;

constexpr size_t kLimit = 1 << 20;

struct Whole {
  std::string text;
  bool ok = false;
};

Whole by_steps(formats::Compression compression, Bytes in, size_t in_step, size_t out_step) {
  formats::Inflater inflater(compression);
  std::array<uint8_t, 4096> out;
  Whole whole;
  Bytes offered = in.first(std::min(in_step, in.size()));
  while (whole.text.size() < kLimit) {
    const auto step = inflater.run(offered, std::span(out).first(out_step));
    if (!step.ok()) return whole;
    if (step->consumed > offered.size() || step->produced > out_step) std::abort();
    whole.text.append(reinterpret_cast<const char*>(out.data()), step->produced);
    in = in.subspan(step->consumed);
    const bool stuck = step->consumed == 0 && step->produced == 0;
    if (stuck && offered.size() == in.size()) break;
    const size_t next = stuck ? offered.size() + in_step : in_step;
    offered = in.first(std::min(next, in.size()));
  }
  whole.ok = inflater.finish().ok();
  return whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes in(data, size);
  const formats::Compression compression = formats::detect_compression(in);
  if (formats::to_string(compression).empty()) std::abort();
  const Result<std::string> all = formats::inflate_all(compression, in, kLimit);
  const Whole large = by_steps(compression, in, 4096, 4096);
  const Whole small = by_steps(compression, in, 7, 61);
  if (all.ok() && (!large.ok || large.text != *all)) std::abort();
  if (large.ok && small.ok && large.text != small.text) std::abort();
  return 0;
}
