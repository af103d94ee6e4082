// Words of a policy that no request ever has: verbs and resources that do not exist, patterns that
// are none, names where there are no names.
#include <algorithm>

#include "audit/kube_resources.h"
#include "audit/policy_cover.h"
#include "audit/policy_lint.h"
#include "base/strings.h"

namespace saker::audit {

namespace {

constexpr auto kWarning = PolicyProblem::Severity::warning;
constexpr auto kNote = PolicyProblem::Severity::note;

// What people write as a verb, and what they mean.
std::string verb_hint(std::string_view verb) {
  const std::string lower = to_lower(verb);
  if (verb == "*") return "leave verbs out: no list is all verbs";
  if (lower == "exec" || lower == "attach" || lower == "portforward" || lower == "connect")
    return "these are create or get of pods/exec, pods/attach, pods/portforward";
  if (lower == "read") return "get, list, watch";
  if (lower == "write" || lower == "edit" || lower == "apply" || lower == "modify" ||
      lower == "replace" || lower == "put")
    return "create, update, patch";
  if (lower == "post") return "create";
  if (lower == "remove") return "delete, deletecollection";
  if (lower == "use" || lower == "bind" || lower == "escalate" || lower == "impersonate" ||
      lower == "approve" || lower == "sign")
    return "a verb of RBAC only: no request has it";
  const auto near = nearest(lower, {kResourceVerbs.begin(), kResourceVerbs.end()});
  return near ? "did you mean '" + *near + "'?"
              : "verbs are " + join({kResourceVerbs.begin(), kResourceVerbs.end()}, ", ");
}

void lint_verbs(LintContext& lint, const PolicyRule& rule, size_t index) {
  for (const Word& verb : rule.verbs) {
    const bool resource = !rule.only_urls() && is_resource_verb(verb.text);
    const bool url = !rule.only_resources() && is_url_verb(verb.text);
    if (resource || url) continue;
    std::string message = "verb \"" + verb.text + "\" never occurs";
    if (rule.only_urls() && is_resource_verb(verb.text))
      message += " with non-resource URLs: theirs are HTTP methods in lower case";
    else if (rule.only_resources() && is_url_verb(verb.text))
      message += " with resources";
    lint.add(
        kWarning, "unknown-verb", std::move(message), verb.mark, {index},
        rule.only_urls() ? "get, head, post, put, patch, delete, options" : verb_hint(verb.text));
  }
}

// Lists that are compared literally, in which a star is no pattern.
void lint_literal(LintContext& lint, const std::vector<Word>& words, std::string_view list,
                  size_t index) {
  for (const Word& word : words)
    if (word.text.contains('*'))
      lint.add(kWarning, "not-a-pattern",
               "\"" + word.text + "\" in " + std::string(list) +
                   " is taken literally and matches nothing",
               word.mark, {index},
               word.text == "*" ? "leave " + std::string(list) + " out to mean all"
                                : "only whole names match");
}

void lint_people(LintContext& lint, const PolicyRule& rule, size_t index) {
  for (const Word& user : rule.users) {
    const std::string_view name = user.text;
    const bool group = name == "system:masters" || name == "system:authenticated" ||
                       name == "system:unauthenticated" || name == "system:nodes" ||
                       name.starts_with("system:serviceaccounts");
    if (group)
      lint.add(kWarning, "group-as-user", "\"" + user.text + "\" is a group, not a user", user.mark,
               {index}, "put it under userGroups");
    const bool account = name.starts_with("system:serviceaccount:");
    if (account && std::count(name.begin(), name.end(), ':') != 3)
      lint.add(kWarning, "bad-service-account", "\"" + user.text + "\" is no service account",
               user.mark, {index}, "system:serviceaccount:NAMESPACE:NAME");
  }
  for (const Word& group : rule.user_groups)
    if (group.text.starts_with("system:serviceaccount:") ||
        group.text.starts_with("system:node:") || group.text == "system:anonymous")
      lint.add(kWarning, "user-as-group", "\"" + group.text + "\" is a user, not a group",
               group.mark, {index}, "put it under users");
}

std::string group_name(std::string_view group) {
  return group.empty() ? "the core group" : "group " + std::string(group);
}

std::string where_is(std::string_view resource) {
  std::vector<std::string> groups = groups_of(resource);
  for (std::string& group : groups)
    if (group.empty()) group = "\"\"";
  return std::string(resource) + " are in group " + join(groups, " and ");
}

std::string resource_hint(std::string_view resource) {
  const KubeResource* pods = find_kube_resource("", "pods");
  if (has_subresource(*pods, resource)) return "write pods/" + std::string(resource);
  if (!groups_of(resource).empty()) return where_is(resource);
  const std::string plural = plural_of(resource);
  if (!plural.empty()) return "did you mean '" + plural + "'? " + where_is(plural);
  std::vector<std::string> names;
  for (const KubeResource& row : kube_resources()) names.emplace_back(row.name);
  const auto near = nearest(resource, names);
  return near ? "did you mean '" + *near + "'?" : std::string();
}

void lint_subresource(LintContext& lint, const KubeResource& resource, std::string_view subresource,
                      const Word& word, size_t index) {
  if (subresource.empty() || subresource == "*" || has_subresource(resource, subresource)) return;
  const std::vector<std::string_view> all = split(resource.subresources, ' ');
  const bool none = resource.subresources.empty();
  lint.add(kWarning, "unknown-subresource",
           std::string(resource.name) + " have no subresource \"" + std::string(subresource) + "\"",
           word.mark, {index},
           none ? "they have none" : "they have " + join({all.begin(), all.end()}, ", "));
}

void lint_pattern(LintContext& lint, const GroupResources& entry, const Word& word, size_t index) {
  const std::string_view text = word.text;
  const size_t slash = text.find('/');
  const std::string_view resource = text.substr(0, slash);
  const std::string_view subresource =
      slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
  if (text == "*") return;
  if (text == "*/*") {
    lint.add(kWarning, "not-a-pattern", "\"*/*\" matches nothing", word.mark, {index},
             "\"*\" is every resource and subresource");
    return;
  }
  if ((resource != "*" && resource.contains('*')) ||
      (subresource != "*" && subresource.contains('*'))) {
    lint.add(kWarning, "not-a-pattern", "\"" + word.text + "\" is taken literally", word.mark,
             {index}, "patterns are \"*\", \"RESOURCE/*\" and \"*/SUBRESOURCE\"");
    return;
  }
  if (slash != std::string_view::npos && subresource.empty()) {
    lint.add(kWarning, "unknown-resource", "\"" + word.text + "\" never occurs", word.mark, {index},
             "leave the slash away");
    return;
  }
  const std::string& group = entry.group.text;
  if (resource == "*" || group == "*" || !is_kube_group(group)) return;
  const KubeResource* known = find_kube_resource(group, resource);
  if (known != nullptr) return lint_subresource(lint, *known, subresource, word, index);
  lint.add(kWarning, "unknown-resource",
           group_name(group) + " has no resource \"" + std::string(resource) +
               "\", so this never matches",
           word.mark, {index}, resource_hint(resource));
}

void lint_group(LintContext& lint, const GroupResources& entry, size_t index) {
  const std::string& group = entry.group.text;
  if (group == "*") {
    lint.add(kNote, "needs-1.36", "group \"*\" is refused by Kubernetes before 1.36",
             entry.group.mark, {index});
    return;
  }
  if (is_kube_group(group)) return;
  if (group == "extensions") {
    lint.add(kWarning, "unknown-group", "group extensions is gone since Kubernetes 1.22",
             entry.group.mark, {index}, "apps, networking.k8s.io, policy");
    return;
  }
  std::vector<std::string> groups;
  for (const KubeResource& row : kube_resources())
    if (!row.group.empty()) groups.emplace_back(row.group);
  std::string near = nearest(group, groups).value_or("");
  for (const std::string& known : groups)
    if (known.starts_with(group + ".")) near = known;
  if (group == "core" || group == "v1") near = "\"\"";
  if (near.empty()) return;  // some custom resource's
  lint.add(kWarning, "unknown-group", "group \"" + group + "\" is none of Kubernetes' own",
           entry.group.mark, {index}, "did you mean '" + near + "'?");
}

// Names with verbs that carry none.
void lint_names(LintContext& lint, const PolicyRule& rule, const GroupResources& entry,
                size_t index) {
  if (entry.names.empty() || rule.verbs.empty()) return;
  for (const Word& verb : rule.verbs) {
    if (verb.text == "create" || verb.text == "deletecollection")
      lint.add(kWarning, "names-with-create",
               "a " + verb.text + " has no name to compare with resourceNames, so it never matches",
               verb.mark, {index}, "a rule of its own without resourceNames");
    if (verb.text == "list" || verb.text == "watch")
      lint.add(kNote, "names-with-list",
               verb.text + " matches resourceNames only with fieldSelector=metadata.name=NAME",
               verb.mark, {index});
  }
}

bool has_word(const std::vector<Word>& words, std::string_view text) {
  return std::any_of(words.begin(), words.end(), [&](const Word& w) { return w.text == text; });
}

// A namespace with what lies in none.
void lint_scope(LintContext& lint, const PolicyRule& rule, const GroupResources& entry,
                size_t index) {
  if (rule.namespaces.empty()) return;
  for (const Word& word : entry.resources) {
    const KubeResource* known = find_kube_resource(
        entry.group.text, std::string_view(word.text).substr(0, word.text.find('/')));
    // A request on a Namespace has itself as its namespace.
    if (known == nullptr || known->name == "namespaces") continue;
    if (!known->namespaced && !has_word(rule.namespaces, ""))
      lint.add(kWarning, "wrong-scope",
               word.text + " lie in no namespace, so they never match with these namespaces",
               word.mark, {index}, "add \"\" to namespaces, or make a rule without them");
  }
}

void lint_verb_of_review(LintContext& lint, const PolicyRule& rule, const GroupResources& entry,
                         size_t index) {
  if (rule.verbs.empty() || has_word(rule.verbs, "create")) return;
  for (const Word& word : entry.resources) {
    const KubeResource* known = find_kube_resource(entry.group.text, word.text);
    if ((known != nullptr && known->only_create) || word.text == "serviceaccounts/token")
      lint.add(kWarning, "unknown-verb", word.text + " have no verb but create", word.mark,
               {index});
  }
}

}  // namespace

void lint_words(LintContext& lint) {
  for (size_t i = 0; i < lint.policy.rules.size(); ++i) {
    const PolicyRule& rule = lint.policy.rules[i];
    lint_verbs(lint, rule, i);
    lint_literal(lint, rule.users, "users", i);
    lint_literal(lint, rule.user_groups, "userGroups", i);
    lint_literal(lint, rule.namespaces, "namespaces", i);
    lint_people(lint, rule, i);
    for (const GroupResources& entry : rule.resources) {
      lint_group(lint, entry, i);
      lint_literal(lint, entry.names, "resourceNames", i);
      for (const Word& word : entry.resources) lint_pattern(lint, entry, word, i);
      lint_names(lint, rule, entry, i);
      lint_scope(lint, rule, entry, i);
      lint_verb_of_review(lint, rule, entry, i);
    }
    if (RuleRequests(rule).empty())
      lint.add(kWarning, "never-matches", "rule " + std::to_string(i) + " can never match",
               rule.mark, {i});
  }
}

}  // namespace saker::audit
