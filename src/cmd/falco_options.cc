#include "cmd/falco_options.h"

#include <algorithm>
#include <cstdio>

#include "agent/replay.h"
#include "base/strings.h"
#include "cmd/rules.h"

namespace saker::cmd {

namespace {

// Options without a counterpart. `value_name` empty: a switch.
struct Refused {
  std::string_view names, value_name, instead;
};

constexpr Refused kRefused[] = {
    {"-w", "FILE", "use: saker record -o FILE"},
    {"-s,--stats-interval-file", "FILE", "use: --stats-json FILE, or /metrics"},
    {"-d,--daemon", "", "use: the systemd unit deploy/saker.service"},
    {"-P,--pidfile", "FILE", "systemd and `saker run & echo $!` know the process id"},
    {"-b,--print-base64", "", "byte buffers are shown as text"},
    {"-k,--k8s-api", "URL", "pods come from the container runtime; see containers.sockets"},
    {"-K,--k8s-api-cert", "FILE", "pods come from the container runtime; see containers.sockets"},
    {"-g,--gvisor-config", "FILE", "gVisor is not supported"},
    {"-i", "", "use: saker events; what is watched follows from the rules (saker run --dry-run)"},
    {"-N", "", "use: saker fields --json"},
    {"--markdown", "", "use: saker fields --markdown"},
    {"--list-plugins", "", "there are no plugins; containers and Kubernetes are built in"},
    {"--plugin-info", "NAME", "there are no plugins; containers and Kubernetes are built in"},
    {"--list-syscall-events", "", "use: saker events"},
    {"--support", "", "use: saker doctor"},
    {"--page-size", "", "use: getconf PAGESIZE"},
    {"--config-schema", "", "use: saker docs config"},
    {"--rule-schema", "", "docs/rules.md has the keys of rules"},
    {"--version", "", "use: saker --version"},
};
static_assert(std::size(kRefused) <= FalcoArguments::kMostRefused);

Result<int> replay_captures(const FalcoArguments& arguments, const agent::RuleFileOptions& rules,
                            bool first_rule_only, bool json) {
  std::string warnings;
  agent::ReplayOptions options{
      .files = arguments.captures,
      .rules = SAKER_TRY(agent::load_rule_files(rules, warnings)),
      .matching = first_rule_only ? rules::Matching::first : rules::Matching::all,
      .json = json};
  std::fputs(warnings.c_str(), stderr);
  agent::ReplaySummary summary;
  Status status = agent::replay(std::move(options), summary);
  std::fputs(agent::to_text(summary).c_str(), stderr);
  if (!status.ok()) return std::move(status).error();
  return kExitOk;
}

}  // namespace

std::vector<Option> falco_options(FalcoArguments& arguments) {
  std::vector<Option> options = {
      {.names = "-V,--validate",
       .value_name = "FILE",
       .help = "As saker rules check FILE (repeatable)",
       .list = &arguments.validate},
      {.names = "-e",
       .value_name = "FILE",
       .help = "As saker replay FILE (repeatable)",
       .list = &arguments.captures},
      {.names = "-D",
       .value_name = "TEXT",
       .help = "Disable rules with this in their name (repeatable)",
       .list = &arguments.disable},
      {.names = "-T",
       .value_name = "TAG",
       .help = "Disable rules with this tag (repeatable)",
       .list = &arguments.without_tags},
      {.names = "-t",
       .value_name = "TAG",
       .help = "Only rules with this tag (repeatable)",
       .list = &arguments.with_tags},
      {.names = "-L", .help = "As saker rules list", .flag = &arguments.list_rules},
      {.names = "-l",
       .value_name = "RULE",
       .help = "As saker rules explain RULE",
       .text = &arguments.explain},
      {.names = "--list",
       .help = "As saker fields; --list=SOURCE for one source",
       .text = &arguments.list_fields},
      {.names = "--list-events", .help = "As saker events", .flag = &arguments.list_events},
      {.names = "--enable-source",
       .value_name = "SOURCE",
       .help = "Only events of this source: syscall, k8s_audit (repeatable)",
       .list = &arguments.enable_sources},
      {.names = "--disable-source",
       .value_name = "SOURCE",
       .help = "No events of this source (repeatable)",
       .list = &arguments.disable_sources},
      {.names = "--cri",
       .value_name = "SOCKET",
       .help = "As -o containers.sockets[]=SOCKET (repeatable)",
       .list = &arguments.runtime_sockets},
      {.names = "-S,--snaplen",
       .value_name = "N",
       .help = "As -o live.snaplen=N",
       .text = &arguments.snaplen},
      {.names = "-A,-U,--unbuffered,-v,--verbose,--disable-cri-async",
       .help = "Taken for compatibility; no effect",
       .flag = &arguments.nothing},
  };
  for (size_t i = 0; i < std::size(kRefused); ++i) {
    const Refused& refused = kRefused[i];
    options.push_back({.names = refused.names, .value_name = refused.value_name, .help = ""});
    if (refused.value_name.empty()) {
      options.back().flag = &arguments.refused_flags[i];
    } else {
      options.back().text = &arguments.refused_values[i];
    }
  }
  return options;
}

Status check_refused(const FalcoArguments& arguments) {
  for (size_t i = 0; i < std::size(kRefused); ++i) {
    if (!arguments.refused_flags[i] && arguments.refused_values[i].empty()) continue;
    return Error{.code = Code::unsupported,
                 .message = std::string(kRefused[i].names) + " has no counterpart here",
                 .hint = std::string(kRefused[i].instead)};
  }
  return {};
}

Result<bool> wants_source(const FalcoArguments& arguments, std::string_view source) {
  for (const auto* list : {&arguments.enable_sources, &arguments.disable_sources})
    for (const std::string& name : *list)
      if (name != "syscall" && name != "k8s_audit")
        return Error{.message = "there is no source '" + name + "'",
                     .hint = "sources are syscall and k8s_audit"};
  const auto names = [&](const std::vector<std::string>& list) {
    return std::ranges::find(list, source) != list.end();
  };
  return !names(arguments.disable_sources) &&
         (arguments.enable_sources.empty() || names(arguments.enable_sources));
}

std::vector<std::string> falco_overrides(const FalcoArguments& arguments) {
  std::vector<std::string> overrides;
  for (const std::string& socket : arguments.runtime_sockets)
    overrides.push_back("containers.sockets[]=" + socket);
  if (!arguments.snaplen.empty()) overrides.push_back("live.snaplen=" + arguments.snaplen);
  return overrides;
}

void add_selections(const FalcoArguments& arguments, std::vector<rules::Selection>& selections) {
  if (!arguments.with_tags.empty()) selections.push_back({.enable = false, .rule_glob = "*"});
  for (const std::string& tag : arguments.with_tags)
    selections.push_back({.enable = true, .tag = tag});
  for (const std::string& text : arguments.disable)
    selections.push_back({.enable = false, .rule_glob = "*" + text + "*"});
  for (const std::string& tag : arguments.without_tags)
    selections.push_back({.enable = false, .tag = tag});
}

std::optional<Result<int>> act_instead(const FalcoArguments& arguments,
                                       const agent::RuleFileOptions& rules, bool first_rule_only,
                                       bool json) {
  if (!arguments.validate.empty()) return rules_check(arguments.validate, json);
  if (arguments.list_rules) return rules_list(rules.paths, {.json = json});
  if (!arguments.explain.empty()) return rules_explain(rules.paths, arguments.explain, json);
  if (!arguments.list_fields.empty()) {
    const bool all = arguments.list_fields == "true";  // no source was given
    return fields_list({.source = all ? "" : arguments.list_fields, .json = json});
  }
  if (arguments.list_events) return events_list(json, false);
  if (!arguments.captures.empty()) return replay_captures(arguments, rules, first_rule_only, json);
  return {};
}

}  // namespace saker::cmd
