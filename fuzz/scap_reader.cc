// Any bytes as a capture, whatever its compression: no crash, every parameter within its record,
// and what was read can be written and read again as the same.
// parser: src/capture/scap/scap.cc src/capture/scap/snapshot_blocks.cc
// parser: src/capture/chunk_stream.cc src/capture/scap/converter.cc
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/fd.h"
#include "capture/scap/scap.h"
#include "capture/scap/writer.h"
#include "formats/inflate.h"

namespace {

using namespace saker;

// Bytes as a file that has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view contents) : fd_(memfd_create("capture", MFD_CLOEXEC)) {
    if (!fd_.valid() || !write_all(fd_.get(), contents).ok()) std::abort();
    path_ = "/proc/self/fd/" + std::to_string(fd_.get());
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  UniqueFd fd_;
  std::string path_;
};

struct Sum {
  uint64_t events = 0;
  uint64_t hash = 0;
  bool complete = false;  // read to its end without an error
  bool operator==(const Sum&) const = default;
};

// Reads all, and copies it to `writer` when there is one.
Sum read(const std::string& path, size_t chunk_bytes, capture::ScapWriter* writer) {
  Sum sum;
  auto reader = capture::ScapReader::open({.path = path, .chunk_bytes = chunk_bytes, .chunks = 2});
  if (!reader.ok()) return sum;
  if (writer != nullptr && !(*reader)->snapshot(*writer).ok()) return sum;
  event::Event event;
  capture::Next next;
  while ((next = (*reader)->next(event)) == capture::Next::event) {
    for (size_t i = 0; i < event.param_count; ++i) {
      const Bytes param = event.param(i);
      if (param.data() < event.record || param.data() + param.size() > event.record + event.length)
        std::abort();
      for (uint8_t byte : param) sum.hash = (sum.hash + byte) * 0x9e3779b97f4a7c15;
    }
    sum.hash =
        (sum.hash ^ event.timestamp ^ static_cast<uint64_t>(event.tid) ^ event.type ^ event.cpu) *
        0x9e3779b97f4a7c15;
    ++sum.events;
    if (writer != nullptr && !writer->write(event).ok()) std::abort();
  }
  sum.complete = next == capture::Next::end;
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const MemoryFile file({reinterpret_cast<const char*>(data), size});
  const MemoryFile copy("");
  auto writer = capture::ScapWriter::create({.path = copy.path()});
  if (!writer.ok()) std::abort();
  const Sum first = read(file.path(), 64 * 1024, writer->get());
  if (!(*writer)->close().ok()) std::abort();
  // Events that straddle chunks. Of a damaged compressed stream a longer piece may be had by
  // smaller steps.
  const Sum second = read(file.path(), 61, nullptr);
  const bool plain = formats::detect_compression({data, size}) == formats::Compression::none;
  if (plain || (first.complete && second.complete)) {
    if (first != second) std::abort();
  }
  if ((*writer)->skipped() != 0 || !first.complete || first.events == 0) return 0;
  if (first != read(copy.path(), 64 * 1024, nullptr)) std::abort();
  return 0;
}
