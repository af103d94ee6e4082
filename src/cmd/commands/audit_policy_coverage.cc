// saker audit policy coverage: which detection rules a policy blinds.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "audit/policy_log.h"
#include "base/strings.h"
#include "cmd/audit_logs.h"
#include "cmd/audit_needs.h"
#include "cmd/audit_policy.h"
#include "cmd/command.h"
#include "cmd/rules.h"
#include "formats/json.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> files, rules, logs;
  bool json = false;
};

struct Row {
  audit::DetectionCoverage coverage;
  std::optional<audit::Volume> cost;  // of the change, on the given logs
};

std::string list(const std::set<std::string>& words) {
  constexpr size_t kMost = 6;
  std::string out;
  size_t count = 0;
  for (const std::string& word : words) {
    if (count == kMost) return out + ", … (" + std::to_string(words.size()) + ")";
    out += (count++ == 0 ? "" : ", ") + word;
  }
  return out;
}

std::string blinding_text(const audit::PolicyFile& file, const audit::Blinding& blinding) {
  std::string out = blinding.rule ? rule_place(file, *blinding.rule) : "no rule";
  if (blinding.by_stage)
    out += " leaves out the stage of ";
  else if (!blinding.rule)
    out += " logs ";
  else
    out += " gives " + std::string(audit::to_string(blinding.level)) + " instead of " +
           std::string(audit::to_string(blinding.needed)) + " to ";
  return out + list(blinding.verbs) + " on " + list(blinding.what) + " by " + list(blinding.who);
}

std::string words_text(std::string_view key, const std::vector<audit::Word>& words) {
  if (words.empty()) return {};
  std::string out = ", " + std::string(key) + ": [";
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += ", ";
    formats::append_json_text(words[i].text, out);
  }
  return out + "]";
}

// The rule to insert, as one line of YAML.
std::string rule_yaml(const audit::PolicyRule& rule) {
  std::string out = "- {level: " + std::string(audit::to_string(rule.level));
  out += words_text("verbs", rule.verbs) + words_text("namespaces", rule.namespaces) +
         words_text("nonResourceURLs", rule.urls);
  if (rule.resources.empty()) return out + "}";
  out += ", resources: [";
  for (size_t i = 0; i < rule.resources.size(); ++i) {
    out += i == 0 ? "{group: " : ", {group: ";
    formats::append_json_text(rule.resources[i].group.text, out);
    out += words_text("resources", rule.resources[i].resources) + "}";
  }
  return out + "]}";
}

// "before rule 3: - {level: ...}; keep stage ResponseStarted".
std::string change_text(const audit::PolicyChange& change) {
  std::string out;
  for (const audit::PolicyRule& rule : change.rules)
    out += (out.empty() ? "before rule " + std::to_string(change.before) + ": " : " and ") +
           rule_yaml(rule);
  if (change.keep_stages.empty()) return out;
  return out + (out.empty() ? "" : "; ") + "take " + join(change.keep_stages.names(), ", ") +
         " out of omitStages";
}

// One policy on the way through the logs.
struct Trial {
  explicit Trial(audit::Policy what) : policy(std::move(what)), matcher(policy) {}
  audit::Policy policy;
  audit::PolicyMatcher matcher;
  audit::Volume kept;
};

// What each change would have added to the logs, all of them in one pass.
Status add_costs(const audit::Policy& policy, const std::vector<std::string>& logs,
                 std::vector<Row>& rows) {
  Trial before(policy);
  std::map<std::string, std::unique_ptr<Trial>> trials;  // many rules need the same
  for (const Row& row : rows) {
    if (!row.coverage.change) continue;
    std::unique_ptr<Trial>& trial = trials[change_text(*row.coverage.change)];
    if (trial == nullptr)
      trial = std::make_unique<Trial>(audit::with_change(policy, *row.coverage.change));
  }
  audit::LoggedRequest event;
  const auto weigh = [&](Trial& trial) {
    if (const auto size = event.kept_size(trial.matcher.decide(event.request())))
      trial.kept.add(*size);
  };
  (void)SAKER_TRY(read_audit_logs(logs, [&](const audit::AuditRecord& record, const event::Event&) {
    if (!event.read(record)) return;
    weigh(before);
    for (auto& [text, trial] : trials) weigh(*trial);
  }));
  for (Row& row : rows) {
    if (!row.coverage.change) continue;
    const audit::Volume& after = trials[change_text(*row.coverage.change)]->kept;
    row.cost = {.events = after.events - std::min(after.events, before.kept.events),
                .bytes = after.bytes - std::min(after.bytes, before.kept.bytes)};
  }
  return {};
}

void append_blinding(const audit::Blinding& blinding, JsonWriter& json) {
  json.begin_object();
  json.key("by_stage").boolean(blinding.by_stage);
  json.key("classes").number(blinding.classes);
  json.key("gives").text(audit::to_string(blinding.level));
  json.key("needs").text(audit::to_string(blinding.needed));
  json.key("resources").texts({blinding.what.begin(), blinding.what.end()});
  json.key("rule");
  blinding.rule ? json.number(*blinding.rule) : json.null();
  json.key("users").texts({blinding.who.begin(), blinding.who.end()});
  json.key("verbs").texts({blinding.verbs.begin(), blinding.verbs.end()});
  json.end_object();
}

