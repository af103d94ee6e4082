// Names of levels and stages, and a policy file's verdict. See policy.h.
#include "audit/policy.h"

#include <algorithm>

#include "audit/policy_decode.h"
#include "audit/policy_validate.h"

namespace saker::audit {

std::string_view to_string(Level level) {
  return kLevels[static_cast<size_t>(level)];
}

std::optional<Level> parse_level(std::string_view text) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), text);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<Level>(found - kLevels.begin());
}

std::optional<Stage> parse_stage(std::string_view text) {
  const auto found = std::find(kStages.begin(), kStages.end(), text);
  if (found == kStages.end()) return std::nullopt;
  return static_cast<Stage>(found - kStages.begin());
}

std::vector<std::string> StageSet::names() const {
  std::vector<std::string> out;
  for (size_t i = 0; i < kStages.size(); ++i)
    if (contains(static_cast<Stage>(i))) out.emplace_back(kStages[i]);
  std::sort(out.begin(), out.end());
  return out;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::accept: return "accept";
    case Verdict::accept_with_warning: return "accept-warning";
    case Verdict::reject: break;
  }
  return "reject";
}

Verdict PolicyFile::verdict() const {
  if (problems.empty()) return Verdict::accept;
  const bool refused = std::any_of(problems.begin(), problems.end(), [](const PolicyProblem& p) {
    return p.severity == PolicyProblem::Severity::error;
  });
  return refused ? Verdict::reject : Verdict::accept_with_warning;
}

PolicyFile load_policy(std::string_view text, std::string_view name) {
  PolicyFile file;
  file.name = name;
  file.text = text;
  decode_policy(file);
  if (file.decoded) validate_policy(file.policy, file.problems);
  // Errors first, each kind in the order of the file.
  std::vector<PolicyProblem> ordered;
  for (bool errors : {true, false})
    for (PolicyProblem& problem : file.problems)
      if ((problem.severity == PolicyProblem::Severity::error) == errors)
        ordered.push_back(std::move(problem));
  file.problems = std::move(ordered);
  return file;
}

}  // namespace saker::audit
