// saker audit policy: what there is for audit policies.
#include "cmd/command.h"
#include "cmd/group.h"

namespace saker::cmd {

namespace {

constexpr std::string_view kGuide =
    "An audit policy tells kube-apiserver what to log: the first rule that matches a request "
    "decides "
    "the level.\n"
    "  saker audit policy new --log update:configmaps,secrets > policy.yaml\n"
    "  saker audit policy new --preset recommended > policy.yaml\n"
    "  saker audit policy lint policy.yaml\n"
    "docs/audit.md says more.";

Invocation prepare() {
  return {.run = [] { return print_group("audit policy", kGuide); }};
}

}  // namespace

extern const Command audit_policy_descriptor;
const Command audit_policy_descriptor = {
    .path = "audit policy",
    .summary = "Make, check and try audit policies",
    .description = kGuide,
    .prepare = prepare,
};

}  // namespace saker::cmd
