// The comparison over classes of requests. See policy_diff.h.
#include "audit/policy_diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "audit/kube_resources.h"
#include "audit/policy_cover.h"
#include "audit/policy_request.h"

namespace saker::audit {

namespace {

struct Principal {
  bool has_user = true;
  std::string label, user;
  std::vector<std::string> groups;
};

struct Target {
  bool is_resource = true;
  std::string group, resource, subresource, name, path;
  std::string label;
};

struct Words {
  std::set<std::string> users, groups, verbs, namespaces, urls;
  std::set<std::tuple<std::string, std::string, std::string>> targets;  // group, pattern, name
};

void collect(const Policy& policy, Words& words) {
  const auto add = [](const std::vector<Word>& from, std::set<std::string>& to) {
    for (const Word& word : from) to.insert(word.text);
  };
  for (const PolicyRule& rule : policy.rules) {
    add(rule.users, words.users);
    add(rule.user_groups, words.groups);
    add(rule.verbs, words.verbs);
    add(rule.namespaces, words.namespaces);
    add(rule.urls, words.urls);
    for (const GroupResources& entry : rule.resources) {
      std::vector<Word> names = entry.names;
      names.push_back({.text = std::string(kOther)});
      for (const Word& name : names) {
        for (const Word& word : entry.resources)
          words.targets.emplace(entry.group.text, word.text, name.text);
        if (entry.resources.empty()) words.targets.emplace(entry.group.text, "*", name.text);
      }
    }
  }
}

std::vector<Principal> principals_of(const Words& words) {
  std::vector<Principal> out;
  out.push_back({.has_user = false, .label = "nobody (401)", .user = {}, .groups = {}});
  out.push_back(
      {.label = "any user", .user = std::string(kOther), .groups = {"system:authenticated"}});
  for (const std::string& user : words.users)
    out.push_back({.label = user, .user = user, .groups = groups_implied_by(user)});
  for (const std::string& group : words.groups) {
    if (group == "system:authenticated") continue;
    Principal member{.label = "group " + group, .user = std::string(kOther), .groups = {group}};
    if (group != "system:unauthenticated") member.groups.emplace_back("system:authenticated");
    if (group.starts_with("system:serviceaccounts:"))
      member.groups.emplace_back("system:serviceaccounts");
    out.push_back(std::move(member));
  }
  return out;
}

// The resources that the patterns stand for: "*" of a known group is each of its resources.
std::vector<Target> targets_of(const Words& words) {
  std::map<std::string, Target> out;
  const auto add = [&](const std::string& group, const std::string& resource,
                       const std::string& subresource, const std::string& name) {
    Target target{.group = group, .resource = resource, .subresource = subresource, .name = name};
    target.label = resource == kOther ? "other resources" : resource;
    if (!subresource.empty())
      target.label += "/" + (subresource == kOther ? std::string("(other)") : subresource);
    if (group == kOther)
      target.label += " of other groups";
    else if (!group.empty())
      target.label += "." + group;
    if (name != kOther) target.label += " named " + name;
    out.emplace(target.label, std::move(target));
  };
  const std::string other(kOther);
  add(other, other, "", other);
  for (const auto& [raw_group, pattern, name] : words.targets) {
    const std::string group = raw_group == "*" ? other : raw_group;
    const size_t slash = pattern.find('/');
    std::string resource = pattern.substr(0, slash);
    std::string subresource = slash == std::string::npos ? "" : pattern.substr(slash + 1);
    if (subresource == "*") {
      add(group, resource, "", name);
      subresource = other;
    }
    if (resource == "*") resource = other;
    add(group, resource, subresource, name);
  }
  // What Kubernetes has and both policies only reach by broader patterns.
  for (const KubeResource& row : kube_resources())
    add(std::string(row.group), std::string(row.name), "", other);
  for (const char* session : {"exec", "attach", "portforward"}) add("", "pods", session, other);
  add("", "serviceaccounts", "token", other);
  std::vector<Target> list;
  for (auto& [label, target] : out) list.push_back(std::move(target));
  const auto add_path = [&](std::string path, std::string label) {
    list.push_back({.is_resource = false, .path = std::move(path), .label = std::move(label)});
  };
  add_path(other, "other paths");
  for (const std::string& url : words.urls) {
    std::string path = url;
    const bool prefix = path.ends_with('*');
    while (path.ends_with('*')) path.pop_back();
    add_path(path, "path " + path);
    if (prefix) add_path(path + other, "paths " + url);
  }
  return list;
}

class Differ {
 public:
  Differ(const Policy& before, const Policy& after) : before_(before), after_(after) {
    collect(before, words_);
    collect(after, words_);
  }

