// saker audit policy diff: what a change of a policy changes.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "audit/policy_diff.h"
#include "base/strings.h"
#include "cmd/audit_policy.h"
#include "cmd/command.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> files;
  bool json = false;
};

std::string rule_text(const audit::Decision& decision) {
  return decision.rule ? "rule " + std::to_string(*decision.rule) : "no rule";
}

// The first few words of a long list.
std::string shortened(const std::string& list) {
  constexpr size_t kMost = 10;
  size_t words = 1, cut = std::string::npos;
  for (size_t at = list.find(", "); at != std::string::npos; at = list.find(", ", at + 2))
    if (words++ == kMost) cut = at;
  if (words <= kMost + 2) return list;
  return list.substr(0, cut) + " and " + std::to_string(words - kMost) + " more (--json has all)";
}

std::string change_text(const audit::LevelChange& change) {
  std::string out(audit::to_string(change.before.level));
  out += " -> ";
  out += audit::to_string(change.after.level);
  if (change.before.omit_stages != change.after.omit_stages)
    out += ", stages left out: " + join(change.before.omit_stages.names(), ", ") + " -> " +
           join(change.after.omit_stages.names(), ", ");
  if (change.before.omit_managed_fields != change.after.omit_managed_fields)
    out += change.after.omit_managed_fields ? ", without managed fields" : ", with managed fields";
  out += " (" + rule_text(change.before) + " -> " + rule_text(change.after) + ")\n";
  out += "  " + change.verb + ": " + shortened(change.what) + "\n  by " + shortened(change.who);
  if (!change.where.empty()) out += "; " + change.where;
  return out + "\n";
}

void append_decision(std::string_view key, const audit::Decision& decision, JsonWriter& json) {
  json.key(key).begin_object();
  json.key("level").text(audit::to_string(decision.level));
  json.key("omitStages").texts(decision.omit_stages.names());
  json.key("omitManagedFields").boolean(decision.omit_managed_fields);
  json.key("rule");
  decision.rule ? json.number(*decision.rule) : json.null();
  json.end_object();
}

std::string json_report(const audit::PolicyDiff& diff) {
  JsonWriter json;
  json.begin_object();
  json.key("changes").begin_array();
  for (const audit::LevelChange& change : diff.changes) {
    json.begin_object();
    append_decision("after", change.after, json);
    append_decision("before", change.before, json);
    json.key("classes").number(change.count);
    json.key("resource").text(change.what);
    json.key("user").text(change.who);
    json.key("verb").text(change.verb);
    json.key("where").text(change.where);
    json.end_object();
  }
  json.end_array();
  json.key("classes").number(diff.classes);
  json.key("complete").boolean(diff.complete);
  json.key("schema").text("saker.audit.policy.diff.v1");
  return json.end_object().result();
}

std::string text_report(const audit::PolicyDiff& diff) {
  if (diff.changes.empty()) return "The policies decide alike.\n";
  std::vector<const audit::LevelChange*> sorted;
  sorted.reserve(diff.changes.size());
  for (const audit::LevelChange& change : diff.changes) sorted.push_back(&change);
  // What is lost first.
  const auto gain = [](const audit::LevelChange* change) {
    return static_cast<int>(change->after.level) - static_cast<int>(change->before.level);
  };
  // Of equal ones the order of the comparison stays: the pointers go up.
  std::sort(sorted.begin(), sorted.end(), [&](const auto* a, const auto* b) {
    return std::pair(gain(a), a) < std::pair(gain(b), b);
  });
  std::string out;
  for (const audit::LevelChange* change : sorted) out += change_text(*change);
  return out;
}

Result<int> run(const Arguments& arguments) {
  if (arguments.files.size() != 2) return Error{.message = "name two policy files"};
  const audit::PolicyFile before = SAKER_TRY(read_valid_policy(arguments.files[0]));
  const audit::PolicyFile after = SAKER_TRY(read_valid_policy(arguments.files[1]));
  const audit::PolicyDiff diff = audit::diff_policies(before.policy, after.policy);
  print(arguments.json ? json_report(diff) + "\n" : text_report(diff));
  if (!diff.complete) std::fputs("saker: too many classes of requests: not all compared\n", stderr);
  return diff.changes.empty() ? kExitOk : kExitFailed;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options = {{.names = "--json", .help = "JSON", .flag = &arguments->json}},
          .positional = {.name = "FILES",
                         .help = "The policy before and the one after",
                         .values = &arguments->files,
                         .required = true},
          .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_policy_diff_descriptor;
const Command audit_policy_diff_descriptor = {
    .path = "audit policy diff",
    .summary = "Which requests two audit policies log differently",
    .description =
        "Compares what the policies decide, not their texts: lines that lose something come "
        "first.\n"
        "Exit code 0: they decide alike; 1: they don't (as diff does).",
    .prepare = prepare,
};

}  // namespace saker::cmd
