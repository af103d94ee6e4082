// saker audit analyze: was anyone where they don't belong?
#include <algorithm>
#include <cstdio>
#include <memory>

#include "agent/audit_pass.h"
#include "agent/progress.h"
#include "agent/rule_files.h"
#include "audit/analysis.h"
#include "base/fd.h"
#include "base/strings.h"
#include "cmd/audit_html.h"
#include "cmd/audit_logs.h"
#include "cmd/command.h"
#include "cmd/listing.h"
#include "output/format.h"
#include "store/query.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> logs, rules;
  std::string since, until, html;
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

Result<LogsRead> analyze(const Arguments& arguments, audit::Analysis& analysis) {
  const rules::RuleSet rules = SAKER_TRY(load_rules(arguments));
  const uint64_t now = store::now_ns();
  TimeRange range;
  if (!arguments.since.empty()) range.since = SAKER_TRY(store::parse_time(arguments.since, now));
  if (!arguments.until.empty()) range.until = SAKER_TRY(store::parse_time(arguments.until, now));
  Analyst analyst(analysis, range, total_size(arguments.logs));
  agent::AuditPass pass(rules, rules::Matching::all);
  Status status;
  for (const std::string& log : arguments.logs) {
    status = pass.read(log, analyst);
    if (!status.ok()) break;
  }
  analyst.finish();
  for (const std::string& problem : pass.summary().problems)
    std::fprintf(stderr, "saker: %s\n", problem.c_str());
  SAKER_CHECK(std::move(status));
  LogsRead out{.events = pass.summary().events};
  for (const auto& [reason, count] : pass.summary().lost) out.skipped += count;
  return out;
}

