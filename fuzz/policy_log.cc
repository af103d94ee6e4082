// Any bytes as an audit log, compressed or not: each line is an event that is counted once, kept or
// lost, or skipped; no event keeps more than it has.
// parser: src/audit/policy_log.cc src/formats/json_pick.cc
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "audit/policy_log.h"
#include "base/fd.h"
#include "formats/inflate.h"

namespace {

using namespace saker;

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::string_view kPolicy = R"(
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, users: [bob]}
- {level: Metadata, resources: [{group: "", resources: [secrets, pods/*]}]}
- {level: Request, verbs: [create, patch], userGroups: ["system:authenticated"]}
- {level: RequestResponse, namespaces: [shop]}
- {level: None, nonResourceURLs: ["/healthz*"]}
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const audit::PolicyFile file = audit::load_policy(kPolicy, "policy");
  audit::PolicyTester tester(file.policy);
  const UniqueFd log(memfd_create("log", MFD_CLOEXEC));
  require(log.valid() && write_all(log.get(), {reinterpret_cast<const char*>(data), size}).ok());
  const Status status = tester.read("/proc/self/fd/" + std::to_string(log.get()));
  const bool plain = formats::detect_compression({data, size}) == formats::Compression::none;
  require(status.ok() || !plain);
  const auto lines = static_cast<uint64_t>(std::count(data, data + size, '\n')) + 1;
  const audit::PolicyTrial& trial = tester.result();
  require(trial.all.events == trial.kept.events + trial.lost.events);
  require(!plain || trial.all.events + trial.skipped <= lines);
  require(trial.kept.bytes + trial.lost.bytes <= trial.all.bytes);
  require((trial.skipped == 0) == trial.first_skipped.empty());
  uint64_t by_rule = 0;
  for (const auto& rule : trial.rules) by_rule += rule.kept.events + rule.lost.events;
  require(by_rule == trial.all.events);
  return 0;
}
