// saker audit analyze: was anyone where they don't belong?
#include <cstdio>
#include <memory>
#include <optional>

#include "agent/audit_pass.h"
#include "agent/progress.h"
#include "agent/rule_files.h"
#include "audit/analysis.h"
#include "audit/baseline.h"
#include "base/fd.h"
#include "base/strings.h"
#include "base/time.h"
#include "capture/k8s_audit/block_source.h"
#include "capture/k8s_audit/log_set.h"
#include "cmd/audit_html.h"
#include "cmd/audit_logs.h"
#include "cmd/audit_report.h"
#include "cmd/command.h"
#include "cmd/listing.h"
#include "formats/spool_reader.h"
#include "store/audit_spool.h"
#include "store/query.h"
#include "store/schema.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> logs, rules;
  std::string since, until, html, learn, baseline, data_dir;
  audit::AnalysisFilter filter;
  bool json = false, markdown = false;
};

struct TimeRange {
  uint64_t since = 0, until = UINT64_MAX;  // ns since the epoch
};

// "T1613" out of the tags of a rule.
std::string_view technique_of(const rules::Rule& rule) {
  for (const std::string& tag : rule.tags)
    if (tag.size() > 1 && tag[0] == 'T' && tag[1] >= '0' && tag[1] <= '9') return tag;
  return {};
}

// Matches of rules become part of the analysis.
class Analyst : public agent::AuditPassUser {
 public:
  Analyst(audit::Analysis& analysis, TimeRange range, uint64_t total)
      : analysis_(analysis), range_(range), total_(total) {}

  [[nodiscard]] bool wants(const audit::AuditRecord& record,
                           const event::Event& event) const override {
    return event.timestamp >= range_.since && event.timestamp < range_.until &&
           analysis_.wants(record);
  }
  void expect(const audit::AuditDigest& digest) const override { analysis_.expect(digest); }
  bool take(const audit::AuditDigest& digest,
            FunctionRef<const audit::AuditRecord&()> record) override {
    return analysis_.take(digest, record);
  }
  void on_match(const rules::Engine& engine, uint32_t rule,
                const filter::EvalContext& context) override {
    const rules::Rule& about = engine.rules().rules[rule];
    analysis_.note({.title = about.name,
                    .description = trim(about.description),
                    .severity = about.priority,
                    .technique = technique_of(about)},
                   *context.audit);
  }
  bool on_progress(uint64_t bytes) override {
    progress_.update(bytes, total_);
    return true;
  }
  void finish() { progress_.clear(); }

 private:
  audit::Analysis& analysis_;
  TimeRange range_;
  uint64_t total_;
  agent::Progress progress_;
};

Result<rules::RuleSet> load_rules(const Arguments& arguments) {
  std::vector<std::string> paths = arguments.rules;
  if (paths.empty()) paths.push_back(agent::default_rules_folder());
  std::string warnings;
  rules::RuleSet set = SAKER_TRY(agent::load_rule_files({.paths = std::move(paths)}, warnings));
  if (!warnings.empty()) std::fputs(warnings.c_str(), stderr);
  return set;
}

// Of a spool, only the frames of the time are read.
Status read(const std::string& log, TimeRange range, agent::AuditPass& pass, Analyst& analyst) {
  if (!formats::is_spool(log)) return pass.read(log, analyst);
  const auto blocks = SAKER_TRY(capture::open_spool_blocks(log, range.since, range.until));
  return pass.read(*blocks, analyst);
}

// Without a log: what `saker run --audit-webhook` received.
Result<std::vector<std::string>> logs_of(const Arguments& arguments) {
  if (!arguments.logs.empty()) return capture::expand_logs(arguments.logs);
  const std::string spool = store::spool_folder(
      arguments.data_dir.empty() ? store::default_data_dir() : arguments.data_dir);
  if (formats::is_spool(spool)) return std::vector<std::string>{spool};
  return Error{.code = Code::not_found,
               .message = "no log is given, and no audit events were received in " + spool,
               .hint =
                   "give the log of kube-apiserver, or receive its events by `saker run "
                   "--audit-webhook`"};
}

Result<LogsRead> analyze(const Arguments& arguments, audit::Analysis& analysis) {
  const rules::RuleSet rules = SAKER_TRY(load_rules(arguments));
  const uint64_t now = now_ns();
  TimeRange range;
  if (!arguments.since.empty()) range.since = SAKER_TRY(store::parse_time(arguments.since, now));
  if (!arguments.until.empty()) range.until = SAKER_TRY(store::parse_time(arguments.until, now));
  Analyst analyst(analysis, range, total_size(arguments.logs));
  agent::AuditPass pass(rules, rules::Matching::all);
  Status status;
  for (const std::string& log : arguments.logs) {
    status = read(log, range, pass, analyst);
    if (!status.ok()) break;
  }
  analyst.finish();
  const LogsRead out = report_reading(pass.summary());
  SAKER_CHECK(std::move(status));
  return out;
}

Result<std::optional<audit::Baseline>> read_baseline(const std::string& path) {
  if (path.empty()) return std::optional<audit::Baseline>();
  const std::string text = SAKER_TRY(read_file(path, audit::Baseline::kMostBytes));
  return std::optional(SAKER_TRY(audit::parse_baseline(text, path)));
}

