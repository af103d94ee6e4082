// Events of the running kernel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/source.h"
#include "event/demand.h"

namespace saker::capture {

struct LiveOptions {
  event::Demand demand;
  size_t file_ring_bytes = 8 << 20;     // powers of two
  size_t process_ring_bytes = 2 << 20;  // of fork, exec and exit, which file noise can't fill
  uint32_t snaplen = 80;                // bytes of data of a read or write
  bool drop_failed = false;             // leave failed calls out
  bool push_down = true;                // test arguments in the kernel
  uint32_t only_tree_of = 0;            // a process id: it and its descendants only
  uint32_t wait_ms = 50;                // the longest that next() waits, and that an event waits
};

// A live source. Needs root (or CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE) and a kernel with BTF. Its
// own process is left out. Watches from open on; snapshot() then tells what was there, so that
// there is no gap in between.
class LiveSource : public EventSource {
 public:
  // Changes what the kernel sends, without a gap; what was asked for before may still come for a
  // moment.
  virtual Status set_demand(const event::Demand& demand) = 0;
};

Result<std::unique_ptr<LiveSource>> open_live(const LiveOptions& options);

// Whether open_live() can work here; an error says what is missing and what to do.
Status check_live();

// One need of live capture, for `saker doctor`.
struct KernelSupportRow {
  std::string name;
  bool ok = false;
  std::string detail;  // what was found
  std::string advice;  // what to do when it is not ok
};
std::vector<KernelSupportRow> probe_kernel();

}  // namespace saker::capture
