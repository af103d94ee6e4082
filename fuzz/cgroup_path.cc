// Any bytes as a cgroup path: what match_cgroup() finds must lie in the path.
// parser: src/k8s/cgroup.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "k8s/container.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view path(reinterpret_cast<const char*>(data), size);
  const auto match = saker::k8s::match_cgroup(path);
  if (!match) return 0;
  const std::string_view id = match->full_id;
  if (id.empty() || id.data() < path.data() || id.data() + id.size() > path.data() + path.size()) {
    std::abort();
  }
  if (!match->pod_uid.empty() && match->pod_uid.size() != 32 && match->pod_uid.size() != 36) {
    std::abort();
  }
  return 0;
}
