// Which requests two policies treat differently.
#pragma once

#include <string>
#include <vector>

#include "audit/policy.h"
#include "audit/policy_match.h"

namespace saker::audit {

struct LevelChange {
  // What the requests have, for people; several values joined by commas.
  std::string who, verb, what, where;
  Decision before, after;
  size_t count = 0;  // classes of requests that this line stands for
};

struct PolicyDiff {
  std::vector<LevelChange> changes;
  size_t classes = 0;    // that were compared
  bool complete = true;  // false: there were too many to compare all
};

// Compares over every combination of the words of both policies, one word that neither has, and the
// resources that Kubernetes has. A user counts in one group at a time (and those that it implies).
PolicyDiff diff_policies(const Policy& before, const Policy& after);

}  // namespace saker::audit
