// What rules allow. See rbac.h.
#include "audit/rbac.h"

#include <algorithm>

namespace saker::audit {

namespace {

constexpr std::string_view kServiceAccount = "system:serviceaccount:";

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool has_or_star(const std::vector<std::string>& list, std::string_view word) {
  return has(list, "*") || has(list, word);
}

bool allows_path(const RbacRule& rule, std::string_view path) {
  return std::any_of(rule.urls.begin(), rule.urls.end(), [&](std::string_view url) {
    if (url == "*" || url == path) return true;
    if (!url.ends_with('*')) return false;
    while (url.ends_with('*')) url.remove_suffix(1);
    return path.starts_with(url);
  });
}

}  // namespace

std::string resource_text(std::string_view group, std::string_view resource) {
  std::string out(resource);
  return group.empty() ? out : out + "." + std::string(group);
}

std::string to_text(const Access& access) {
  if (!access.is_resource()) return access.verb + " " + access.path;
  std::string out = access.verb + " " + resource_text(access.group, access.resource);
  if (!access.name.empty()) out += " " + access.name;
  return access.name_space.empty() ? out : out + " in " + access.name_space;
}

bool allows_verb(const RbacRule& rule, std::string_view verb) {
  return has_or_star(rule.verbs, verb);
}

// "*/scale" is that part of every kind of object; "pods/*" is nothing special.
bool allows_resource(const RbacRule& rule, std::string_view resource) {
  if (has_or_star(rule.resources, resource)) return true;
  const size_t slash = resource.find('/');
  return slash != std::string_view::npos &&
         has(rule.resources, "*" + std::string(resource.substr(slash)));
}

bool allows(const RbacRule& rule, const Access& access) {
  if (!allows_verb(rule, access.verb)) return false;
  if (!access.is_resource()) return allows_path(rule, access.path);
  return has_or_star(rule.groups, access.group) && allows_resource(rule, access.resource) &&
         (rule.names.empty() || has(rule.names, access.name));
}

const RbacRole* RbacObjects::role_of(const RbacBinding& binding) const {
  for (const RbacRole& role : roles)
    if (role.kind == binding.role_kind && role.name == binding.role_name &&
        (role.kind == "ClusterRole" || role.name_space == binding.name_space))
      return &role;
  return nullptr;
}

RbacSubject subject_of_user(std::string_view name) {
  if (!name.starts_with(kServiceAccount)) return {"User", "", std::string(name)};
  const std::string_view rest = name.substr(kServiceAccount.size());
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return {"User", "", std::string(name)};
  return {"ServiceAccount", std::string(rest.substr(0, colon)),
          std::string(rest.substr(colon + 1))};
}

std::string user_of_subject(const RbacSubject& subject) {
  if (subject.kind != "ServiceAccount") return subject.name;
  return std::string(kServiceAccount) + subject.name_space + ":" + subject.name;
}

}  // namespace saker::audit
