// saker audit grant: the least roles that allow what somebody did.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "audit/grant.h"
#include "base/fd.h"
#include "base/strings.h"
#include "base/time.h"
#include "cmd/audit_grant.h"
#include "cmd/audit_logs.h"
#include "cmd/command.h"
#include "store/query.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> words, namespaces, rbac;
  std::string group, since, until;
  uint64_t widen_names = 8;
  bool all = false, json = false, allowed_only = false;
  audit::GrantOptions options;
};

constexpr size_t kLargestDump = size_t{256} << 20;

// Names of the control plane itself: what those may do comes with Kubernetes.
bool is_part_of_system(std::string_view user) {
  return user.starts_with("system:") && !user.starts_with("system:serviceaccount:") &&
         user != "system:anonymous" && user != "system:admin";
}

Result<audit::DeedFilter> filter_of(const Arguments& arguments) {
  audit::DeedFilter filter{.namespaces = arguments.namespaces,
                           .most_names = static_cast<size_t>(arguments.widen_names)};
  const uint64_t now = now_ns();
  if (!arguments.since.empty())
    filter.since_ns = SAKER_TRY(store::parse_time(arguments.since, now));
  if (!arguments.until.empty())
    filter.until_ns = SAKER_TRY(store::parse_time(arguments.until, now));
  return filter;
}

Result<audit::RbacObjects> read_dumps(const std::vector<std::string>& paths) {
  audit::RbacObjects objects;
  for (const std::string& path : paths) {
    const std::string text = SAKER_TRY(read_file(path == "-" ? "/dev/stdin" : path, kLargestDump));
    SAKER_CHECK(audit::read_rbac(text, path, objects));
  }
  return objects;
}

Error no_such_actor(const std::string& actor, const audit::DeedCollector& collector) {
  std::vector<std::string> others(collector.others().begin(), collector.others().end());
  std::string hint = "there is nobody else in it";
  if (const auto near = nearest(actor, others)) {
    hint = "did you mean '" + *near + "'?";
  } else if (!others.empty()) {
    constexpr size_t kMost = 8;
    const size_t shown = std::min(others.size(), kMost);
    hint = "in it are " +
           join({others.begin(), others.begin() + static_cast<ptrdiff_t>(shown)}, ", ") +
           (shown < others.size() ? " and others" : "");
  }
  return Error{.code = Code::not_found,
               .message = "'" + sanitize_utf8(actor) + "' did nothing in this log",
               .position = {},
               .hint = std::move(hint)};
}

std::vector<ActorGrant> make_grants(const Arguments& arguments,
                                    const audit::DeedCollector& collector,
                                    const audit::RbacObjects* present) {
  std::vector<ActorGrant> grants;
  std::vector<std::string> left_out;
  for (const auto& [name, deeds] : collector.actors()) {
    if (deeds.requests == 0 && deeds.allowed.empty() && deeds.refused.empty()) continue;
    if (arguments.all && is_part_of_system(name)) {
      left_out.push_back(name);
      continue;
    }
    const audit::RbacSubject subject = arguments.group.empty()
                                           ? audit::subject_of_user(name)
                                           : audit::RbacSubject{"Group", "", name};
    grants.push_back(make_actor_grant(subject, deeds, arguments.options, present));
  }
  if (!left_out.empty())
    std::fprintf(stderr,
                 "saker: left out %zu users of the control plane, as %s; name one to see it\n",
                 left_out.size(), left_out.front().c_str());
  return grants;
}

// Who has rights in the dump and does not occur in the log.
void report_idle(const audit::RbacObjects& objects, const audit::DeedCollector& collector) {
  std::set<std::string> idle;
  for (const audit::RbacBinding& binding : objects.bindings)
    for (const audit::RbacSubject& subject : binding.subjects) {
      const std::string user = audit::user_of_subject(subject);
      if (subject.kind != "Group" && !is_part_of_system(user) && !collector.actors().contains(user))
        idle.insert(user);
    }
  if (idle.empty()) return;
  std::fprintf(stderr, "saker: %zu with rights did nothing in this log:\n", idle.size());
  for (const std::string& user : idle) std::fprintf(stderr, "  %s\n", sanitize_utf8(user).c_str());
}

void print_grants(const Arguments& arguments, const std::vector<ActorGrant>& grants) {
  if (!arguments.json) {
    for (const ActorGrant& grant : grants) print(grant_yaml(grant, arguments.options));
    return;
  }
  JsonWriter json;
  json.begin_object().key("actors").begin_array();
  for (const ActorGrant& grant : grants) append_grant(grant, json);
  json.end_array().key("schema").text("saker.audit.grant.v1").end_object();
  print(json.result() + "\n");
}

