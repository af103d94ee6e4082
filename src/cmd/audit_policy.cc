// Reading policies and reporting on them. See audit_policy.h.
#include "cmd/audit_policy.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/fd.h"
#include "rules/diagnostics.h"

namespace saker::cmd {

namespace {

constexpr size_t kLargestPolicy = size_t{64} << 20;

std::string words_text(const std::vector<audit::Word>& words) {
  constexpr size_t kMost = 6;
  std::string out;
  for (size_t i = 0; i < std::min(words.size(), kMost); ++i)
    out += (i == 0 ? "" : ", ") + (words[i].text.empty() ? "\"\"" : words[i].text);
  if (words.size() > kMost) out += ", … (" + std::to_string(words.size()) + ")";
  return out;
}

std::string resources_text(const audit::PolicyRule& rule) {
  std::string out;
  for (const audit::GroupResources& entry : rule.resources) {
    if (!out.empty()) out += "; ";
    const std::string& group = entry.group.text;
    if (entry.resources.empty()) {
      out += "all of group " + (group.empty() ? std::string("\"\"") : group);
      continue;
    }
    out += words_text(entry.resources);
    if (!group.empty()) out += " (" + group + ")";
    if (!entry.names.empty()) out += " named " + words_text(entry.names);
  }
  return out;
}

}  // namespace

Positional policy_positional(std::vector<std::string>& files) {
  return {.name = "FILE",
          .help = "The policy; - is standard input",
          .values = &files,
          .required = true};
}

Result<std::string> one_policy(const std::vector<std::string>& files) {
  if (files.size() != 1) return Error{.message = "name one policy file"};
  return files[0];
}

Result<audit::PolicyFile> read_policy(const std::string& path) {
  const bool standard_input = path == "-";
  const std::string text =
      SAKER_TRY(read_file(standard_input ? "/dev/stdin" : path, kLargestPolicy));
  return audit::load_policy(text, standard_input ? "standard input" : path);
}

Result<audit::PolicyFile> read_valid_policy(const std::string& path) {
  audit::PolicyFile file = SAKER_TRY(read_policy(path));
  for (const audit::PolicyProblem& problem : file.problems)
    std::fputs(to_text(file, problem).c_str(), stderr);
  if (file.verdict() == audit::Verdict::reject)
    return Error{.message = file.name + ": kube-apiserver would not start with this policy"};
  return file;
}

std::string_view to_string(audit::PolicyProblem::Severity severity) {
  switch (severity) {
    case audit::PolicyProblem::Severity::error: return "error";
    case audit::PolicyProblem::Severity::warning: return "warning";
    case audit::PolicyProblem::Severity::note: break;
  }
  return "note";
}

std::string to_text(const audit::PolicyFile& file, const audit::PolicyProblem& problem) {
  std::string out = file.name + ":" + std::to_string(problem.mark.line + 1) + ":" +
                    std::to_string(problem.mark.column + 1) + ": ";
  out += to_string(problem.severity);
  out += ": " + problem.message;
  if (!problem.hint.empty()) out += " (" + problem.hint + ")";
  out += " [" + problem.id + "]\n";
  const std::string snippet = rules::snippet_at(file.text, problem.mark);
  size_t begin = 0;
  while (begin < snippet.size()) {
    const size_t end = std::min(snippet.find('\n', begin), snippet.size());
    out += "    " + snippet.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

void append_problem(const audit::PolicyProblem& problem, JsonWriter& json) {
  json.begin_object();
  json.key("column").number(problem.mark.column + 1);
  json.key("field").text(problem.field);
  if (!problem.hint.empty()) json.key("hint").text(problem.hint);
  json.key("id").text(problem.id);
  if (!problem.kind.empty()) json.key("kind").text(problem.kind);
  json.key("line").number(problem.mark.line + 1);
  json.key("message").text(problem.message);
  if (problem.rules.empty()) {
    json.key("rule").null();
  } else {
    json.key("rule").number(problem.rules[0]);
    json.key("shadowed_by").begin_array();
    for (size_t i = 1; i < problem.rules.size(); ++i) json.number(problem.rules[i]);
    json.end_array();
  }
  json.key("severity").text(to_string(problem.severity));
  json.end_object();
}

std::string rule_place(const audit::PolicyFile& file, size_t rule) {
  return "rule " + std::to_string(rule) + " (" + file.name + ":" +
         std::to_string(file.policy.rules[rule].mark.line + 1) + ")";
}

std::string rule_summary(const audit::PolicyRule& rule) {
  std::vector<std::string> parts;
  if (!rule.verbs.empty()) parts.push_back(words_text(rule.verbs));
  if (!rule.resources.empty()) parts.push_back(resources_text(rule));
  if (!rule.urls.empty()) parts.push_back("paths " + words_text(rule.urls));
  if (!rule.namespaces.empty()) parts.push_back("in " + words_text(rule.namespaces));
  if (!rule.users.empty()) parts.push_back("by " + words_text(rule.users));
  if (!rule.user_groups.empty()) parts.push_back("by groups " + words_text(rule.user_groups));
  if (parts.empty()) return "everything";
  std::string out = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) out += " · " + parts[i];
  return out;
}

}  // namespace saker::cmd
