// What to think about before granting roles. See grant.h.
#include <algorithm>
#include <array>

#include "audit/grant.h"
#include "base/strings.h"

namespace saker::audit {

namespace {

struct Risk {
  std::string_view group, resource;
  std::string_view verbs;  // any of these; "": any
  std::string_view what;   // it lets one do
};

constexpr auto kRisks = std::to_array<Risk>({
    {"", "secrets", "list watch", "reads the contents of all secrets"},
    {"", "secrets", "get", "reads secrets"},
    {"", "serviceaccounts/token", "create",
     "makes tokens of service accounts, and so becomes them"},
    {"", "pods", "create", "makes pods, and with them uses any service account and secret there"},
    {"apps", "deployments daemonsets statefulsets replicasets", "create update patch",
     "makes pods, and with them uses any service account and secret there"},
    {"batch", "jobs cronjobs", "create update patch",
     "makes pods, and with them uses any service account and secret there"},
    {"", "pods/exec pods/attach", "", "runs commands in pods, and so has what those have"},
    {"", "pods/ephemeralcontainers", "update patch", "puts containers into running pods"},
    {"", "nodes/proxy", "",
     "reaches kubelets past admission: runs commands in every pod of a node"},
    {"", "nodes", "create update patch", "changes nodes"},
    {"", "persistentvolumes", "create", "makes volumes of folders of the nodes"},
    {"certificates.k8s.io", "certificatesigningrequests/approval", "update patch",
     "approves certificates, and so becomes anybody"},
    {"rbac.authorization.k8s.io", "roles clusterroles rolebindings clusterrolebindings",
     "create update patch",
     "changes rights; what it does not hold itself it can't give without escalate or bind"},
    {"admissionregistration.k8s.io",
     "mutatingwebhookconfigurations validatingwebhookconfigurations mutatingadmissionpolicies "
     "mutatingadmissionpolicybindings",
     "create update patch", "reads and changes all that is created"},
});

bool names(std::string_view list, std::string_view word) {
  const std::vector<std::string_view> words = split(list, ' ');
  return list.empty() || std::find(words.begin(), words.end(), word) != words.end();
}

bool applies(const Risk& risk, const RbacRule& rule) {
  return std::find(rule.groups.begin(), rule.groups.end(), risk.group) != rule.groups.end() &&
         std::any_of(rule.resources.begin(), rule.resources.end(),
                     [&](const std::string& word) { return names(risk.resource, word); }) &&
         std::any_of(rule.verbs.begin(), rule.verbs.end(),
                     [&](const std::string& word) { return names(risk.verbs, word); });
}

bool has_star(const RbacRule& rule) {
  const auto star = [](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), "*") != list.end();
  };
  return star(rule.verbs) || star(rule.resources) || star(rule.groups) || star(rule.urls);
}

bool has_verb(const RbacRule& rule, std::string_view verb) {
  return std::find(rule.verbs.begin(), rule.verbs.end(), verb) != rule.verbs.end();
}

std::string where(const RbacRole& role, const RbacRule& rule) {
  std::string out = role.name_space.empty() ? " in the whole cluster" : " in " + role.name_space;
  if (rule.names.empty()) return out;
  return (rule.names.size() > 3 ? " (" + std::to_string(rule.names.size()) + " by name)"
                                : " (" + join(rule.names, ", ") + ")") +
         out;
}

std::string things(const RbacRule& rule) {
  return join(rule.verbs, ", ") + " on " + join(rule.resources, ", ");
}

}  // namespace

std::vector<std::string> risks_of(const std::vector<RbacRole>& roles) {
  std::vector<std::string> out;
  for (const RbacRole& role : roles)
    for (const RbacRule& rule : role.rules) {
      const size_t before = out.size();
      const auto add = [&](std::string_view what) {
        std::string text = things(rule) + where(role, rule) + ": " + std::string(what);
        if (out.size() == before) out.push_back(std::move(text));  // one a rule: the worst
      };
      if (has_star(rule)) add("a wildcard, which takes in what comes later");
      if (has_verb(rule, "impersonate")) add("acts in the name of others");
      if (has_verb(rule, "escalate") || has_verb(rule, "bind")) add("gives itself any right");
      for (const Risk& risk : kRisks)
        if (applies(risk, rule)) add(risk.what);
    }
  return out;
}

}  // namespace saker::audit
