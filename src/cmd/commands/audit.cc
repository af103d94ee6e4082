// saker audit: where to begin with Kubernetes audit.
#include "cmd/command.h"
#include "cmd/group.h"

namespace saker::cmd {

namespace {

constexpr std::string_view kGuide =
    "From no audit log to who touched which Secret:\n"
    "  saker audit policy new --log update:configmaps,secrets > policy.yaml\n"
    "  saker audit policy lint policy.yaml        does kube-apiserver take it, and is it right?\n"
    "  saker audit policy explain policy.yaml --user ana --verb patch --resource secrets -n shop\n"
    "  saker audit policy test policy.yaml --log audit.log    what it keeps and what it loses\n"
    "  saker audit policy coverage policy.yaml    which detection rules it blinds\n"
    "  saker audit install --policy policy.yaml   switch auditing on at this control-plane node\n"
    "  saker audit analyze audit.log              was anyone where they don't belong?\n"
    "  saker audit grant system:serviceaccount:shop:cart audit.log    the least roles for what it "
    "did\n"
    "A policy's first matching rule decides; no rule: nothing is logged. docs/audit.md says more.";

Invocation prepare() {
  return {.run = [] { return print_group("audit", kGuide); }};
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
