// saker replay: judge or print recorded captures.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "agent/replay.h"
#include "agent/rule_files.h"
#include "cmd/command.h"

namespace saker::cmd {

namespace {

struct ReplayArguments {
  std::vector<std::string> files, rules;
  std::string filter, format, fields, count_by, until, matching = "all", priority = "debug",
                                                       extra_output;
  uint64_t max_events = 0;
  bool json = false, iso_time = false, verify = false, quiet = false, rule_stats = false;
};

Result<agent::ReplayOptions> to_options(const ReplayArguments& arguments) {
  agent::ReplayOptions options{.files = arguments.files,
                               .until = arguments.until,
                               .max_events = arguments.max_events,
                               .json = arguments.json,
                               .iso_time = arguments.iso_time,
                               .verify = arguments.verify};
  options.progress = !arguments.quiet && ::isatty(STDERR_FILENO) == 1;
  if (arguments.matching != "all" && arguments.matching != "first")
    return Error{.message = "--rule-matching takes all or first, not '" + arguments.matching + "'"};
  if (arguments.matching == "first") options.matching = rules::Matching::first;
  const std::optional<finding::Severity> priority = finding::parse_severity(arguments.priority);
  if (!priority) return Error{.message = "'" + arguments.priority + "' is no priority"};
  if (!arguments.rules.empty()) {
    std::string warnings;
    options.rules = SAKER_TRY(agent::load_rule_files({.paths = arguments.rules,
                                                      .minimum_priority = *priority,
                                                      .extra_output = arguments.extra_output},
                                                     warnings));
    if (!arguments.quiet) std::fputs(warnings.c_str(), stderr);
  }
  const bool prints = !arguments.filter.empty() || !arguments.format.empty() ||
                      !arguments.fields.empty() || !arguments.count_by.empty() ||
                      arguments.rules.empty();
  if (prints) {
    options.printer = agent::PrinterOptions{.filter = arguments.filter,
                                            .format = arguments.format,
                                            .fields = arguments.fields,
                                            .count_by = arguments.count_by,
                                            .json = arguments.json};
  }
  return options;
}

Result<int> run_replay(const ReplayArguments& arguments) {
  agent::ReplayOptions options = SAKER_TRY(to_options(arguments));
  agent::ReplaySummary summary;
  Status status = agent::replay(std::move(options), summary);
  if (!arguments.quiet) std::fputs(agent::to_text(summary).c_str(), stderr);
  if (arguments.rule_stats) std::fputs(agent::cost_table(summary).c_str(), stderr);
  if (!status.ok()) return std::move(status).error();
  if (summary.disagreements != 0) {
    std::fprintf(stderr, "saker: the evaluators disagree on %llu events; first: %s\n",
                 static_cast<unsigned long long>(summary.disagreements),
                 summary.first_disagreement.c_str());
    return kExitFailed;
  }
  return kExitOk;
}

Invocation prepare() {
  auto arguments = std::make_shared<ReplayArguments>();
  return {
      .options =
          {
              {.names = "-r,--rules",
               .value_name = "FILE",
               .help = "Rule file or folder (repeatable)",
               .list = &arguments->rules},
              {.names = "--filter",
               .value_name = "EXPR",
               .help = "Print the events that satisfy this condition",
               .text = &arguments->filter},
              {.names = "--format",
               .value_name = "TEMPLATE",
               .help = "Line to print for an event, as '%evt.num %proc.name'",
               .text = &arguments->format},
              {.names = "--fields",
               .value_name = "LIST",
               .help = "Print these fields of each event, comma separated",
               .text = &arguments->fields},
              {.names = "--count-by",
               .value_name = "FIELD",
               .help = "Count events by the value of a field",
               .text = &arguments->count_by},
              {.names = "--until",
               .value_name = "EXPR|NS",
               .help = "Stop at the first event that satisfies this, or at this time",
               .text = &arguments->until},
              {.names = "-n,--max-events",
               .value_name = "N",
               .help = "Stop after this many events",
               .number = &arguments->max_events},
              {.names = "--rule-matching",
               .value_name = "all|first",
               .help = "Alert for all rules that match (default) or only the first",
               .text = &arguments->matching},
              {.names = "--priority",
               .value_name = "LEVEL",
               .help = "Load only rules at least this severe",
               .text = &arguments->priority},
              {.names = "-p,--print",
               .value_name = "TEXT",
               .help = "Append this to every rule's output",
               .text = &arguments->extra_output},
              {.names = "--json", .help = "JSON lines", .flag = &arguments->json},
              {.names = "--iso-time",
               .help = "ISO 8601 times in UTC",
               .flag = &arguments->iso_time},
              {.names = "--verify",
               .help = "Check the fast evaluator against the plain one on every event",
               .flag = &arguments->verify},
              {.names = "--rule-stats",
               .help = "Say how often each rule was evaluated and how long it took",
               .flag = &arguments->rule_stats},
              {.names = "-q,--quiet",
               .help = "No summary and no warnings on stderr",
               .flag = &arguments->quiet},
          },
      .positional = {.name = "FILE",
                     .help = "Captures (.scap, plain, gzip or zstd); - for standard input",
                     .values = &arguments->files,
                     .required = true},
      .run = [arguments] { return run_replay(*arguments); },
  };
}

}  // namespace

extern const Command replay_descriptor;
const Command replay_descriptor = {
    .path = "replay",
    .summary = "Judge recorded captures by rules, or print their events",
    .description =
        "Reads captures, runs the rules on them and prints the alerts; the summary goes to "
        "stderr.\n"
        "Without rules, or with --filter, --format, --fields or --count-by, events are printed.\n\n"
        "  saker replay day.scap -r rules.yaml --json\n"
        "  saker replay day.scap --filter 'evt.type=openat and fd.name contains passwd'\n"
        "  saker replay day.scap --count-by proc.name",
    .prepare = prepare,
};

}  // namespace saker::cmd
