// What the commands about rules, fields and events do once their command line is parsed. Each
// prints on stdout and gives the exit code; no paths means Saker's own rules.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "rules/ruleset.h"

namespace saker::cmd {

// Loads the files and says what is wrong with them.
Result<int> rules_check(std::span<const std::string> paths, bool json);

struct RuleListOptions {
  std::string tag, source;
  std::string priority;  // this one and more severe ones
  bool json = false;
};
Result<int> rules_list(std::span<const std::string> paths, const RuleListOptions& options);

// One rule: its condition as a tree, what it needs of the kernel, what it costs.
Result<int> rules_explain(std::span<const std::string> paths, std::string_view rule, bool json);
std::string explain_text(const rules::Rule& rule);
std::string explain_json(const rules::Rule& rule);

struct FieldListOptions {
  std::string source;  // only fields of this event source
  std::string search;  // only those with this in their name or summary
  bool json = false, markdown = false;
};
Result<int> fields_list(const FieldListOptions& options);
Result<int> events_list(bool json, bool markdown);

// The rule set of the files; the reports of wrong ones are in the error.
Result<rules::RuleSet> load_rules(std::span<const std::string> paths);

}  // namespace saker::cmd
