// A loaded rule set: what the files say, after macros, lists, exceptions, appends and overrides are
// resolved.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "event/demand.h"
#include "filter/ast.h"
#include "filter/compile.h"
#include "filter/output_template.h"
#include "finding/finding.h"
#include "rules/burst.h"

namespace saker::rules {

// Where something stands in a rules file, innermost last: "rules content", "rule 'X'", "condition
// expression".
struct Location {
  std::string item_type;
  std::string item_name;
  std::string file;
  uint32_t line = 0, column = 0;  // counted from 0, as reports want it; people get +1
  uint64_t offset = 0;
};

// One error or warning of loading.
struct Problem {
  std::string code;  // "LOAD_ERR_YAML_VALIDATE"
  std::string message;
  std::vector<Location> context;
  std::string snippet;  // the offending line with a caret under it
  std::string hint;     // "did you mean 'proc.name'?"
  bool is_error = false;
};

struct FileReport {
  std::string name;
  std::vector<Problem> errors;
  std::vector<Problem> warnings;

  [[nodiscard]] bool successful() const { return errors.empty(); }
};

struct Rule {
  std::string name;
  std::string description;
  std::string condition_text;  // as written, appends and exceptions included; see keep_sources
  std::string output_text;
  finding::Severity priority = finding::Severity::debug;
  std::string source = "syscall";
  std::vector<std::string> tags;  // sorted, unique
  bool enabled = true;
  bool capture = false;
  uint32_t capture_duration_ms = 0;
  std::optional<Burst> burst;  // only many matches together make an alert

  filter::Node condition;  // macros expanded; see LoadOptions::keep_sources
  filter::Expr expr;       // typed
  filter::OutputTemplate output;
  std::vector<std::pair<std::string, filter::OutputTemplate>> extra_fields;  // of additions
  std::vector<event::EventCode> event_codes;  // that it can match; all when it names none
  bool names_event_types = false;             // event_codes come from the condition, not from "all"
  std::vector<std::string> macros, lists, fields;  // used; see keep_sources
  std::vector<std::string> exception_names;        // the same
  Location location;
};

struct RuleSet {
  std::vector<Rule> rules;  // in evaluation order; disabled ones included
  std::string required_engine_version;
};

// Enables or disables rules after loading, in order.
struct Selection {
  bool enable = true;
  std::string rule_glob;  // either this ...
  std::string tag;        // ... or this
};

// Text and fields that a configuration adds to the outputs of rules (append_output). Empty members
// of the match restrict nothing.
struct OutputAddition {
  std::string source = {}, rule = {};
  std::vector<std::string> tags = {};                                  // all of them
  std::string extra_output = {};                                       // appended with a blank
  std::vector<std::pair<std::string, std::string>> extra_fields = {};  // name, template
};

// Fields that outputs should name whatever their rule says: " label=%field" for each that the
// output does not name, left out of events whose `field` is `absent_when`.
struct SuggestedOutput {
  std::string source = "syscall";
  std::string field, absent_when;
  std::vector<std::pair<std::string, std::string>> labels = {};  // label, field
};

struct LoadOptions {
  const filter::FieldCatalog* catalog = nullptr;
  finding::Severity minimum_priority = finding::Severity::debug;
  std::vector<Selection> selections = {};
  std::vector<std::string> known_sources = {"syscall", "k8s_audit"};
  std::vector<OutputAddition> additions = {};
  std::string extra_output =
      {};  // appended to the output of each rule whose source has its fields (-p)
  SuggestedOutput suggested = {};
  // Whether rules keep what explains them: the syntax tree and text of the condition, and the names
  // of what it uses. The engine needs none of that.
  bool keep_sources = true;
};

// Text of a rules file with the name that reports show.
struct RulesText {
  std::string name;
  std::string text;
};

struct LoadResult {
  RuleSet set;  // empty when any file has an error
  std::vector<FileReport> reports;

  [[nodiscard]] bool ok() const {
    for (const FileReport& report : reports)
      if (!report.successful()) return false;
    return true;
  }
};

// Loads files in order into one namespace.
LoadResult load(const std::vector<RulesText>& files, const LoadOptions& options);

// Expands files and directories (every .yaml/.yml in it, sorted, not recursive) and reads them.
Result<std::vector<RulesText>> read_rules_files(const std::vector<std::string>& paths);

// Reports as people read them, and as JSON in the reference's shape.
std::string to_text(const FileReport& report, bool verbose);
std::string to_json(const std::vector<FileReport>& reports);

// The reports without what is noise to people: each file's report repeats the warnings of earlier
// files, and says of something that it is not used though a later file uses it.
std::vector<FileReport> without_repetitions(std::vector<FileReport> reports);

// The event codes on which a condition can be true. Nothing when it restricts none ("all").
std::optional<std::set<event::EventCode>> event_codes_of(const filter::Node& condition);

}  // namespace saker::rules
