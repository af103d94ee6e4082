// saker audit policy new: an audit policy from goals.
#include <cstdio>
#include <memory>

#include "audit/policy_lint.h"
#include "audit/policy_new.h"
#include "base/strings.h"
#include "cmd/audit_policy.h"
#include "cmd/command.h"

namespace saker::cmd {

namespace {

std::vector<std::string> split_lists(const std::vector<std::string>& lists) {
  std::vector<std::string> out;
  for (const std::string& list : lists)
    for (std::string_view part : split(list, ','))
      if (!trim(part).empty()) out.emplace_back(trim(part));
  return out;
}

std::string command_text(const audit::PolicyGoals& goals) {
  std::string out = "saker audit policy new";
  for (const std::string& goal : goals.log) out += " --log " + goal;
  if (!goals.preset.empty()) out += " --preset " + goals.preset;
  if (!goals.never.empty()) out += " --never " + join(goals.never, ",");
  for (const std::string& name : goals.namespaces) out += " -n " + name;
  for (const std::string& user : goals.users) out += " --user " + user;
  for (const std::string& group : goals.user_groups) out += " --group " + group;
  if (goals.exact_verbs) out += " --exact-verbs";
  if (goals.allow_secret_bodies) out += " --allow-secret-bodies";
  if (goals.unauthenticated) out += " --unauthenticated";
  return out;
}

Result<int> run(audit::PolicyGoals goals) {
  goals.never = split_lists(goals.never);
  goals.namespaces = split_lists(goals.namespaces);
  const audit::PolicyDraft draft = SAKER_TRY(audit::draft_policy(goals));
  const std::string text = audit::write_policy(draft, command_text(goals));
  const audit::PolicyFile file = audit::load_policy(text, "policy");
  // Goals with odd words (a group that is none, namespaces for what lies in none) make a policy
  // that the server refuses, or that has no effect.
  for (const audit::PolicyProblem& problem : audit::lint_policy(file))
    if (problem.severity != audit::PolicyProblem::Severity::note)
      std::fputs(to_text(file, problem).c_str(), stderr);
  if (file.verdict() != audit::Verdict::accept)
    return Error{.message = "kube-apiserver would refuse the policy that these goals make"};
  for (const std::string& warning : draft.warnings)
    std::fprintf(stderr, "saker: warning: %s\n", warning.c_str());
  print(text);
  return kExitOk;
}

Invocation prepare() {
  auto goals = std::make_shared<audit::PolicyGoals>();
  return {
      .options = {{.names = "--log",
                   .value_name = "VERBS:RESOURCES[@NAMESPACES][=LEVEL]",
                   .help = "What to log (repeatable); level None, Metadata (default), Request, "
                           "RequestResponse",
                   .list = &goals->log},
                  {.names = "--preset",
                   .value_name = "NAME",
                   .help = "minimal, recommended, forensic or cis, behind what --log asks for",
                   .text = &goals->preset},
                  {.names = "--never",
                   .value_name = "NAMES",
                   .help = "What to leave out: health, discovery, metrics, leases, events, nodes, "
                           "endpoints, reviews, watches, or resources",
                   .list = &goals->never},
                  {.names = "-n,--namespace",
                   .value_name = "NAMESPACE",
                   .help = "Only there (repeatable), for each --log without @",
                   .list = &goals->namespaces},
                  {.names = "--user",
                   .value_name = "NAME",
                   .help = "Only what this user does (repeatable)",
                   .list = &goals->users},
                  {.names = "--group",
                   .value_name = "GROUP",
                   .help = "Only what users of this group do (repeatable)",
                   .list = &goals->user_groups},
                  {.names = "--exact-verbs",
                   .help = "update is not patch, too, nor delete deletecollection",
                   .flag = &goals->exact_verbs},
                  {.names = "--allow-secret-bodies",
                   .help = "Let bodies of secrets and tokens into the log",
                   .flag = &goals->allow_secret_bodies},
                  {.names = "--unauthenticated",
                   .help = "Log failed authentications and anonymous requests on anything",
                   .flag = &goals->unauthenticated}},
      .run = [goals] { return run(*goals); }};
}

}  // namespace

extern const Command audit_policy_new_descriptor;
const Command audit_policy_new_descriptor = {
    .path = "audit policy new",
    .summary = "Make an audit policy from what you want to know",
    .description =
        "Writes a commented policy, in an order in which no rule takes another's requests away:\n"
        "  saker audit policy new --log update:configmaps,secrets > policy.yaml\n"
        "  saker audit policy new --log write:deployments,pods@shop=Request --preset minimal\n"
        "  saker audit policy new --preset recommended --never reviews\n"
        "Verbs: those of requests, or read, write, *. Resources: secrets, pods/exec, "
        "deployments.apps, *.batch, *.\n"
        "update takes patch along, and delete deletecollection (--exact-verbs: not). Bodies of "
        "secrets and tokens are\n"
        "never logged unless --allow-secret-bodies is given.",
    .prepare = prepare,
};

}  // namespace saker::cmd
