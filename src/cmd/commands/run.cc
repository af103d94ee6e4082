// saker run: watch this machine.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "agent/config.h"
#include "agent/watch.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strings.h"
#include "capture/bpf/plan.h"
#include "cmd/command.h"
#include "fields/catalog.h"
#include "server/collectors.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> config, options, rules;
  std::string data_dir, listen, priority, matching, stats_json, file, extra_output;
  uint64_t duration = 0;
  bool json = false, no_store = false, no_server = false, dry_run = false, quiet = false,
       verify = false, no_push_down = false, keep_privileges = false;
};

// Flags are short for configuration keys, and win over the files.
std::vector<std::string> overrides_of(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.options;
  const auto set = [&](bool given, const std::string& text) {
    if (given) overrides.push_back(text);
  };
  set(!arguments.data_dir.empty(), "data_dir=" + arguments.data_dir);
  set(!arguments.listen.empty(), "server.listen=" + arguments.listen);
  set(!arguments.priority.empty(), "priority=" + arguments.priority);
  set(!arguments.matching.empty(), "rule_matching=" + arguments.matching);
  set(!arguments.file.empty(), "file_output.enabled=true");
  set(!arguments.file.empty(), "file_output.filename=" + arguments.file);
  set(arguments.json, "json_output=true");
  set(arguments.no_store, "store.enabled=false");
  set(arguments.no_server, "server.enabled=false");
  set(arguments.no_push_down, "live.push_down=false");
  set(arguments.keep_privileges, "drop_privileges=false");
  return overrides;
}

Result<agent::Config> load_configuration(const Arguments& arguments) {
  const std::vector<std::string> files =
      arguments.config.empty() ? agent::default_config_files() : arguments.config;
  agent::LoadedConfig loaded = agent::load_config(files, overrides_of(arguments));
  std::string errors;
  for (const agent::ConfigProblem& problem : loaded.errors) errors += problem.to_text();
  if (!loaded.ok())
    return Error{.code = Code::invalid, .message = "the configuration has errors\n" + errors};
  if (!arguments.quiet) {
    for (const agent::ConfigProblem& problem : loaded.warnings)
      std::fputs(problem.to_text().c_str(), stderr);
    for (const agent::ConfigProblem& problem : loaded.ignored)
      std::fputs(problem.to_text().c_str(), stderr);
  }
  if (!arguments.rules.empty()) loaded.config.rules_files = arguments.rules;
  if (loaded.config.rules_files.empty())
    loaded.config.rules_files = {agent::default_rules_folder()};
  log::set_level(loaded.config.log_level);
  return std::move(loaded.config);
}

std::vector<rules::OutputAddition> additions_of(const agent::Config& config) {
  std::vector<rules::OutputAddition> additions;
  for (const agent::AppendOutput& append : config.append_output)
    additions.push_back({.source = append.source,
                         .rule = append.rule,
                         .tags = append.tags,
                         .extra_output = append.extra_output,
                         .extra_fields = append.extra_fields});
  return additions;
}

