// Any bytes as a baseline of audit logs: refused, or written back as text that is read the same.
// parser: src/audit/baseline_read.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "audit/habits.h"

using namespace saker;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<audit::Baseline> first = audit::parse_baseline(text, "baseline");
  if (!first.ok()) return 0;
  const std::string written = audit::to_text(*first);
  const Result<audit::Baseline> second = audit::parse_baseline(written, "baseline");
  if (!second.ok() || audit::to_text(*second) != written) std::abort();
  // What habits make of it can be kept again.
  const audit::Baseline again = audit::Habits(&*first, true).baseline();
  if (!audit::parse_baseline(audit::to_text(again), "baseline").ok()) std::abort();
  return 0;
}
