// The reference's command line on `saker run`, for people who change one command: what means the
// same is done, what has no counterpart is named with what to use instead.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/rule_files.h"
#include "cmd/command.h"

namespace saker::cmd {

struct FalcoArguments {
  std::vector<std::string> validate, captures, disable, with_tags, without_tags, runtime_sockets,
      enable_sources, disable_sources;
  std::string explain, snaplen, list_fields;
  bool list_rules = false, list_events = false, nothing = false;

  static constexpr size_t kMostRefused = 32;
  std::array<bool, kMostRefused> refused_flags{};
  std::array<std::string, kMostRefused> refused_values{};
};

// The options, bound to `arguments`.
std::vector<Option> falco_options(FalcoArguments& arguments);

// An error for the first option that has no counterpart, with what to use instead.
Status check_refused(const FalcoArguments& arguments);

// Whether events of a source, "syscall" or "k8s_audit", are to be watched.
Result<bool> wants_source(const FalcoArguments& arguments, std::string_view source);

// Configuration keys that options stand for, as "a.b=c".
std::vector<std::string> falco_overrides(const FalcoArguments& arguments);
// -D, -T and -t, after what the configuration selects.
void add_selections(const FalcoArguments& arguments, std::vector<rules::Selection>& selections);

// What is done instead of watching (-V, -L, -l, --list, --list-events, -e); nothing to watch.
std::optional<Result<int>> act_instead(const FalcoArguments& arguments,
                                       const agent::RuleFileOptions& rules, bool first_rule_only,
                                       bool json);

}  // namespace saker::cmd