  PolicyDiff run() {
    const std::vector<Target> targets = targets_of(words_);
    std::vector<std::string> verbs(kResourceVerbs.begin(), kResourceVerbs.end());
    std::vector<std::string> namespaces(words_.namespaces.begin(), words_.namespaces.end());
    namespaces.emplace_back(kOther);
    const std::vector<Principal> principals = principals_of(words_);
    for (const Principal& principal : principals)
      for (const Target& target : targets)
        for (const std::string& space : namespaces) {
          for (const std::string& verb : verbs) compare(principal, target, space, verb);
          if (!target.is_resource) break;
        }
    merge(principals.size(), namespaces.size());
    return std::move(diff_);
  }

 private:
  void compare(const Principal& principal, const Target& target, const std::string& space,
               const std::string& verb) {
    constexpr size_t kMostClasses = 4'000'000;
    if (++diff_.classes > kMostClasses) {
      diff_.classes = kMostClasses;
      diff_.complete = false;
      return;
    }
    if (!target.is_resource && verb != "get") return;
    const std::vector<std::string_view> groups(principal.groups.begin(), principal.groups.end());
    const RequestView request{.has_user = principal.has_user,
                              .user = principal.user,
                              .groups = groups,
                              .verb = verb,
                              .is_resource = target.is_resource,
                              .name_space = space,
                              .api_group = target.group,
                              .resource = target.resource,
                              .subresource = target.subresource,
                              .name = verb == "create" && target.subresource.empty()
                                          ? std::string_view()
                                          : std::string_view(target.name),
                              .path = target.path};
    const Decision before = before_.decide(request), after = after_.decide(request);
    if (before.level == after.level && before.omit_stages == after.omit_stages &&
        before.omit_managed_fields == after.omit_managed_fields)
      return;
    // Stages of what is not logged at all are no difference.
    if (before.level == Level::none && after.level == Level::none) return;
    diff_.changes.push_back({.who = principal.label,
                             .verb = target.is_resource ? verb : "any verb",
                             .what = target.label,
                             .where = !target.is_resource ? ""
                                      : space == kOther   ? "any namespace"
                                      : space.empty()     ? "no namespace"
                                                          : "namespace " + space,
                             .before = before,
                             .after = after,
                             .count = 1});
  }

  // Lines that differ in one column only become one, with the values of that column joined.
  void merge(size_t principals, size_t namespaces) {
    merge_by([](LevelChange& change) -> std::string& { return change.verb; }, kResourceVerbs.size(),
             "all verbs");
    merge_by([](LevelChange& change) -> std::string& { return change.what; }, SIZE_MAX, "");
    merge_by([](LevelChange& change) -> std::string& { return change.where; }, namespaces,
             "everywhere");
    merge_by([](LevelChange& change) -> std::string& { return change.who; }, principals,
             "everyone");
  }

  template <typename Column>
  void merge_by(Column column, size_t all, std::string_view name_of_all) {
    std::map<std::string, size_t> places;
    std::vector<LevelChange> merged;
    std::vector<size_t> values;
    for (LevelChange& change : diff_.changes) {
      const std::string value = std::exchange(column(change), std::string());
      const std::string key = change.who + '\n' + change.verb + '\n' + change.what + '\n' +
                              change.where + '\n' + rule_text(change.before) + '>' +
                              rule_text(change.after);
      const auto [place, is_new] = places.emplace(key, merged.size());
      if (is_new) {
        column(change) = value;
        merged.push_back(std::move(change));
        values.push_back(1);
        continue;
      }
      LevelChange& into = merged[place->second];
      column(into) += ", " + value;
      into.count += change.count;
      ++values[place->second];
    }
    for (size_t i = 0; i < merged.size(); ++i)
      if (values[i] == all) column(merged[i]) = name_of_all;
    diff_.changes = std::move(merged);
  }

  static std::string rule_text(const Decision& decision) {
    return decision.rule ? std::to_string(*decision.rule) : "none";
  }

  const PolicyMatcher before_, after_;
  Words words_;
  PolicyDiff diff_;
};

}  // namespace

PolicyDiff diff_policies(const Policy& before, const Policy& after) {
  return Differ(before, after).run();
}

}  // namespace saker::audit
