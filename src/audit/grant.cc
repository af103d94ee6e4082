// Making the least roles. See grant.h.
#include "audit/grant.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace saker::audit {

namespace {

using Texts = std::set<std::string>;

// What is wanted in one namespace, or in the whole cluster.
struct Scope {
  struct Kind {
    Texts any;                           // verbs on objects of any name
    std::map<std::string, Texts> named;  // verbs by the name of the object
  };
  std::map<std::pair<std::string, std::string>, Kind> kinds;  // by group and resource
  std::map<std::string, Texts> paths;                         // verbs by path
};

void subtract(Texts& from, const Texts& what) {
  std::erase_if(from, [&](const std::string& verb) { return what.contains(verb); });
}

void expand(Texts& verbs) {
  static constexpr std::pair<std::string_view, std::array<std::string_view, 2>> kAlong[] = {
      {"watch", {"get", "list"}},
      {"list", {"get", "watch"}},
      {"update", {"get", "patch"}},
      {"patch", {"get", "update"}}};
  const Texts before = verbs;
  for (const auto& [verb, along] : kAlong)
    if (before.contains(std::string(verb))) verbs.insert(along.begin(), along.end());
}

class RoleMaker {
 public:
  RoleMaker(const Deeds& deeds, const GrantOptions& options) : deeds_(deeds), options_(options) {}

  std::vector<RbacRole> make() {
    for (const auto& [access, count] : deeds_.allowed) want(access);
    if (options_.refused)
      for (const auto& [access, count] : deeds_.refused) want(access);
    if (options_.impersonation)
      for (const auto& [name, count] : deeds_.impersonated) want(impersonation_of(name));
    if (options_.widen_namespaces) widen_namespaces();
    if (options_.expand_verbs) expand_verbs();
    drop_what_is_covered();
    std::vector<RbacRole> roles;
    for (auto& [name_space, scope] : scopes_) {
      RbacRole role{.kind = name_space.empty() ? "ClusterRole" : "Role",
                    .name_space = name_space,
                    .name = {},
                    .rules = rules_of(scope)};
      if (!role.rules.empty()) roles.push_back(std::move(role));
    }
    return roles;
  }

 private:
  void want(const Access& access) {
    if (everyone_may(access)) return;
    Scope& scope = scopes_[access.name_space];
    if (!access.is_resource()) {
      scope.paths[access.path].insert(access.verb);
      return;
    }
    Scope::Kind& kind = scope.kinds[{access.group, access.resource}];
    (access.name.empty() ? kind.any : kind.named[access.name]).insert(access.verb);
  }

  // A verb on a kind of object that was used in more than one namespace goes to the cluster.
  void widen_namespaces() {
    std::map<std::pair<std::string, std::string>, std::map<std::string, size_t>> spaces;
    const auto verbs_of = [](const Scope::Kind& kind) {
      Texts verbs = kind.any;
      for (const auto& [name, its] : kind.named) verbs.insert(its.begin(), its.end());
      return verbs;
    };
    for (const auto& [name_space, scope] : scopes_)
      if (!name_space.empty())
        for (const auto& [key, kind] : scope.kinds)
          for (const std::string& verb : verbs_of(kind)) ++spaces[key][verb];
    for (const auto& [key, verbs] : spaces)
      for (const auto& [verb, count] : verbs)
        if (count > 1) scopes_[""].kinds[key].any.insert(verb);
  }

  void expand_verbs() {
    for (auto& [name_space, scope] : scopes_)
      for (auto& [key, kind] : scope.kinds) {
        expand(kind.any);
        for (auto& [name, verbs] : kind.named) expand(verbs);
      }
  }

  // A right for any name covers that for one, a right in the cluster that in a namespace.
  void drop_what_is_covered() {
    const Scope cluster = scopes_.contains("") ? scopes_[""] : Scope{};
    for (auto& [name_space, scope] : scopes_)
      for (auto& [key, kind] : scope.kinds) {
        const auto above = cluster.kinds.find(key);
        const bool has_above = !name_space.empty() && above != cluster.kinds.end();
        if (has_above) subtract(kind.any, above->second.any);
        for (auto& [name, verbs] : kind.named) {
          subtract(verbs, kind.any);
          if (!has_above) continue;
          subtract(verbs, above->second.any);
          const auto same = above->second.named.find(name);
          if (same != above->second.named.end()) subtract(verbs, same->second);
        }
      }
  }

  // Rules that differ in one list only become one, so that no rule allows more than its parts did.
  static std::vector<RbacRule> rules_of(const Scope& scope) {
    // Verbs and names that resources of one group have in common.
    using Shape = std::pair<Texts, Texts>;
    std::map<std::pair<std::string, Shape>, Texts> resources;
    for (const auto& [key, kind] : scope.kinds) {
      if (!kind.any.empty()) resources[{key.first, {kind.any, {}}}].insert(key.second);
      std::map<Texts, Texts> names;  // by verbs
      for (const auto& [name, verbs] : kind.named)
        if (!verbs.empty()) names[verbs].insert(name);
      for (const auto& [verbs, its] : names)
        resources[{key.first, {verbs, its}}].insert(key.second);
    }
    std::vector<RbacRule> rules;
    for (const auto& [key, kinds] : resources) {
      const auto& [verbs, names] = key.second;
      rules.push_back({.verbs = {verbs.begin(), verbs.end()},
                       .groups = {key.first},
                       .resources = {kinds.begin(), kinds.end()},
                       .names = {names.begin(), names.end()},
                       .urls = {}});
    }
    std::map<Texts, Texts> paths;  // by verbs
    for (const auto& [path, verbs] : scope.paths) paths[verbs].insert(path);
    for (const auto& [verbs, its] : paths)
      rules.push_back({.verbs = {verbs.begin(), verbs.end()},
                       .groups = {},
                       .resources = {},
                       .names = {},
                       .urls = {its.begin(), its.end()}});
    return rules;
  }

  const Deeds& deeds_;
  const GrantOptions& options_;
  std::map<std::string, Scope> scopes_;
};

}  // namespace

bool everyone_may(const Access& access) {
  static const RbacRule kDiscovery = {
      .verbs = {"get"},
      .groups = {},
      .resources = {},
      .names = {},
      .urls = {"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*",
               "/readyz", "/version", "/version/"}};
  return !access.is_resource() && allows(kDiscovery, access);
}

Access impersonation_of(const std::string& name) {
  const RbacSubject other = subject_of_user(name);
  const bool account = other.kind == "ServiceAccount";
  return {.verb = "impersonate",
          .group = {},
          .resource = account ? "serviceaccounts" : "users",
          .name_space = other.name_space,
          .name = other.name,
          .path = {}};
}

std::vector<RbacRole> least_roles(const Deeds& deeds, const GrantOptions& options) {
  return RoleMaker(deeds, options).make();
}

}  // namespace saker::audit