std::string lower(finding::Severity severity) {
  std::string out(finding::to_string(severity));
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// A name out of the log, which a hostile client may have chosen, for a terminal.
std::string shown(std::string_view text) {
  return output::escape_controls(sanitize_utf8(text));
}

// The same for markdown, which knows HTML.
std::string shown(std::string_view text, bool markdown) {
  std::string out;
  for (const char c : shown(text)) {
    if (markdown && c == '<')
      out += "&lt;";
    else if (markdown && (c == '`' || c == '*' || c == '[' || c == '_'))
      out.append("\\").push_back(c);
    else
      out += c;
  }
  return out;
}

// For a shell, whatever the name holds.
std::string quoted(std::string_view word) {
  std::string out = "'";
  for (const char c : word)
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  return out + "'";
}

// Commands that look further, for people to copy.
std::vector<std::string> next_of(const audit::Suspicion& suspicion, const Arguments& arguments) {
  std::vector<std::string> out;
  const std::string log = quoted(arguments.logs.front());
  if (suspicion.actor == "-") return {"saker replay " + log + " --filter 'ka.response.code=401'"};
  const std::string actor = shown(suspicion.actor);
  if (arguments.filter.actor.empty())
    out.push_back("saker audit analyze " + log + " --actor " + quoted(actor));
  else if (actor.find_first_of("\"\\") == std::string::npos)
    out.push_back("saker replay " + log + " --filter " +
                  quoted("ka.user.name = \"" + actor + "\"") +
                  " --format '%evt.time %ka.verb %ka.uri %ka.response.code'");
  out.push_back("kubectl auth can-i --list --as " + quoted(actor));
  return out;
}

std::string addresses_of(const audit::Suspicion& suspicion) {
  return join({suspicion.source_ips.begin(), suspicion.source_ips.end()}, ", ");
}

void append_finding(const audit::Suspicion& suspicion, const Arguments& arguments,
                    JsonWriter& json) {
  json.begin_object().key("actor").text(suspicion.actor);
  json.key("auditIDs").texts(suspicion.audit_ids).key("count").number(suspicion.count);
  json.key("description").text(suspicion.description).key("first").text(suspicion.first);
  json.key("id").text(suspicion.id).key("last").text(suspicion.last);
  json.key("next").texts(next_of(suspicion, arguments));
  json.key("requests").texts(suspicion.requests).key("severity").text(lower(suspicion.severity));
  json.key("source_ips").texts({suspicion.source_ips.begin(), suspicion.source_ips.end()});
  json.key("technique").text(suspicion.technique).key("title").text(suspicion.title).end_object();
}

std::string json_report(const audit::Analysis& analysis, const LogsRead& read,
                        const Arguments& arguments) {
  JsonWriter json;
  json.begin_object().key("events").number(read.events).key("findings").begin_array();
  for (const audit::Suspicion* suspicion : analysis.suspicions())
    append_finding(*suspicion, arguments, json);
  json.end_array().key("forgotten").number(analysis.forgotten());
  json.key("repeated").number(analysis.repeated()).key("schema").text("saker.audit.analysis.v1");
  return json.key("skipped").number(read.skipped).end_object().result() + "\n";
}

// The time of day is enough where all is of one day.
std::string short_time(const std::string& time, bool one_day) {
  constexpr size_t kDate = 11, kSeconds = 19;
  return time.size() < kSeconds ? time : time.substr(one_day ? kDate : 0, one_day ? 8 : kSeconds);
}

Table table_of(const std::vector<const audit::Suspicion*>& suspicions, bool markdown) {
  constexpr size_t kDate = 10;
  const bool one_day = std::ranges::all_of(suspicions, [&](const audit::Suspicion* each) {
    const std::string& day = suspicions.front()->first;
    return each->first.starts_with(day.substr(0, kDate)) &&
           each->last.starts_with(day.substr(0, kDate));
  });
  Table table({"SEVERITY", "ACTOR", "FINDING", "COUNT", "FIRST", "LAST", "FROM", "FIRST REQUEST"});
  for (const audit::Suspicion* each : suspicions)
    table.add({lower(each->severity), shown(each->actor, markdown), each->title,
               std::to_string(each->count), short_time(each->first, one_day),
               short_time(each->last, one_day), shown(addresses_of(*each), markdown),
               each->requests.empty() ? "" : shown(each->requests.front(), markdown)});
  return table;
}

// "132 events, 1 repeated."
std::string notes_of(const audit::Analysis& analysis, const LogsRead& read) {
  std::string out = std::to_string(read.events) + " events";
  if (read.skipped != 0) out += ", " + std::to_string(read.skipped) + " lines skipped";
  if (analysis.repeated() != 0) out += ", " + std::to_string(analysis.repeated()) + " repeated";
  if (analysis.forgotten() != 0)
    out += ", " + std::to_string(analysis.forgotten()) + " beyond what is kept: not complete";
  return out + ".";
}

std::string people_report(const audit::Analysis& analysis, const LogsRead& read,
                          const Arguments& arguments) {
  const std::vector<const audit::Suspicion*> suspicions = analysis.suspicions();
  std::string out = arguments.markdown ? "# Kubernetes audit: findings\n\n" : "";
  if (suspicions.empty()) {
    out += "Nothing to tell.\n";
  } else {
    const Table table = table_of(suspicions, arguments.markdown);
    out += arguments.markdown ? table.to_markdown() : table.to_text();
  }
  out += "\n" + notes_of(analysis, read) + "\n";
  if (suspicions.empty()) return out;
  out += arguments.markdown ? "\nNext:\n\n" : "Next:\n";
  for (const std::string& command : next_of(*suspicions.front(), arguments))
    out += (arguments.markdown ? "    " : "  ") + command + "\n";
  if (!arguments.markdown)
    out += "--json tells of each what it means, its auditIDs and requests.\n";
  return out;
}

Result<int> run(const Arguments& arguments) {
  audit::Analysis analysis(arguments.filter);
  const LogsRead read = SAKER_TRY(analyze(arguments, analysis));
  if (!arguments.html.empty())
    SAKER_CHECK(replace_file(arguments.html, audit_html(analysis.suspicions(), arguments.logs,
                                                        notes_of(analysis, read))));
  if (!arguments.html.empty() && !arguments.json && !arguments.markdown) return kExitOk;
  print(arguments.json ? json_report(analysis, read, arguments)
                       : people_report(analysis, read, arguments));
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
                         .help = "Audit logs in their order (.gz and .zst too); - for standard "
                                 "input",
                         .values = &arguments->logs,
                         .required = true},
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
        "  saker audit analyze audit-2024-05-01.log.gz audit.log --actor mallory\n"
        "  saker audit analyze audit.log --resource secrets -n shop --json",
    .prepare = prepare,
};

}  // namespace saker::cmd
