// Reports of loading: text for people, JSON for machines.
#include <algorithm>
#include <string>

#include "finding/finding.h"
#include "rules/diagnostics.h"
#include "rules/ruleset.h"

namespace saker::rules {

namespace {

std::string code_with_text(const Problem& problem) {
  return problem.code + " (" + std::string(code_description(problem.code)) + ")";
}

void append_problem(const Problem& problem, std::string& out) {
  std::string indent;
  for (const Location& location : problem.context) {
    out += indent.empty() ? "In " : indent;
    out += location.item_type;
    if (!location.item_name.empty()) out += " '" + location.item_name + "'";
    out += ": (" + location.file + ":" + std::to_string(location.line + 1) + ":" +
           std::to_string(location.column + 1) + ")\n";
    indent = "    ";
  }
  if (!problem.snippet.empty()) out += "------\n" + problem.snippet + "------\n";
  out += code_with_text(problem) + ": " + problem.message + "\n";
  if (!problem.hint.empty()) out += "hint: " + problem.hint + "\n";
}

void append_problems(std::string_view title, const std::vector<Problem>& problems,
                     std::string& out) {
  if (problems.empty()) return;
  out += std::to_string(problems.size()) + " " + std::string(title) + ":\n";
  for (const Problem& problem : problems) append_problem(problem, out);
}

void append_summary(std::string_view title, const std::vector<Problem>& problems,
                    std::string& out) {
  if (problems.empty()) return;
  out += " " + std::to_string(problems.size()) + " " + std::string(title) + ": [";
  for (size_t i = 0; i < problems.size(); ++i) {
    if (i != 0) out += " ";
    out += code_with_text(problems[i]);
  }
  out += "]\n";
}

void append_key(std::string_view name, std::string& out) {
  finding::append_json_string(name, out);
  out += ':';
}

void append_text(std::string_view name, std::string_view value, std::string& out) {
  append_key(name, out);
  finding::append_json_string(value, out);
}

void append_number(std::string_view name, uint64_t value, std::string& out) {
  append_key(name, out);
  out += std::to_string(value);
}

void append_location(const Location& location, std::string& out) {
  out += '{';
  append_text("item_name", location.item_name, out);
  out += ',';
  append_text("item_type", location.item_type, out);
  out += ",\"position\":{";
  append_number("column", location.column, out);
  out += ',';
  append_number("line", location.line, out);
  out += ',';
  append_text("name", location.file, out);
  out += ',';
  append_number("offset", location.offset, out);
  out += "}}";
}

void append_json(const std::vector<Problem>& problems, std::string& out) {
  out += '[';
  for (size_t i = 0; i < problems.size(); ++i) {
    const Problem& problem = problems[i];
    out += i == 0 ? "{" : ",{";
    append_text("code", problem.code, out);
    out += ',';
    append_text("codedesc", code_description(problem.code), out);
    out += ",\"context\":{\"locations\":[";
    for (size_t k = 0; k < problem.context.size(); ++k) {
      if (k != 0) out += ',';
      append_location(problem.context[k], out);
    }
    out += "],";
    append_text("snippet", problem.snippet, out);
    out += "},";
    append_text("message", problem.message, out);
    out += '}';
  }
  out += ']';
}

bool is_same(const Problem& a, const Problem& b) {
  return a.code == b.code && a.message == b.message &&
         std::equal(a.context.begin(), a.context.end(), b.context.begin(), b.context.end(),
                    [](const Location& x, const Location& y) {
                      return x.item_name == y.item_name && x.file == y.file && x.offset == y.offset;
                    });
}

bool contains(const std::vector<Problem>& problems, const Problem& problem) {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const Problem& other) { return is_same(other, problem); });
}

}  // namespace

std::vector<FileReport> without_repetitions(std::vector<FileReport> reports) {
  if (reports.empty()) return reports;
  const std::vector<Problem> last = reports.back().warnings;
  // The report of an invalid file ends early: it says nothing of what is used.
  const bool all_known = reports.back().successful();
  for (size_t i = reports.size(); i-- > 0;)
    std::erase_if(reports[i].warnings, [&](const Problem& warning) {
      if (i > 0 && contains(reports[i - 1].warnings, warning)) return true;
      return all_known && warning.code.starts_with("LOAD_UNUSED_") && !contains(last, warning);
    });
  return reports;
}

std::string to_text(const FileReport& report, bool verbose) {
  std::string out = report.name + ": ";
  out += !report.successful() ? "Invalid" : report.warnings.empty() ? "Ok" : "Ok, with warnings";
  out += '\n';
  if (verbose) {
    append_problems("Errors", report.errors, out);
    append_problems("Warnings", report.warnings, out);
  } else {
    append_summary("errors", report.errors, out);
    append_summary("warnings", report.warnings, out);
  }
  return out;
}

std::string to_json(const std::vector<FileReport>& reports) {
  std::string out = "{\"falco_load_results\":[";
  for (size_t i = 0; i < reports.size(); ++i) {
    const FileReport& report = reports[i];
    out += i == 0 ? "{\"errors\":" : ",{\"errors\":";
    append_json(report.errors, out);
    out += ',';
    append_text("name", report.name, out);
    out += report.successful() ? ",\"successful\":true" : ",\"successful\":false";
    out += ",\"warnings\":";
    append_json(report.warnings, out);
    out += '}';
  }
  return out + "]}";
}

}  // namespace saker::rules