void append_row(const Row& row, JsonWriter& json) {
  const audit::DetectionCoverage& coverage = row.coverage;
  json.begin_object();
  json.key("blinded_by").begin_array();
  for (const audit::Blinding& blinding : coverage.blinded_by) append_blinding(blinding, json);
  json.end_array();
  json.key("change");
  if (coverage.change) {
    json.begin_object();
    json.key("before_rule").number(coverage.change->before);
    if (row.cost) {
      json.key("cost").begin_object();
      json.key("bytes").number(row.cost->bytes).key("events").number(row.cost->events);
      json.end_object();
    }
    json.key("keep_stages").texts(coverage.change->keep_stages.names());
    json.key("rules").begin_array();
    for (const audit::PolicyRule& rule : coverage.change->rules) json.text(rule_yaml(rule));
    json.end_array();
    json.end_object();
  } else {
    json.null();
  }
  json.key("classes").number(coverage.classes);
  json.key("coverage").text(audit::to_string(coverage.coverage));
  json.key("name").text(coverage.name);
  json.key("needs").text(audit::to_string(coverage.level));
  json.key("seen").number(coverage.seen);
  json.end_object();
}

size_t count(const std::vector<Row>& rows, audit::Coverage coverage) {
  size_t count = 0;
  for (const Row& row : rows) count += row.coverage.coverage == coverage;
  return count;
}

std::string json_report(const std::vector<Row>& rows) {
  JsonWriter json;
  json.begin_object();
  json.key("full").number(count(rows, audit::Coverage::full));
  json.key("none").number(count(rows, audit::Coverage::none));
  json.key("partial").number(count(rows, audit::Coverage::partial));
  json.key("rules").begin_array();
  for (const Row& row : rows) append_row(row, json);
  json.end_array();
  json.key("schema").text("saker.audit.policy.coverage.v1");
  return json.end_object().result();
}

std::string text_report(const audit::PolicyFile& file, const std::vector<Row>& rows) {
  std::string out;
  for (audit::Coverage wanted : {audit::Coverage::none, audit::Coverage::partial}) {
    for (const Row& row : rows) {
      const audit::DetectionCoverage& coverage = row.coverage;
      if (coverage.coverage != wanted) continue;
      out += coverage.name + ": ";
      out += wanted == audit::Coverage::none ? "sees nothing" : "sees a part";
      out += " (" + std::to_string(coverage.seen) + " of " + std::to_string(coverage.classes) +
             " classes of requests)\n";
      for (const audit::Blinding& blinding : coverage.blinded_by)
        out += "  " + blinding_text(file, blinding) + "\n";
      if (!coverage.change) continue;
      out += "  helps: " + change_text(*coverage.change) + "\n";
      if (row.cost)
        out += "  which adds " + std::to_string(row.cost->events) + " events, " +
               std::to_string(row.cost->bytes) + " bytes to this log\n";
    }
  }
  return out + std::to_string(rows.size()) +
         " rules: " + std::to_string(count(rows, audit::Coverage::full)) + " see all they need, " +
         std::to_string(count(rows, audit::Coverage::partial)) + " a part, " +
         std::to_string(count(rows, audit::Coverage::none)) + " nothing\n";
}

Result<int> run(const Arguments& arguments) {
  const std::string path = SAKER_TRY(one_policy(arguments.files));
  const audit::PolicyFile file = SAKER_TRY(read_valid_policy(path));
  const rules::RuleSet set = SAKER_TRY(load_rules(arguments.rules));
  const audit::PolicyMatcher matcher(file.policy);
  std::vector<Row> rows;
  for (const rules::Rule& rule : set.rules)
    if (rule.enabled && rule.source == "k8s_audit")
      rows.push_back({.coverage = audit::coverage_of(file.policy, matcher,
                                                     needs_of(rule.name, rule.condition)),
                      .cost = {}});
  if (rows.empty())
    std::fputs("saker: none of the loaded rules is for audit events (source: k8s_audit); -r FILE\n",
               stderr);
  if (!arguments.logs.empty()) SAKER_CHECK(add_costs(file.policy, arguments.logs, rows));
  print(arguments.json ? json_report(rows) + "\n" : text_report(file, rows));
  return kExitOk;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options = {{.names = "-r,--rules",
                       .value_name = "FILE",
                       .help = "Rule file or folder (repeatable); none: Saker's own rules",
                       .list = &arguments->rules},
                      {.names = "--log",
                       .value_name = "FILE",
                       .help = "An audit log to weigh each change on (repeatable)",
                       .list = &arguments->logs},
                      {.names = "--json", .help = "JSON", .flag = &arguments->json}},
          .positional = policy_positional(arguments->files),
          .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_policy_coverage_descriptor;
const Command audit_policy_coverage_descriptor = {
    .path = "audit policy coverage",
    .summary = "Which detection rules an audit policy blinds, and what would help",
    .description =
        "For each rule on audit events: the requests on which it can fire, and whether the policy "
        "logs them at the level\n"
        "and stages that it needs; which policy rule is in the way, and the smallest rule that "
        "would help (--log: its cost).",
    .prepare = prepare,
};

}  // namespace saker::cmd
