// saker run: watch this machine.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>

#include "agent/watch.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strings.h"
#include "capture/bpf/plan.h"
#include "cmd/command.h"
#include "server/collectors.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> rules;
  std::string data_dir, listen = "127.0.0.1:8765", priority = "debug", matching = "all", stats_json,
                        file, extra_output;
  uint64_t duration = 0;
  bool json = false, no_store = false, no_server = false, dry_run = false, quiet = false,
       verify = false, no_push_down = false, keep_privileges = false;
};

std::string data_folder(const Arguments& arguments) {
  if (!arguments.data_dir.empty()) return arguments.data_dir;
  if (const char* given = ::getenv("SAKER_DATA_DIR"); given != nullptr) return given;
  return "/var/lib/saker";
}

Result<agent::WatchOptions> watch_options(const Arguments& arguments) {
  agent::WatchOptions options;
  options.rules.paths = arguments.rules;
  if (options.rules.paths.empty()) options.rules.paths = {agent::default_rules_folder()};
  const std::optional<finding::Severity> priority = finding::parse_severity(arguments.priority);
  if (!priority) return Error{.message = "'" + arguments.priority + "' is no priority"};
  options.rules.minimum_priority = *priority;
  options.rules.extra_output = arguments.extra_output;
  if (arguments.matching == "first") options.matching = rules::Matching::first;
  options.live.push_down = !arguments.no_push_down;
  options.duration_seconds = arguments.duration;
  options.verify = arguments.verify;
  options.keep_privileges = arguments.keep_privileges;
  return options;
}

// What the rules ask of the kernel, without watching.
Result<int> dry_run(const agent::WatchOptions& options) {
  std::string warnings;
  rules::RuleSet set = SAKER_TRY(agent::load_rule_files(options.rules, warnings));
  const size_t count = set.rules.size();
  const rules::Engine engine(std::move(set), options.matching);
  const capture::CapturePlan plan = capture::make_plan(engine.demand());
  std::printf("%zu rules. System calls that the kernel would send, with what it tests:\n", count);
  for (const std::string& line : capture::explain(plan, engine.demand()))
    std::printf("  %s\n", line.c_str());
  return kExitOk;
}

Status add_sinks(output::Dispatcher& dispatcher, const Arguments& arguments) {
  const output::SinkInfo* terminal = output::find_sink("stdout");
  output::SinkSettings settings = output::default_settings(*terminal);
  settings.prefer_json = arguments.json;
  if (arguments.json) settings.values["format"] = "json";
  SAKER_CHECK(dispatcher.add(*terminal, settings));
  if (arguments.file.empty()) return {};
  const output::SinkInfo* file = output::find_sink("file");
  output::SinkSettings file_settings = output::default_settings(*file);
  file_settings.values["path"] = arguments.file;
  return dispatcher.add(*file, file_settings);
}

void announce(const Arguments& arguments, const rules::Engine& engine,
              const agent::WatchStats& stats) {
  if (arguments.quiet) return;
  size_t enabled = 0;
  for (const rules::Rule& rule : engine.rules().rules) enabled += rule.enabled ? 1 : 0;
  log::info("watching with " + std::to_string(enabled) + " rules after " +
            std::to_string(stats.start_seconds).substr(0, 5) + " s; Ctrl-C ends");
}

Result<int> run_watch(const Arguments& arguments) {
  agent::WatchOptions options = SAKER_TRY(watch_options(arguments));
  if (arguments.dry_run) return dry_run(options);

  output::Dispatcher dispatcher({});
  SAKER_CHECK(add_sinks(dispatcher, arguments));
  std::unique_ptr<store::Writer> store;
  const std::string store_path = data_folder(arguments) + "/alerts.db";
  if (!arguments.no_store) {
    std::error_code failed;
    std::filesystem::create_directories(data_folder(arguments), failed);
    if (!failed) ::chmod(data_folder(arguments).c_str(), 0700);
    store = SAKER_TRY(store::Writer::open({.path = store_path}));
  }
  server::EventStream stream(64, 1024);
  agent::WatchMetrics metrics;
  const server::ProcessMetrics process;
  const server::OutputMetrics output_metrics(dispatcher);
  const server::StreamMetrics stream_metrics(stream);
  std::optional<server::StoreMetrics> store_metrics;
  std::vector<const server::MetricsSource*> sources = {&metrics, &process, &output_metrics,
                                                       &stream_metrics};
  if (store) sources.push_back(&store_metrics.emplace(*store));
  std::unique_ptr<server::Server> server;
  agent::WatchStats stats;
  Status status = agent::watch(
      std::move(options), {.dispatcher = &dispatcher, .store = store.get(), .stream = &stream},
      metrics, stats, [&](const rules::Engine& engine) {
        if (!arguments.no_server) {
          Result<std::unique_ptr<server::Server>> opened = server::Server::open(
              {.http = {.listen = arguments.listen}, .store_path = store ? store_path : ""}, stream,
              sources);
          if (opened.ok()) {
            server = std::move(*opened);
          } else {
            log::warning("no HTTP: " + opened.error().to_text());
          }
        }
        announce(arguments, engine, stats);
      });
  server.reset();
  dispatcher.stop(std::chrono::seconds(5));
  if (store) store->stop();
  if (!arguments.stats_json.empty())
    SAKER_CHECK(replace_file(arguments.stats_json, agent::to_json(stats)));
  if (!status.ok()) return std::move(status).error();
  if (!arguments.quiet) std::fputs(agent::to_text(stats).c_str(), stderr);
  return stats.disagreements == 0 ? kExitOk : kExitFailed;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options =
              {
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
}

}  // namespace

extern const Command run_descriptor;
const Command run_descriptor = {
    .path = "run",
    .summary = "Watch this machine: alerts on the screen and in the store",
    .description =
        "Watches the kernel's events live and judges them by rules. Needs root.\n\n"
        "  saker run                          Saker's own rules\n"
        "  saker run -r rules.yaml --json     other rules, JSON lines\n"
        "  saker run --dry-run                what the rules cost",
    .prepare = prepare,
};

}  // namespace saker::cmd
