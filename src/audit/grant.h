// The least roles that allow what an actor did, what is risky about them, and which of the actor's
// present rights were never used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/grant_log.h"
#include "audit/rbac.h"

namespace saker::audit {

struct GrantOptions {
  bool refused = false;           // grant what was refused, too
  bool impersonation = false;     // grant acting in the name of those whose name was used
  bool widen_namespaces = false;  // what was done in several namespaces is granted in all
  bool expand_verbs = false;      // what tools want along: get and list with watch ...
};

// Every rule is needed: without any one of them something that was done is no longer allowed.
// What everyone has (discovery and version paths) is left out.
std::vector<RbacRole> least_roles(const Deeds& deeds, const GrantOptions& options);

// What a user should think about before granting it: one sentence each.
std::vector<std::string> risks_of(const std::vector<RbacRole>& roles);

// What every authenticated client may do by the binding system:discovery.
bool everyone_may(const Access& access);

// The right that acting in the name of this user takes.
Access impersonation_of(const std::string& name);

// A rule of a role that the actor has, and what of it was never used.
struct UnusedRight {
  std::string binding, role;                               // "RoleBinding shop/dev", "Role dev"
  size_t rule = 0;                                         // of the role, from 0
  bool whole = false;                                      // nothing of the rule was used
  std::vector<std::string> verbs, resources, names, urls;  // unused; all of them when `whole`
  std::vector<std::string> combinations;  // "update secrets", when both words were used otherwise
  std::vector<std::string> used_instead;  // "*" was given: what was used, as "list pods"
};

struct RightsUse {
  std::vector<UnusedRight> unused;
  std::vector<std::string> missing_roles;  // bindings whose role is not in the dump
  std::vector<Access> not_by_these;        // allowed, though no right in the dump allows it
  size_t bindings = 0;                     // that are about the actor
};

// `subject` is the actor; the groups that it was seen with count as well.
RightsUse rights_use(const RbacObjects& objects, const RbacSubject& subject, const Deeds& deeds);

}  // namespace saker::audit
