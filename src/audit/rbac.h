// Role-based access control of Kubernetes: roles, bindings, and what they allow, decided as the
// server's own authorizer does it.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::audit {

// What somebody needs a right for: a verb on objects, or on a path.
struct Access {
  std::string verb;
  std::string group, resource;   // "" and "pods/exec"; no resource: a path
  std::string name_space, name;  // "": not in a namespace, or in all; no name, or any
  std::string path;

  [[nodiscard]] bool is_resource() const { return !resource.empty(); }
  auto operator<=>(const Access&) const = default;
};

// "list secrets in shop", "get /metrics".
std::string to_text(const Access& access);
// "pods/exec", "deployments.apps".
std::string resource_text(std::string_view group, std::string_view resource);

struct RbacRule {
  std::vector<std::string> verbs, groups, resources, names, urls;
};

// Whether the rule allows it, where the rule holds: namespaces are the binding's affair.
bool allows(const RbacRule& rule, const Access& access);
// The same for each list of the rule.
bool allows_verb(const RbacRule& rule, std::string_view verb);
bool allows_resource(const RbacRule& rule, std::string_view resource);

struct RbacRole {
  std::string kind, name_space, name;  // Role, ClusterRole
  std::vector<RbacRule> rules;
};

struct RbacSubject {
  std::string kind, name_space, name;  // User, Group, ServiceAccount
  auto operator<=>(const RbacSubject&) const = default;
};

struct RbacBinding {
  std::string kind, name_space, name;  // RoleBinding, ClusterRoleBinding
  std::string role_kind, role_name;
  std::vector<RbacSubject> subjects;
};

struct RbacObjects {
  std::vector<RbacRole> roles;
  std::vector<RbacBinding> bindings;

  [[nodiscard]] const RbacRole* role_of(const RbacBinding& binding) const;
};

// "system:serviceaccount:shop:cart" is a service account, any other name a user.
RbacSubject subject_of_user(std::string_view name);
// The name under which a subject makes requests; of a group, its own.
std::string user_of_subject(const RbacSubject& subject);

// Adds the objects of a dump, as `kubectl get roles,rolebindings,clusterroles,clusterrolebindings
// -A -o yaml` (or json) writes it: lists, or documents one after the other. Other kinds of objects
// are passed over.
Status read_rbac(std::string_view text, std::string_view file, RbacObjects& out);

}  // namespace saker::audit
