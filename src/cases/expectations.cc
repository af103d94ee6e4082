// The `expect` steps.
#include <algorithm>

#include "base/fd.h"
#include "base/strings.h"
#include "cases/world.h"
#include "fields/catalog.h"
#include "filter/output_template.h"

namespace saker::cases {

namespace {

constexpr size_t kLargestGolden = 16 << 20;

std::string describe(const std::vector<finding::Finding>& findings) {
  if (findings.empty()) return "no finding";
  std::string text;
  for (const finding::Finding& finding : findings)
    text += "\"" + finding.rule + "\" " + std::string(finding::to_string(finding.severity)) + ": " +
            finding.message + "\n";
  return text;
}

std::string value_text(const finding::FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  std::string json;
  finding::append_json_value(value, json);
  return json;
}

// "output.contains TEXT", "tag T1059", "FIELD = VALUE" under an expected finding.
Outcome check_detail(const finding::Finding& finding, const std::string& line) {
  const std::string_view text = trim(line);
  const size_t blank = text.find(' ');
  const std::string_view verb = text.substr(0, blank);
  const std::string_view argument = blank == std::string_view::npos ? "" : trim(text.substr(blank));
  if (verb == "output.contains") {
    if (finding.message.find(argument) != std::string::npos) return {};
    return Outcome::failed("expected the output to contain: " + std::string(argument) +
                           "\nactual: " + finding.message);
  }
  if (verb == "tag") {
    if (std::ranges::find(finding.tags, argument) != finding.tags.end()) return {};
    return Outcome::failed("expected tag " + std::string(argument) +
                           "\nactual: " + join(finding.tags, ", "));
  }
  if (argument.starts_with('=')) {
    const std::string_view wanted = trim(argument.substr(1));
    for (const finding::NamedValue& field : finding.fields) {
      if (field.name != verb) continue;
      if (value_text(field.value) == wanted) return {};
      return Outcome::failed("expected " + std::string(text) +
                             "\nactual: " + value_text(field.value));
    }
    return Outcome::failed("the output of the rule has no field " + std::string(verb));
  }
  return Outcome::failed("no detail '" + std::string(text) +
                         "'; there are output.contains, tag, FIELD = VALUE");
}

}  // namespace

Outcome World::step_expect(const Step& step) {
  had_expectation_ = true;
  const std::string what = step.words.empty() ? "" : step.words[0];
  if (what == "finding") return expect_finding(step);
  if (what == "none") return expect_none();
  if (what == "count") return expect_count(step);
  if (what == "error") return expect_error(step);
  if (what == "ok")
    return error_text_.empty() ? Outcome{}
                               : Outcome::failed("expected no error\nactual: " + error_text_);
  if (what == "match") return expect_match(true);
  if (what == "nomatch") return expect_match(false);
  if (what == "field") return expect_field(step);
  if (what == "exit") return expect_exit(step);
  if (what == "stdout") return expect_text(step, output_);
  if (what == "stderr") return expect_text(step, errors_);
  if (what == "golden") return expect_golden(step);
  return Outcome::failed("no expectation '" + what +
                         "'; there are finding, none, count, error, ok, match, nomatch, "
                         "field, exit, stdout, stderr, golden");
}

// Takes all findings of the rule so far; the details hold for the last of them.
Outcome World::expect_finding(const Step& step) {
  if (step.words.size() < 2) return Outcome::failed("expect finding \"RULE\" [PRIORITY]");
  const std::string& rule = step.words[1];
  std::optional<finding::Finding> last;
  std::vector<finding::Finding> rest;
  for (finding::Finding& finding : findings_) {
    if (finding.rule == rule) {
      last = std::move(finding);
    } else {
      rest.push_back(std::move(finding));
    }
  }
  findings_ = std::move(rest);
  if (!last)
    return Outcome::failed("expected finding \"" + rule + "\"\nactual: " + describe(findings_));
  const finding::Finding& found = *last;
  if (step.words.size() > 2 && finding::parse_severity(step.words[2]) != found.severity)
    return Outcome::failed("expected priority " + step.words[2] +
                           "\nactual: " + std::string(finding::to_string(found.severity)));
  for (const std::string& line : step.block)
    if (Outcome outcome = check_detail(found, line); outcome.kind != Outcome::Kind::ok)
      return outcome;
  return {};
}

Outcome World::expect_none() {
  if (findings_.empty()) return {};
  return Outcome::failed("expected no finding\nactual: " + describe(findings_));
}

// expect count N ["RULE"]: takes the findings that it counts.
Outcome World::expect_count(const Step& step) {
  const std::optional<uint64_t> wanted =
      step.words.size() > 1 ? parse_uint(step.words[1]) : std::nullopt;
  if (!wanted) return Outcome::failed("expect count N [\"RULE\"]");
  const std::string rule = step.words.size() > 2 ? step.words[2] : "";
  const size_t before = findings_.size();
  std::erase_if(findings_, [&](const finding::Finding& finding) {
    return rule.empty() || finding.rule == rule;
  });
  const size_t count = before - findings_.size();
  if (count == *wanted) return {};
  return Outcome::failed("expected " + step.words[1] +
                         " findings\nactual: " + std::to_string(count));
}

// expect error [LINE:COLUMN] ["PART OF THE MESSAGE"]
Outcome World::expect_error(const Step& step) {
  if (error_text_.empty()) return Outcome::failed("expected an error\nactual: none");
  for (size_t i = 1; i < step.words.size(); ++i)
    if (error_text_.find(step.words[i]) == std::string::npos)
      return Outcome::failed("expected an error with: " + step.words[i] +
                             "\nactual: " + error_text_);
  error_text_.clear();
  return {};
}

Outcome World::expect_match(bool wanted) {
  if (!condition_) return Outcome::failed("no condition compiled: " + error_text_);
  if (!has_event_) return Outcome::failed("no event before this");
  pipeline_.scratch().reset();
  if (filter::matches(*condition_, pipeline_.context()) == wanted) return {};
  return Outcome::failed(wanted ? "expected the condition to match the last event"
                                : "expected the condition not to match the last event");
}

// expect field NAME [= VALUE]; without a value: the field has none.
Outcome World::expect_field(const Step& step) {
  if (step.words.size() < 2 || !has_event_)
    return Outcome::failed("expect field NAME = VALUE, after an event");
  Result<filter::ParsedOperand> parsed = filter::parse_operand(step.words[1]);
  if (!parsed.ok()) return Outcome::failed(parsed.error().to_text());
  Result<filter::Operand> operand = filter::compile_operand(
      parsed->operand, fields::catalog(), event::to_string(current_event_.source));
  if (!operand.ok()) return Outcome::failed(operand.error().to_text());
  filter::Values values;
  pipeline_.scratch().reset();
  const bool has_value = filter::evaluate(*operand, pipeline_.context(), values);
  const bool wants_value = step.words.size() > 2;
  std::string actual = "<NA>";
  if (has_value) {
    actual.clear();
    filter::append_text(*operand, values, actual);
  }
  if (has_value == wants_value &&
      (!wants_value || (step.words.size() > 3 ? step.words[3] : "") == actual))
    return {};
  return Outcome::failed("expected " + step.rest.substr(6) + "\nactual: " + actual);
}

Outcome World::expect_exit(const Step& step) {
  if (step.words.size() == 2 && std::to_string(exit_code_) == step.words[1]) return {};
  return Outcome::failed("expected " + step.rest + "\nactual: " + std::to_string(exit_code_) +
                         "\n" + errors_);
}

// The block is the whole text; with `contains`, each of its lines must be somewhere in it.
Outcome World::expect_text(const Step& step, const std::string& text) {
  if (step.words.size() > 1 && step.words[1] == "contains") {
    std::vector<std::string> parts = step.block;
    if (step.words.size() > 2) parts.push_back(step.words[2]);
    for (const std::string& part : parts)
      if (text.find(part) == std::string::npos)
        return Outcome::failed("expected to see: " + part + "\nactual: " + text);
    return {};
  }
  std::string wanted;
  for (const std::string& line : step.block) wanted += line + "\n";
  if (trim(wanted) == trim(text)) return {};
  return Outcome::failed("expected:\n" + wanted + "actual:\n" + text);
}

Outcome World::expect_golden(const Step& step) {
  if (step.words.size() != 2) return Outcome::failed("expect golden FILE");
  const std::optional<std::string> path = resolve(step.words[1]);
  if (!path) return Outcome::skipped("the conformance data is not here");
  if (options_.update) {
    Status status = replace_file(*path, output_);
    return status.ok() ? Outcome{} : Outcome::failed(status.error().to_text());
  }
  Result<std::string> wanted = read_file(*path, kLargestGolden);
  if (!wanted.ok()) return Outcome::failed(wanted.error().to_text());
  if (*wanted == output_) return {};
  return Outcome::failed("the output differs from " + *path + "; --update rewrites it\nactual:\n" +
                         output_);
}

}  // namespace saker::cases
