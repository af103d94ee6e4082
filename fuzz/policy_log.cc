// Any bytes as lines of an audit log: each is an event that is counted once, kept or lost, or none;
// no event keeps more than it has.
// parser: src/audit/policy_log.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "audit/policy_log.h"
#include "base/strings.h"
#include "capture/k8s_audit/audit_text.h"

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
  audit::LoggedRequest event;
  capture::AuditText record;
  // Each line is an event; JSON is read up to kJsonPadding bytes behind it.
  std::string text(reinterpret_cast<const char*>(data), size);
  text.append(formats::kJsonPadding, ' ');
  uint64_t taken = 0;
  for (std::string_view line : split(std::string_view(text).substr(0, size), '\n')) {
    if (!record.load(line) || !event.read(record)) continue;
    tester.take(event);
    ++taken;
  }
  const audit::PolicyTrial& trial = tester.result();
  require(trial.all.events == trial.kept.events + trial.lost.events);
  require(trial.all.events == taken);
  require(trial.kept.bytes + trial.lost.bytes <= trial.all.bytes);
  uint64_t by_rule = 0;
  for (const auto& rule : trial.rules) by_rule += rule.kept.events + rule.lost.events;
  require(by_rule == trial.all.events);
  return 0;
}
