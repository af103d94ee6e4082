// Any bytes as an audit log: no crash, every event lies within what was read and its values can be
// asked for.
// parser: src/capture/k8s_audit/log_reader.cc src/capture/k8s_audit/audit_block.cc
// parser: src/capture/k8s_audit/log_pieces.cc src/formats/json_index.cc
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/fd.h"
#include "capture/k8s_audit/log_reader.h"

using namespace saker;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const UniqueFd file(memfd_create("audit", MFD_CLOEXEC));
  if (!file.valid() || !write_all(file.get(), {reinterpret_cast<const char*>(data), size}).ok())
    std::abort();
  auto reader = capture::AuditLogReader::open("/proc/self/fd/" + std::to_string(file.get()));
  if (!reader.ok()) return 0;
  event::Event event;
  uint64_t events = 0;
  while ((*reader)->next(event) == capture::Next::event) {
    ++events;
    const capture::AuditText& record = (*reader)->record();
    for (const char* pointer : {"/auditID", "/user/groups/0", "/annotations/a~1b", "/objectRef",
                                "/requestObject/spec/containers/0/image", "/none/none"}) {
      const auto value = record.find(pointer);
      if (value && (value->data() < record.text().data() ||
                    value->data() + value->size() > record.text().data() + record.text().size()))
        std::abort();
    }
  }
  if (events != (*reader)->stats().delivered) std::abort();
  return 0;
}
