// What the subcommands of `saker audit policy` share: reading a policy file, and saying what is
// wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/policy.h"
#include "base/result.h"
#include "cmd/command.h"
#include "cmd/listing.h"

namespace saker::cmd {

// The argument of a subcommand that is about one policy, and the path that it was given.
Positional policy_positional(std::vector<std::string>& files);
Result<std::string> one_policy(const std::vector<std::string>& files);

// Reads and loads a policy; "-" is standard input. What is wrong with it is in its problems.
Result<audit::PolicyFile> read_policy(const std::string& path);
// The same for one that must be good: prints why it is not on stderr and fails.
Result<audit::PolicyFile> read_valid_policy(const std::string& path);

// "policy.yaml:4:3: warning: ... [unreachable-rule]" with the line and a caret below it.
std::string to_text(const audit::PolicyFile& file, const audit::PolicyProblem& problem);
std::string_view to_string(audit::PolicyProblem::Severity severity);
void append_problem(const audit::PolicyProblem& problem, JsonWriter& json);
// "rule 3 (policy.yaml:14)"; rules count from 0.
std::string rule_place(const audit::PolicyFile& file, size_t rule);
// What a rule asks for, on one line: "get, list · secrets, configmaps · in shop · by ana".
std::string rule_summary(const audit::PolicyRule& rule);

}  // namespace saker::cmd