Result<int> run(const Arguments& arguments) {
  if (arguments.allowed_only && arguments.options.refused)
    return Error{.message = "--allowed-only and --include-refused contradict each other"};
  std::vector<std::string> logs = arguments.words;
  audit::ActorChoice choice{.user = {}, .group = arguments.group};
  if (!arguments.all && arguments.group.empty()) {
    choice.user = logs.front();
    logs.erase(logs.begin());
  }
  if (logs.empty())
    return Error{.message = "which log?",
                 .position = {},
                 .hint = "saker audit grant ACTOR LOG…; --all and --group NAME take logs only"};
  audit::DeedCollector collector(choice, SAKER_TRY(filter_of(arguments)));
  const audit::RbacObjects present = SAKER_TRY(read_dumps(arguments.rbac));
  (void)SAKER_TRY(
      read_audit_logs(logs, [&](const audit::AuditRecord& record, const event::Event& event) {
        collector.take(record, event.timestamp);
      }));
  const bool compares = !arguments.rbac.empty();
  const std::vector<ActorGrant> grants =
      make_grants(arguments, collector, compares ? &present : nullptr);
  if (grants.empty() && !arguments.all)
    return no_such_actor(choice.group.empty() ? choice.user : choice.group, collector);
  if (compares && arguments.all) report_idle(present, collector);
  print_grants(arguments, grants);
  return grants.empty() ? kExitFailed : kExitOk;
}

std::vector<Option> options_of(Arguments& arguments) {
  return {
      {.names = "--group",
       .value_name = "NAME",
       .help = "For a group instead of ACTOR: what all of its members did",
       .text = &arguments.group},
      {.names = "--all",
       .help = "For every user and service account in the logs; no ACTOR",
       .flag = &arguments.all},
      {.names = "--rbac",
       .value_name = "FILE",
       .help = "Present roles and bindings (kubectl get … -o yaml|json): say what was never used",
       .list = &arguments.rbac},
      {.names = "--allowed-only",
       .help = "Grant what was allowed, not what was refused (this is the default)",
       .flag = &arguments.allowed_only},
      {.names = "--include-refused",
       .help = "Grant what was refused, too: for a program that was tried without rights",
       .flag = &arguments.options.refused},
      {.names = "--impersonation",
       .help = "Grant acting in the name of those whose names were used",
       .flag = &arguments.options.impersonation},
      {.names = "-n,--namespace",
       .value_name = "NAME",
       .help = "Only what was done in this namespace (repeatable)",
       .list = &arguments.namespaces},
      {.names = "--since",
       .value_name = "TIME",
       .help = "Only from this time on: 90s, 1h, 2d ago, or RFC 3339",
       .text = &arguments.since},
      {.names = "--until",
       .value_name = "TIME",
       .help = "Only before this time",
       .text = &arguments.until},
      {.names = "--widen-names",
       .value_name = "N",
       .help = "More than N different names of a kind of object become any name (8)",
       .number = &arguments.widen_names},
      {.names = "--widen-namespaces",
       .help = "What was done in several namespaces is granted in all",
       .flag = &arguments.options.widen_namespaces},
      {.names = "--expand-verbs",
       .help = "Grant what tools want along: get and list with watch, get and patch with update …",
       .flag = &arguments.options.expand_verbs},
      {.names = "--json", .help = "JSON", .flag = &arguments.json},
  };
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options = options_of(*arguments),
          .positional = {.name = "ACTOR LOG",
                         .help = "A user or service account, and audit logs (.gz and .zst too); "
                                 "- for standard input",
                         .values = &arguments->words,
                         .required = true},
          .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_grant_descriptor;
const Command audit_grant_descriptor = {
    .path = "audit grant",
    .summary = "The least roles that allow what an actor did, by an audit log",
    .description =
        "Prints the Roles, ClusterRoles and bindings that allow what a user or service account did "
        "and no more,\n"
        "ready for kubectl apply; comments say what is risky about them. What was refused is not "
        "granted unless asked for:\n"
        "a log also holds what an intruder tried.\n\n"
        "  saker audit grant system:serviceaccount:shop:cart audit.log\n"
        "  saker audit grant ana audit.log audit-*.log.gz --rbac rbac.yaml\n"
        "  saker audit grant --group developers audit.log --since 30d\n"
        "  saker audit grant --all audit.log --json",
    .prepare = prepare,
};

}  // namespace saker::cmd