agent::WatchOptions watch_options(const agent::Config& config, const Arguments& arguments) {
  agent::WatchOptions options;
  options.rules = {.paths = config.rules_files,
                   .minimum_priority = config.priority,
                   .selections = config.rules,
                   .additions = additions_of(config),
                   .extra_output = arguments.extra_output};
  if (config.rule_matching == "first") options.matching = rules::Matching::first;
  options.watch_files = config.watch_config_files;
  options.live = {.file_ring_bytes = config.live.ring_size,
                  .process_ring_bytes = config.live.process_ring_size,
                  .snaplen = static_cast<uint32_t>(config.live.snaplen),
                  .drop_failed = config.live.drop_failed,
                  .push_down = config.live.push_down};
  options.hostname = config.hostname;
  options.duration_seconds = arguments.duration;
  options.keep_privileges = !config.drop_privileges;
  options.verify = arguments.verify;
  options.container_metadata = config.containers.enabled;
  options.container_cache = config.containers.cache_size;
  if (!config.containers.sockets.empty())
    options.runtimes.runtime_sockets = config.containers.sockets;
  options.metadata_wait_ms = static_cast<uint64_t>(config.containers.metadata_wait.count());
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

std::string data_folder(const agent::Config& config) {
  if (!config.data_dir.empty()) return config.data_dir;
  if (const char* given = ::getenv("SAKER_DATA_DIR"); given != nullptr) return given;
  return "/var/lib/saker";
}

// What findings go to, put together from the configuration; the server comes when events are
// watched.
class Outputs {
 public:
  Outputs(const agent::Config& config, bool force_json)
      : config_(config),
        force_json_(force_json),
        dispatcher_({.queue_capacity = config.outputs_queue.capacity,
                     .rate = static_cast<double>(config.rate_limit.per_second),
                     .burst = static_cast<double>(config.rate_limit.burst),
                     .slow_after = config.outputs_queue.slow_after}),
        stream_(config.server.max_streams, config.server.stream_queue) {}

  Status open() {
    for (const agent::SinkConfig& sink : config_.outputs) {
      if (!sink.enabled) continue;
      output::SinkSettings settings = sink.settings;
      settings.json = config_.json_options();
      settings.prefer_json = config_.json_output;
      if (force_json_ && sink.info->name == "stdout") settings.values["format"] = "json";
      SAKER_CHECK(dispatcher_.add(*sink.info, settings, sink.priority));
    }
    sources_ = {&metrics, &process_, &output_metrics_, &stream_metrics_};
    if (config_.store.enabled) SAKER_CHECK(open_store());
    return {};
  }

  // A port that is taken must not keep the machine unwatched.
  void serve() {
    if (!config_.server.enabled) return;
    std::string token;
    if (!config_.server.token_file.empty()) {
      Result<std::string> read = read_file(config_.server.token_file, 4096);
      if (!read.ok()) {
        log::error("no HTTP: " + read.error().to_text());
        return;
      }
      token = trim(*read);
    }
    Result<std::unique_ptr<server::Server>> opened =
        server::Server::open({.http = {.listen = config_.server.listen,
                                       .certificate_file = config_.server.certificate_file,
                                       .key_file = config_.server.key_file,
                                       .token = token},
                              .store_path = store_ ? store_path_ : "",
                              .metrics = config_.server.metrics},
                             stream_, sources_);
    if (opened.ok()) {
      server_ = std::move(*opened);
    } else {
      log::warning("no HTTP: " + opened.error().to_text());
    }
  }

  void close() {
    server_.reset();
    dispatcher_.stop(config_.outputs_queue.shutdown_timeout);
    if (store_) store_->stop();
  }

  agent::WatchOutputs for_watch() {
    return {.dispatcher = &dispatcher_, .store = store_.get(), .stream = &stream_};
  }

  agent::WatchMetrics metrics;

 private:
  Status open_store() {
    const std::string folder = data_folder(config_);
    std::error_code failed;
    const bool made = std::filesystem::create_directories(folder, failed);
    if (failed)
      return Error{
          .code = Code::denied,
          .message = "cannot make " + folder + ": " + failed.message(),
          .hint =
              "run as root, name another with --data-dir, or leave the store out with --no-store"};
    if (made) ::chmod(folder.c_str(), 0700);
    store_path_ = folder + "/alerts.db";
    store_ = SAKER_TRY(store::Writer::open(
        {.path = store_path_,
         .max_bytes = config_.store.max_size,
         .max_age = std::chrono::duration_cast<std::chrono::hours>(config_.store.max_age),
         .queue_capacity = config_.store.queue_capacity,
         .batch_time = config_.store.batch_time}));
    sources_.push_back(&store_metrics_.emplace(*store_));
    return {};
  }

  const agent::Config& config_;
  bool force_json_;
  output::Dispatcher dispatcher_;
  server::EventStream stream_;
  std::string store_path_;
  std::unique_ptr<store::Writer> store_;
  server::ProcessMetrics process_;
  server::OutputMetrics output_metrics_{dispatcher_};
  server::StreamMetrics stream_metrics_{stream_};
  std::optional<server::StoreMetrics> store_metrics_;
  std::vector<const server::MetricsSource*> sources_;
  std::unique_ptr<server::Server> server_;
};

void announce(const rules::Engine& engine, const agent::WatchStats& stats) {
  size_t enabled = 0;
  for (const rules::Rule& rule : engine.rules().rules) enabled += rule.enabled ? 1 : 0;
  log::info("watching with " + std::to_string(enabled) + " rules after " +
            std::to_string(stats.start_seconds).substr(0, 5) + " s; Ctrl-C ends");
}

Result<int> run_watch(const Arguments& arguments) {
  const agent::Config config = SAKER_TRY(load_configuration(arguments));
  fields::set_static_fields(config.static_fields);
  agent::WatchOptions options = watch_options(config, arguments);
  if (arguments.dry_run) return dry_run(options);
  Outputs outputs(config, arguments.json);
  SAKER_CHECK(outputs.open());
  agent::WatchStats stats;
  Status status = agent::watch(std::move(options), outputs.for_watch(), outputs.metrics, stats,
                               [&](const rules::Engine& engine) {
                                 outputs.serve();
                                 if (!arguments.quiet) announce(engine, stats);
                               });
  outputs.close();
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
