// saker run: watch this machine.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>

#include "agent/config.h"
#include "agent/outputs.h"
#include "agent/watch.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strings.h"
#include "capture/bpf/plan.h"
#include "cmd/command.h"
#include "cmd/falco_options.h"
#include "fields/catalog.h"

namespace saker::cmd {

namespace {

struct Arguments {
  FalcoArguments falco;
  std::vector<std::string> config, options, rules, audit_logs;
  std::string data_dir, listen, priority, matching, stats_json, file, extra_output;
  struct {
    std::string listen, certificate, key, client_ca, token;
  } webhook;
  uint64_t duration = 0;
  bool json = false, no_store = false, no_server = false, dry_run = false, quiet = false,
       verify = false, no_push_down = false, keep_privileges = false;
};

// Flags are short for configuration keys, and win over the files.
std::vector<std::string> overrides_of(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.options;
  for (std::string& more : falco_overrides(arguments.falco)) overrides.push_back(std::move(more));
  const auto set = [&](bool given, const std::string& text) {
    if (given) overrides.push_back(text);
  };
  set(!arguments.data_dir.empty(), "data_dir=" + arguments.data_dir);
  set(!arguments.listen.empty(), "server.listen=" + arguments.listen);
  set(!arguments.priority.empty(), "priority=" + arguments.priority);
  set(!arguments.matching.empty(), "rule_matching=" + arguments.matching);
  set(!arguments.file.empty(), "file_output.enabled=true");
  set(!arguments.file.empty(), "file_output.filename=" + arguments.file);
  const auto& webhook = arguments.webhook;
  set(!webhook.listen.empty(), "audit.webhook.listen=" + webhook.listen);
  set(!webhook.certificate.empty(), "audit.webhook.certificate_file=" + webhook.certificate);
  set(!webhook.key.empty(), "audit.webhook.key_file=" + webhook.key);
  set(!webhook.client_ca.empty(), "audit.webhook.client_ca_file=" + webhook.client_ca);
  set(!webhook.token.empty(), "audit.webhook.token_file=" + webhook.token);
  for (const std::string& log : arguments.audit_logs) set(true, "audit.log_files[]=" + log);
  set(arguments.json, "json_output=true");
  set(arguments.no_store, "store.enabled=false");
  set(arguments.no_server, "server.enabled=false");
  set(arguments.no_push_down, "live.push_down=false");
  set(arguments.keep_privileges, "drop_privileges=false");
  return overrides;
}

// The configuration, and the files that it came from.
Result<agent::LoadedConfig> load_configuration(const Arguments& arguments) {
  const std::vector<std::string> files =
      arguments.config.empty() ? agent::default_config_files() : arguments.config;
  agent::LoadedConfig loaded = agent::load_config(files, overrides_of(arguments));
  std::string errors;
  for (const agent::ConfigProblem& problem : loaded.errors) errors += problem.to_text() + "\n";
  if (!loaded.ok())
    return Error{.code = Code::invalid, .message = "the configuration has errors\n" + errors};
  if (!arguments.rules.empty()) loaded.config.rules_files = arguments.rules;
  if (loaded.config.rules_files.empty())
    loaded.config.rules_files = {agent::default_rules_folder()};
  return loaded;
}

void tell_remarks(const agent::LoadedConfig& loaded) {
  for (const agent::ConfigProblem& problem : loaded.warnings)
    std::fprintf(stderr, "%s\n", problem.to_text().c_str());
  for (const agent::ConfigProblem& problem : loaded.ignored)
    std::fprintf(stderr, "%s\n", problem.to_text().c_str());
}

std::vector<rules::OutputAddition> additions_of(const agent::Config& config) {
  std::vector<rules::OutputAddition> additions;
  additions.reserve(config.append_output.size());
  for (const agent::AppendOutput& append : config.append_output)
    additions.push_back({.source = append.source,
                         .rule = append.rule,
                         .tags = append.tags,
                         .extra_output = append.extra_output,
                         .extra_fields = append.extra_fields});
  return additions;
}

std::string machine_name() {
  if (const char* given = ::getenv("FALCO_HOSTNAME"); given != nullptr) return given;
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

agent::Policy policy_of(agent::LoadedConfig loaded, const Arguments& arguments) {
  agent::Config& config = loaded.config;
  agent::Policy policy;
  add_selections(arguments.falco, config.rules);
  policy.rules = {.paths = config.rules_files,
                  .minimum_priority = config.priority,
                  .selections = config.rules,
                  .additions = additions_of(config),
                  .extra_output = arguments.extra_output,
                  .suggested_output = config.suggested_output};
  if (config.rule_matching == "first") policy.matching = rules::Matching::first;
  policy.hostname = config.hostname.empty() ? machine_name() : config.hostname;
  policy.config_files = std::move(loaded.files);
  policy.config = std::move(config);
  return policy;
}

agent::WatchOptions watch_options(agent::Policy policy, const Arguments& arguments) {
  const agent::Config& config = policy.config;
  agent::WatchOptions options;
  options.live = {.file_ring_bytes = config.live.ring_size,
                  .process_ring_bytes = config.live.process_ring_size,
                  .snaplen = static_cast<uint32_t>(config.live.snaplen),
                  .drop_failed = config.live.drop_failed,
                  .push_down = config.live.push_down};
  options.duration_seconds = arguments.duration;
  options.keep_privileges = !config.drop_privileges;
  options.verify = arguments.verify;
  options.container_metadata = config.containers.enabled;
  options.container_cache = config.containers.cache_size;
  if (!config.containers.sockets.empty())
    options.runtimes.runtime_sockets = config.containers.sockets;
  options.policy = std::move(policy);
  options.load_policy = [&arguments]() -> Result<agent::Policy> {
    return policy_of(SAKER_TRY(load_configuration(arguments)), arguments);
  };
  return options;
}

size_t count_rules(const rules::RuleSet& set, std::string_view source) {
  return static_cast<size_t>(std::ranges::count_if(
      set.rules, [&](const rules::Rule& rule) { return rule.enabled && rule.source == source; }));
}

// What the rules ask of the kernel, without watching.
Result<int> dry_run(const agent::WatchOptions& options) {
  std::string warnings;
  rules::RuleSet set = SAKER_TRY(agent::load_rule_files(options.policy.rules, warnings));
  const size_t count = count_rules(set, "syscall");
  const rules::Engine engine(std::move(set), options.policy.matching);
  const capture::CapturePlan plan = capture::make_plan(engine.demand());
  std::printf("%zu rules. System calls that the kernel would send, with what it tests:\n", count);
  for (const std::string& line : capture::explain(plan, engine.demand()))
    std::printf("  %s\n", line.c_str());
  return kExitOk;
}

void announce(const rules::Engine& engine, const agent::WatchStats& stats, bool kernel,
              const agent::AuditSources* audit) {
  std::string text = "watching";
  if (kernel) text += " with " + std::to_string(count_rules(engine.rules(), "syscall")) + " rules";
  if (audit != nullptr)
    text += std::string(kernel ? ", and " : " ") + "audit events of " + join(audit->names(), ", ") +
            " with " + std::to_string(count_rules(engine.rules(), "k8s_audit")) + " rules";
  log::info(text + ", after " + std::to_string(stats.start_seconds).substr(0, 5) +
            " s; Ctrl-C ends");
}

// Which sources are wanted; the audit sources of the configuration go when theirs is not.
Result<bool> choose_sources(const FalcoArguments& arguments, agent::Config& config) {
  if (!SAKER_TRY(wants_source(arguments, "k8s_audit"))) {
    config.audit.webhook.listen.clear();
    config.audit.log_files.clear();
  }
  const bool kernel = SAKER_TRY(wants_source(arguments, "syscall"));
  if (kernel || config.audit.wanted()) return kernel;
  return Error{.code = Code::invalid,
               .message = "there is nothing to watch",
               .hint = "audit events come from --audit-webhook ADDR and --audit-log FILE"};
}

Result<int> run_watch(const Arguments& arguments) {
  SAKER_CHECK(check_refused(arguments.falco));
  agent::LoadedConfig loaded = SAKER_TRY(load_configuration(arguments));
  log::set_default_level(loaded.config.log_level);
  if (!arguments.quiet) tell_remarks(loaded);
  const bool kernel = SAKER_TRY(choose_sources(arguments.falco, loaded.config));
  fields::set_static_fields(loaded.config.static_fields);
  const agent::Config config = loaded.config;
  agent::WatchOptions options = watch_options(policy_of(std::move(loaded), arguments), arguments);
  if (auto done =
          act_instead(arguments.falco, options.policy.rules,
                      options.policy.matching == rules::Matching::first, config.json_output))
    return std::move(*done);
  if (arguments.dry_run) return dry_run(options);
  options.kernel = kernel;
  if (kernel) SAKER_CHECK(capture::check_live());  // before any file is made
  agent::Outputs outputs(config, arguments.json);
  SAKER_CHECK(outputs.open());
  UniqueFd stats_file;  // opened while privileges allow it
  if (!arguments.stats_json.empty())
    stats_file = SAKER_TRY(open_file(arguments.stats_json, O_WRONLY | O_CREAT | O_TRUNC));
  agent::WatchStats stats;
  Status status = agent::watch(std::move(options), outputs.for_watch(), outputs.metrics, stats,
                               [&](const rules::Engine& engine) {
                                 outputs.serve();
                                 if (!arguments.quiet)
                                   announce(engine, stats, kernel, outputs.for_watch().audit);
                               });
  outputs.close();
  if (stats_file.valid()) SAKER_CHECK(write_all(stats_file.get(), agent::to_json(stats)));
  if (!status.ok()) return std::move(status).error();
  if (!arguments.quiet) std::fputs(agent::to_text(stats).c_str(), stderr);
  return stats.disagreements == 0 ? kExitOk : kExitFailed;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  Invocation invocation = {
      .options =
          {
              {.names = "-c,--config",
               .value_name = "FILE",
               .help = "Configuration file (repeatable; /etc/saker/saker.yaml). A falco.yaml "
                       "is understood",
               .list = &arguments->config},
              {.names = "-o,--option",
               .value_name = "KEY=VALUE",
               .help = "One configuration key, as store.max_size=1GiB (repeatable)",
               .list = &arguments->options},
              {.names = "-r,--rules",
               .value_name = "FILE",
               .help = "Rule file or folder (repeatable); none: Saker's own rules",
               .list = &arguments->rules},
              {.names = "--json", .help = "Alerts as JSON lines", .flag = &arguments->json},
              {.names = "-M,--duration",
               .value_name = "SECONDS",
               .help = "Stop after this time",
               .number = &arguments->duration},
              {.names = "--priority",
               .value_name = "LEVEL",
               .help = "Load only rules at least this severe",
               .text = &arguments->priority},
              {.names = "--rule-matching",
               .value_name = "all|first",
               .help = "Alert for all rules that match (default) or only the first",
               .text = &arguments->matching},
              {.names = "-p,--print",
               .value_name = "TEXT",
               .help = "Append this to every rule's output",
               .text = &arguments->extra_output},
              {.names = "--file",
               .value_name = "FILE",
               .help = "Write the alerts to this file too",
               .text = &arguments->file},
              {.names = "--data-dir",
               .value_name = "DIR",
               .help = "Where the alerts are kept (/var/lib/saker)",
               .text = &arguments->data_dir},
              {.names = "--no-store", .help = "Keep no alerts", .flag = &arguments->no_store},
              {.names = "--audit-webhook",
               .value_name = "ADDR:PORT",
               .help = "Take kube-apiserver's audit events there (saker audit webhook-config has "
                       "the server's side)",
               .text = &arguments->webhook.listen},
              {.names = "--audit-webhook-cert",
               .value_name = "FILE",
               .help = "TLS certificate (PEM) of the webhook",
               .text = &arguments->webhook.certificate},
              {.names = "--audit-webhook-key",
               .value_name = "FILE",
               .help = "Its key (PEM)",
               .text = &arguments->webhook.key},
              {.names = "--audit-webhook-client-ca",
               .value_name = "FILE",
               .help = "Authority (PEM) that signs the server's client certificate",
               .text = &arguments->webhook.client_ca},
              {.names = "--audit-webhook-token",
               .value_name = "FILE",
               .help = "File with the bearer token that the server must bring",
               .text = &arguments->webhook.token},
              {.names = "--audit-log,--follow",
               .value_name = "FILE",
               .help = "Follow this audit log, over rotation and restarts (repeatable)",
               .list = &arguments->audit_logs},
              {.names = "--listen",
               .value_name = "ADDR:PORT",
               .help = "Health, metrics and alerts over HTTP (127.0.0.1:8765)",
               .text = &arguments->listen},
              {.names = "--no-server", .help = "No HTTP", .flag = &arguments->no_server},
              {.names = "--dry-run",
               .help = "Only say what the rules ask of the kernel",
               .flag = &arguments->dry_run},
              {.names = "--stats-json",
               .value_name = "FILE",
               .help = "Write counters there at the end",
               .text = &arguments->stats_json},
              {.names = "--no-push-down",
               .help = "Test no arguments in the kernel",
               .flag = &arguments->no_push_down},
              {.names = "--verify",
               .help = "Check the fast evaluator against the plain one on every event",
               .flag = &arguments->verify},
              {.names = "--keep-privileges",
               .help = "Drop no capabilities once the probes are attached",
               .flag = &arguments->keep_privileges},
              {.names = "-q,--quiet",
               .help = "Nothing on stderr but errors",
               .flag = &arguments->quiet},
          },
      .run = [arguments] { return run_watch(*arguments); }};
  std::vector<Option> falco = falco_options(arguments->falco);
  std::ranges::move(falco, std::back_inserter(invocation.options));
  return invocation;
}

}  // namespace

extern const Command run_descriptor;
const Command run_descriptor = {
    .path = "run",
    .summary = "Watch this machine: alerts on the screen and in the store",
    .description =
        "Watches the kernel's events live and judges them by rules; needs root. Audit events of\n"
        "Kubernetes come beside them, or alone with --disable-source syscall.\n\n"
        "  saker run                          Saker's own rules\n"
        "  saker run -r rules.yaml --json     other rules, JSON lines\n"
        "  saker run --dry-run                what the rules cost\n"
        "  saker run --audit-webhook 127.0.0.1:9443 --audit-webhook-cert cert.pem \\\n"
        "    --audit-webhook-key key.pem      a cluster's audit events, too",
    .prepare = prepare,
};

}  // namespace saker::cmd
