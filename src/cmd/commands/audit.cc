// saker audit: where to begin with Kubernetes audit.
#include "cmd/command.h"
#include "cmd/listing.h"

namespace saker::cmd {

namespace {

constexpr std::string_view kGuide =
    "From no audit log to who touched which Secret:\n"
    "  saker audit policy new --log update:configmaps,secrets > policy.yaml\n"
    "  saker audit policy lint policy.yaml        does kube-apiserver take it, and is it right?\n"
    "  saker audit policy explain policy.yaml --user ana --verb patch --resource secrets -n shop\n"
    "  saker audit policy test policy.yaml --log audit.log    what it keeps and what it loses\n"
    "  saker audit policy coverage policy.yaml    which detection rules it blinds\n"
    "A policy's first matching rule decides; no rule: nothing is logged. docs/audit.md says more.";

Result<int> run() {
  Table table({"COMMAND", "WHAT IT DOES"});
  for (const Command* command : all_commands())
    if (command->path.starts_with("audit "))
      table.add({"saker " + std::string(command->path), std::string(command->summary)});
  print(table.to_text() + "\n" + std::string(kGuide) + "\n");
  return kExitOk;
}

Invocation prepare() {
  return {.run = run};
}

}  // namespace

extern const Command audit_descriptor;
const Command audit_descriptor = {
    .path = "audit",
    .summary = "Kubernetes audit: policies, logs, what to do first",
    .description = kGuide,
    .prepare = prepare,
};

}  // namespace saker::cmd
