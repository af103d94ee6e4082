// Loading the rule files that a command names, with the reports on stderr.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "rules/ruleset.h"

namespace saker::agent {

struct RuleFileOptions {
  std::vector<std::string> paths;
  finding::Severity minimum_priority = finding::Severity::debug;
  std::vector<rules::Selection> selections;
  std::vector<rules::OutputAddition> additions;
  std::string extra_output;
  bool suggested_output = false;  // name the container in outputs that don't
  bool keep_sources = false;      // for explaining rules
};

// The rule set of the files, or an Error whose text holds the reports. Warnings go to `warnings`.
Result<rules::RuleSet> load_rule_files(const RuleFileOptions& options, std::string& warnings);

// The folder with Saker's own rules: beside the binary's source tree, or where the package put
// them.
std::string default_rules_folder();

}  // namespace saker::agent