// "Learnt 44 actors and 612 habits, kept in base.json."
Status keep(const audit::Baseline& baseline, const std::string& path) {
  const std::string text = audit::to_text(baseline);
  if (text.size() > audit::Baseline::kMostBytes)
    return Error{.code = Code::invalid,
                 .message = "what was learnt is larger than a baseline may be",
                 .hint = "learn from a shorter time: --since, --until"};
  SAKER_CHECK(replace_file(path, text));
  size_t habits = 0;
  for (const audit::ActorHabits& actor : baseline.actors)
    habits += actor.addresses.size() + actor.programs.size() + actor.deeds.size();
  std::fprintf(stderr,
               "Learnt %zu actors and %zu habits, kept in %s. What is told above is among them: "
               "look at it before you use the baseline.\n",
               baseline.actors.size(), habits, path.c_str());
  if (baseline.left_out != 0)
    std::fprintf(stderr, "There was no room for what %llu events show: it is not complete.\n",
                 static_cast<unsigned long long>(baseline.left_out));
  return {};
}

Status check(const Arguments& arguments) {
  if (arguments.learn.empty() || arguments.filter.actor.empty()) return {};
  return Error{.code = Code::invalid,
               .message = "--learn and --actor: a baseline is learnt of all actors",
               .hint = "leave one out"};
}

Result<int> run(Arguments& arguments) {
  SAKER_CHECK(check(arguments));
  arguments.logs = SAKER_TRY(logs_of(arguments));
  std::optional<audit::Baseline> known = SAKER_TRY(read_baseline(arguments.baseline));
  audit::Analysis analysis(arguments.filter, known ? &*known : nullptr, !arguments.learn.empty());
  known.reset();  // the analysis has taken over what it needs
  const LogsRead read = SAKER_TRY(analyze(arguments, analysis));
  const AuditReport report{.suspicions = analysis.suspicions(),
                           .accesses = analysis.accesses(),
                           .logs = arguments.logs,
                           .baseline = arguments.baseline,
                           .of_one_actor = !arguments.filter.actor.empty(),
                           .events = read.events,
                           .skipped = read.skipped,
                           .repeated = analysis.repeated(),
                           .forgotten = analysis.forgotten()};
  if (!arguments.html.empty()) SAKER_CHECK(replace_file(arguments.html, audit_html(report)));
  if (arguments.json)
    print(audit_json(report));
  else if (arguments.markdown || arguments.html.empty())
    print(audit_text(report, arguments.markdown ? Medium::markdown : Medium::terminal));
  std::fflush(stdout);
  if (!arguments.learn.empty()) SAKER_CHECK(keep(analysis.baseline(), arguments.learn));
  return kExitOk;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options =
              {
                  {.names = "--actor",
                   .value_name = "NAME",
                   .help = "Only what this user or service account did",
                   .text = &arguments->filter.actor},
                  {.names = "--resource",
                   .value_name = "KIND",
                   .help = "Only findings about this kind of object: secrets, pods/exec",
                   .text = &arguments->filter.resource},
                  {.names = "-n,--namespace",
                   .value_name = "NAME",
                   .help = "Only findings about this namespace",
                   .text = &arguments->filter.name_space},
                  {.names = "--since",
                   .value_name = "TIME",
                   .help = "Only from this time on: 90s, 1h, 2d ago, or RFC 3339",
                   .text = &arguments->since},
                  {.names = "--until",
                   .value_name = "TIME",
                   .help = "Only before this time",
                   .text = &arguments->until},
                  {.names = "--data-dir",
                   .value_name = "DIR",
                   .help = "Where received events are, when no LOG is given (/var/lib/saker)",
                   .text = &arguments->data_dir},
                  {.names = "--baseline",
                   .value_name = "FILE",
                   .help = "Also tell what actors do, from where, with what and when, that this "
                           "baseline does not show",
                   .text = &arguments->baseline},
                  {.names = "--learn",
                   .value_name = "FILE",
                   .help = "Write a baseline of what the logs show; with --baseline, of both",
                   .text = &arguments->learn},
                  {.names = "-r,--rules",
                   .value_name = "FILE",
                   .help = "Rules instead of Saker's own (files and folders, repeatable)",
                   .list = &arguments->rules},
                  {.names = "--json", .help = "JSON", .flag = &arguments->json},
                  {.names = "--markdown", .help = "Markdown", .flag = &arguments->markdown},
                  {.names = "--html",
                   .value_name = "FILE",
                   .help = "Write a page with a timeline that needs nothing else to FILE",
                   .text = &arguments->html},
              },
          .positional = {.name = "LOG",
                         .help = "Audit logs in their order (.gz and .zst too), folders of "
                                 "rotated ones; - for standard input; none: what was received "
                                 "by webhook",
                         .values = &arguments->logs},
          .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_analyze_descriptor;
const Command audit_analyze_descriptor = {
    .path = "audit analyze",
    .summary = "Was anyone where they don't belong? Findings of an audit log by actor",
    .description =
        "Gathers what the audit rules say of a log, and what only the order of events tells, by "
        "kind and actor:\n"
        "refused attempts, scans, guessed credentials, success after refusal, anonymous access, "
        "secrets read,\n"
        "sessions in pods, rights given, tokens, impersonation, traces removed. The exit code is "
        "0 whatever is found.\n\n"
        "  saker audit analyze audit.log\n"
        "  saker audit analyze /var/log/kubernetes/audit\n"
        "  saker audit analyze --since 2h\n"
        "  saker audit analyze audit-2024-05-01.log.gz audit.log --actor mallory\n"
        "  saker audit analyze audit.log --resource secrets -n shop --json\n"
        "  saker audit analyze --learn baseline.json audit-2024-05-*.log.gz\n"
        "  saker audit analyze --baseline baseline.json audit.log",
    .prepare = prepare,
};

}  // namespace saker::cmd
