// saker audit policy test: what a policy would have kept of a log.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "audit/policy_log.h"
#include "cmd/audit_logs.h"
#include "cmd/audit_policy.h"
#include "cmd/command.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> files, logs;
  bool json = false;
};

using Kind = std::pair<std::string, audit::Volume>;

// The kinds that most events are lost of.
std::vector<Kind> most_lost(const audit::PolicyTrial& trial, size_t most) {
  std::vector<Kind> kinds(trial.lost_kinds.begin(), trial.lost_kinds.end());
  std::sort(kinds.begin(), kinds.end(), [](const Kind& a, const Kind& b) {
    return a.second.events != b.second.events ? a.second.events > b.second.events
                                              : a.first < b.first;
  });
  if (kinds.size() > most) kinds.resize(most);
  return kinds;
}

void append_volume(const audit::Volume& volume, JsonWriter& json) {
  json.begin_object();
  json.key("bytes").number(volume.bytes);
  json.key("events").number(volume.events);
  json.end_object();
}

void append_rules(const audit::PolicyFile& file, const audit::PolicyTrial& trial,
                  JsonWriter& json) {
  json.begin_array();
  for (size_t i = 0; i < trial.rules.size(); ++i) {
    const bool real = i < file.policy.rules.size();
    json.begin_object();
    json.key("kept");
    append_volume(trial.rules[i].kept, json);
    json.key("level").text(real ? audit::to_string(file.policy.rules[i].level) : "None");
    if (real) json.key("line").number(file.policy.rules[i].mark.line + 1);
    json.key("lost");
    append_volume(trial.rules[i].lost, json);
    json.key("rule");
    real ? json.number(i) : json.null();
    json.end_object();
  }
  json.end_array();
}

std::string json_report(const audit::PolicyFile& file, const audit::PolicyTrial& trial,
                        uint64_t skipped) {
  JsonWriter json;
  json.begin_object();
  json.key("all");
  append_volume(trial.all, json);
  json.key("days").begin_array();
  for (const auto& [date, day] : trial.days) {
    json.begin_object().key("all");
    append_volume(day.all, json);
    json.key("day").text(date).key("kept");
    append_volume(day.kept, json);
    json.end_object();
  }
  json.end_array();
  json.key("deeper_than_log").number(trial.deeper);
  json.key("kept");
  append_volume(trial.kept, json);
  json.key("levels").begin_object();
  for (size_t i = 1; i < trial.levels.size(); ++i) {
    json.key(audit::kLevels[i]);
    append_volume(trial.levels[i], json);
  }
  json.end_object();
  json.key("lost");
  append_volume(trial.lost, json);
  constexpr size_t kMostKinds = 100;
  json.key("lost_most").begin_array();
  for (const auto& [kind, volume] : most_lost(trial, kMostKinds)) {
    json.begin_object();
    json.key("events").number(volume.events).key("what").text(kind);
    json.end_object();
  }
  json.end_array();
  json.key("rules");
  append_rules(file, trial, json);
  json.key("schema").text("saker.audit.policy.test.v1");
  json.key("skipped_lines").number(skipped);
  return json.end_object().result();
}

std::string share(uint64_t part, uint64_t whole) {
  char text[16];
  const double percent =
      whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  std::snprintf(text, sizeof text, "%.1f %%", percent);
  return text;
}

std::string size_text(uint64_t bytes) {
  char text[32];
  if (bytes >= 10'000'000)
    std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  else
    std::snprintf(text, sizeof text, "%.1f kB", static_cast<double>(bytes) / 1e3);
  return text;
}

