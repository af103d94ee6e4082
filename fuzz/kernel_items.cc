// Any bytes as what the kernel's iterators write of tasks and files: each a u16 (the lowest bit
// says which of both) with the item's length, and the item.
// parser: src/capture/bpf/iterator_items.cc
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "capture/bpf/iterator_items.h"
#include "reading_sink.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace saker;
  ByteReader reader({data, size});
  fuzz::ReadingSink sink;
  while (reader.remaining() >= 2) {
    const auto head = reader.read<uint16_t>();
    const Bytes part = reader.take(std::min<size_t>(head >> 1, reader.remaining()));
    // A copy of its own, so that a byte too far is seen.
    const std::vector<uint8_t> item(part.begin(), part.end());
    if ((head & 1) != 0)
      capture::send_file(item, sink);
    else
      capture::send_task(item, 1, sink);
  }
  return sink.sum == 1 ? 1 : 0;
}
