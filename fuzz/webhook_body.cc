// Any bytes as the body of a webhook's request: what is called durable is in the spool, a line an
// event, and known from then on; what is refused leaves nothing there.
// parser: src/agent/audit_receiver.cc src/capture/k8s_audit/audit_block.cc
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "agent/audit_receiver.h"
#include "formats/json.h"
#include "formats/spool_reader.h"
#include "scratch_folder.h"

namespace {

using namespace saker;

void require(bool condition) {
  if (!condition) std::abort();
}

// How many lines are behind the position, each of which must be JSON.
uint64_t count_lines(const store::AuditSpool& spool, formats::SpoolPosition behind) {
  auto reader = formats::SpoolReader::open(spool.folder());
  require(reader.ok());
  (*reader)->start_behind(behind);
  formats::SpoolFrame frame;
  uint64_t lines = 0;
  while ((*reader)->next(frame)) {
    require(frame.lines.ends_with('\n'));
    lines += static_cast<uint64_t>(std::ranges::count(frame.lines, '\n'));
    require(std::ranges::none_of(frame.lines, [](char c) { return c == '\r'; }));
  }
  require((*reader)->problems().empty());
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFolder folder;
  static const std::shared_ptr<store::AuditSpool> spool = [] {
    auto opened = store::AuditSpool::open(
        {.folder = folder.path() + "/spool", .max_bytes = 1 << 20, .segment_bytes = 1 << 16});
    require(opened.ok());
    return std::shared_ptr<store::AuditSpool>(std::move(*opened));
  }();
  constexpr size_t kWindow = 64;
  agent::AuditReceiver receiver(spool, kWindow);
  const formats::SpoolPosition before = spool->committed();
  for (int time = 0; time < 2; ++time) {
    std::string body(reinterpret_cast<const char*>(data), size);
    const agent::AuditReceiver::Outcome outcome = receiver.receive(body);
    const agent::AuditReceiver::Stats stats = receiver.stats();
    require(outcome.answer != agent::AuditReceiver::Answer::failed);
    const bool durable = outcome.answer == agent::AuditReceiver::Answer::durable;
    require(durable == outcome.why.empty());
    require(durable ? stats.batches > 0 : stats.batches + stats.events == 0);
    require(count_lines(*spool, before) == stats.events);
    require(time == 0 || stats.events > kWindow || stats.repeated >= stats.events);
  }
  return 0;
}