std::string text_report(const audit::PolicyFile& file, const audit::PolicyTrial& trial) {
  std::string out =
      "Events in the log: " + std::to_string(trial.all.events) + ", " + size_text(trial.all.bytes);
  if (!trial.first_time.empty()) out += ", " + trial.first_time + " to " + trial.last_time;
  out += "\nKept: " + std::to_string(trial.kept.events) + " events (" +
         share(trial.kept.events, trial.all.events) + "), " + size_text(trial.kept.bytes) + " (" +
         share(trial.kept.bytes, trial.all.bytes) +
         ")\nLost: " + std::to_string(trial.lost.events) + " events\n";
  if (trial.deeper != 0)
    out += "Bodies wanted that the log doesn't have: " + std::to_string(trial.deeper) +
           " events; they would be larger than counted here\n";
  Table rules({"RULE", "LEVEL", "KEPT", "SIZE", "LOST", "WHAT"});
  for (size_t i = 0; i < trial.rules.size(); ++i) {
    const bool real = i < file.policy.rules.size();
    const auto& [kept, lost] = trial.rules[i];
    if (!real && lost.events == 0) continue;
    rules.add({real ? std::to_string(i) : "none",
               std::string(real ? audit::to_string(file.policy.rules[i].level) : "None"),
               std::to_string(kept.events), size_text(kept.bytes), std::to_string(lost.events),
               real ? rule_summary(file.policy.rules[i]) : "what no rule matches"});
  }
  out += "\n" + rules.to_text();
  Table days({"DAY", "EVENTS", "KEPT", "SIZE"});
  for (const auto& [date, day] : trial.days)
    days.add({date, std::to_string(day.all.events), std::to_string(day.kept.events),
              size_text(day.kept.bytes)});
  if (!days.empty()) out += "\n" + days.to_text();
  Table lost({"LOST MOST", "EVENTS"});
  constexpr size_t kMostKinds = 15;
  for (const auto& [kind, volume] : most_lost(trial, kMostKinds))
    lost.add({kind, std::to_string(volume.events)});
  return lost.empty() ? out : out + "\n" + lost.to_text();
}

Result<int> run(const Arguments& arguments) {
  const std::string path = SAKER_TRY(one_policy(arguments.files));
  if (arguments.logs.empty()) return Error{.message = "--log is missing: the audit log to try"};
  const audit::PolicyFile file = SAKER_TRY(read_valid_policy(path));
  struct Worker {
    explicit Worker(const audit::Policy& policy) : tester(policy) {}
    audit::PolicyTester tester;
    audit::LoggedRequest event;
    uint64_t strange = 0;
  };
  std::vector<std::unique_ptr<Worker>> workers;
  const unsigned threads = agent::reading_threads();
  for (unsigned i = 0; i < threads; ++i) workers.push_back(std::make_unique<Worker>(file.policy));
  const auto take = [&](unsigned thread, const audit::AuditRecord& record, const event::Event&) {
    Worker& worker = *workers[thread];
    if (worker.event.read(record))
      worker.tester.take(worker.event);
    else
      ++worker.strange;
  };
  LogsRead read = SAKER_TRY(read_audit_logs(arguments.logs, threads, take));
  audit::PolicyTrial trial;
  for (const auto& worker : workers) {
    trial.add(worker->tester.result());
    read.skipped += worker->strange;
  }
  if (read.skipped != 0)
    std::fprintf(stderr, "saker: %llu lines are no audit events and were skipped\n",
                 static_cast<unsigned long long>(read.skipped));
  print(arguments.json ? json_report(file, trial, read.skipped) + "\n" : text_report(file, trial));
  return trial.all.events == 0 ? kExitFailed : kExitOk;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {
      .options = {{.names = "--log",
                   .value_name = "FILE",
                   .help = "An audit log: JSON lines or EventLists, .gz and .zst too (repeatable)",
                   .list = &arguments->logs},
                  {.names = "--json", .help = "JSON", .flag = &arguments->json}},
      .positional = policy_positional(arguments->files),
      .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_policy_trial_descriptor;
const Command audit_policy_trial_descriptor = {
    .path = "audit policy test",
    .summary = "Try an audit policy on a log: what it keeps, what it costs, what is lost",
    .description =
        "Each event of the log has all that a policy decides by. Says how many events and bytes "
        "the "
        "policy would have\n"
        "kept, by rule, level and day, and what would be missing. Bodies that the log doesn't have "
        "can't be weighed; it\n"
        "says how many. Exit code 1: the policy is refused, or the log has no event.",
    .prepare = prepare,
};

}  // namespace saker::cmd
