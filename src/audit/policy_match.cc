// Matching of requests by policies. See policy_match.h.
#include "audit/policy_match.h"

#include <algorithm>

namespace saker::audit {

namespace {

bool has(const std::vector<Word>& words, std::string_view text) {
  return std::any_of(words.begin(), words.end(), [&](const Word& w) { return w.text == text; });
}

bool groups_match(const PolicyRule& rule, const RequestView& request) {
  return std::any_of(request.groups.begin(), request.groups.end(),
                     [&](std::string_view group) { return has(rule.user_groups, group); });
}

bool entry_matches(const GroupResources& entry, const RequestView& request) {
  if (entry.group.text != request.api_group && entry.group.text != "*") return false;
  if (entry.resources.empty()) return true;
  if (!entry.names.empty() && !has(entry.names, request.name)) return false;
  return std::any_of(entry.resources.begin(), entry.resources.end(),
                     [&](const Word& word) { return resource_matches(word.text, request); });
}

bool resources_match(const PolicyRule& rule, const RequestView& request) {
  return rule.resources.empty() ||
         std::any_of(rule.resources.begin(), rule.resources.end(),
                     [&](const GroupResources& entry) { return entry_matches(entry, request); });
}

std::string list(const std::vector<Word>& words) {
  constexpr size_t kMost = 8;
  std::string out;
  for (size_t i = 0; i < std::min(words.size(), kMost); ++i)
    out += (i == 0 ? "" : ", ") + (words[i].text.empty() ? "\"\"" : words[i].text);
  if (words.size() > kMost) out += ", … " + std::to_string(words.size()) + " in all";
  return out;
}

std::string combined(const RequestView& request) {
  std::string out(request.resource);
  if (!request.subresource.empty()) out.append("/").append(request.subresource);
  if (!request.api_group.empty()) out.append(" of group ").append(request.api_group);
  return out;
}

}  // namespace

bool resource_matches(std::string_view pattern, const RequestView& request) {
  if (pattern == "*") return true;
  const size_t slash = pattern.find('/');
  if (request.subresource.empty()
          ? pattern == request.resource
          : slash == request.resource.size() && pattern.starts_with(request.resource) &&
                pattern.substr(slash + 1) == request.subresource)
    return true;
  if (!request.subresource.empty() && pattern.starts_with("*/") &&
      pattern.substr(2) == request.subresource)
    return true;
  // Only the resource is compared: "pods/*" is pods themselves, too.
  return pattern.ends_with("/*") && pattern.substr(0, pattern.size() - 2) == request.resource;
}

bool url_matches(std::string_view pattern, std::string_view path) {
  if (pattern == "*" || pattern == path) return true;
  if (!pattern.ends_with('*')) return false;
  while (pattern.ends_with('*')) pattern.remove_suffix(1);
  return path.starts_with(pattern);
}

bool rule_matches(const PolicyRule& rule, const RequestView& request) {
  if (!rule.users.empty() && (!request.has_user || !has(rule.users, request.user))) return false;
  if (!rule.user_groups.empty() && (!request.has_user || !groups_match(rule, request)))
    return false;
  if (!rule.verbs.empty() && !has(rule.verbs, request.verb)) return false;
  if (rule.only_resources()) {
    return request.is_resource &&
           (rule.namespaces.empty() || has(rule.namespaces, request.name_space)) &&
           resources_match(rule, request);
  }
  if (rule.urls.empty()) return true;
  return !request.is_resource &&
         std::any_of(rule.urls.begin(), rule.urls.end(),
                     [&](const Word& url) { return url_matches(url.text, request.path); });
}

std::string why_no_match(const PolicyRule& rule, const RequestView& request) {
  if (rule_matches(rule, request)) return {};
  if (!rule.users.empty() && (!request.has_user || !has(rule.users, request.user)))
    return request.has_user
               ? "user " + std::string(request.user) + " is not among " + list(rule.users)
               : "it names users, and the request has none";
  if (!rule.user_groups.empty() && (!request.has_user || !groups_match(rule, request)))
    return request.has_user ? "the user is in none of the groups " + list(rule.user_groups)
                            : "it names groups, and the request has no user";
  if (!rule.verbs.empty() && !has(rule.verbs, request.verb))
    return "verb " + std::string(request.verb) + " is not among " + list(rule.verbs);
  if (rule.only_urls())
    return request.is_resource
               ? "it is for non-resource paths"
               : "path " + std::string(request.path) + " is not among " + list(rule.urls);
  if (!request.is_resource) return "it is for resources";
  if (!rule.namespaces.empty() && !has(rule.namespaces, request.name_space))
    return (request.name_space.empty() ? "\"\" (no namespace)"
                                       : "namespace " + std::string(request.name_space)) +
           " is not among " + list(rule.namespaces);
  for (const GroupResources& entry : rule.resources) {
    GroupResources unnamed = entry;
    unnamed.names.clear();
    if (entry_matches(unnamed, request))
      return "name " + std::string(request.name.empty() ? "\"\"" : request.name) +
             " is not among " + list(entry.names);
  }
  return "it does not name " + combined(request);
}

}  // namespace saker::audit
