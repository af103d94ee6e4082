// From goals to a draft. See policy_new.h.
#include "audit/policy_new.h"

#include <algorithm>
#include <array>

#include "audit/kube_resources.h"
#include "audit/policy_cover.h"
#include "base/strings.h"

namespace saker::audit {

namespace {

std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> out;
  for (std::string_view part : split(list, ','))
    if (!trim(part).empty()) out.emplace_back(trim(part));
  return out;
}

std::vector<Word> words(const std::vector<std::string>& texts) {
  std::vector<Word> out;
  for (const std::string& text : texts) out.push_back({.text = text});
  return out;
}

void add_once(std::vector<std::string>& list, std::string_view text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.emplace_back(text);
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// One --log, read.
struct Goal {
  std::string text;
  std::vector<std::string> asked_verbs, verbs;  // none: all
  struct Resource {
    std::string group, name;
  };
  std::vector<Resource> resources;
  std::vector<std::string> namespaces;
  Level level = Level::metadata;
};

Error bad_goal(std::string_view text, std::string message, std::string hint = {}) {
  return Error{.message = "--log " + std::string(text) + ": " + std::move(message),
               .position = {},
               .hint = hint.empty() ? "VERBS:RESOURCES[@NAMESPACES][=LEVEL], as in "
                                      "update:configmaps,secrets or create:pods/exec@shop"
                                    : std::move(hint)};
}

// "secrets", "cm", "pods/exec", "deployments.apps", "*", "*.apps"; the group is what is behind the
// first dot.
Result<std::vector<Goal::Resource>> find_resource(std::string_view text) {
  if (text == "*" || text == "*.*") return std::vector<Goal::Resource>{{"*", "*"}};
  const size_t dot = text.find('.');
  if (dot != std::string_view::npos)
    return std::vector<Goal::Resource>{
        {std::string(text.substr(dot + 1)), std::string(text.substr(0, dot))}};
  const size_t slash = text.find('/');
  std::string name(text.substr(0, slash));
  if (groups_of(name).empty() && !plural_of(name).empty()) name = plural_of(name);
  const std::string subresource(slash == std::string_view::npos ? "" : text.substr(slash));
  std::vector<Goal::Resource> out;
  for (const std::string& group : groups_of(name)) {
    const KubeResource* known = find_kube_resource(group, name);
    const bool fits = subresource.empty() || subresource == "/*" ||
                      has_subresource(*known, std::string_view(subresource).substr(1));
    if (fits) out.push_back({group, name + subresource});
  }
  if (!out.empty()) return out;
  std::vector<std::string> names;
  for (const KubeResource& row : kube_resources()) names.emplace_back(row.name);
  const auto near = nearest(name, names);
  return Error{.message = "Kubernetes has no resource '" + std::string(text) + "'",
               .position = {},
               .hint = near ? "did you mean '" + *near + "'?"
                            : "write a custom resource with its group: widgets.example.com"};
}

// A verb as people mean it, and what belongs to it.
Status add_verbs(Goal& goal, const std::string& verb, bool exact) {
  if (verb == "*" || verb == "all") return {};
  if (verb == "read" || verb == "write") {
    const std::vector<std::string> all =
        verb == "read"
            ? std::vector<std::string>{"get", "list", "watch"}
            : std::vector<std::string>{"create", "update", "patch", "delete", "deletecollection"};
    for (const std::string& each : all) add_once(goal.verbs, each);
    return {};
  }
  if (!is_resource_verb(verb))
    return bad_goal(goal.text, "no request has the verb '" + verb + "'",
                    "get, list, watch, create, update, patch, delete, deletecollection; or read, "
                    "write, *");
  add_once(goal.verbs, verb);
  if (exact) return {};
  if (verb == "update") add_once(goal.verbs, "patch");
  if (verb == "delete") add_once(goal.verbs, "deletecollection");
  return {};
}

// Changing an object by one of its subresources is changing the object.
void add_changing_subresources(Goal& goal) {
  if (!contains(goal.verbs, "update") && !contains(goal.verbs, "patch")) return;
  constexpr std::array<std::string_view, 4> kChanging = {"scale", "ephemeralcontainers", "resize",
                                                         "approval"};
  std::vector<Goal::Resource> more;
  for (const Goal::Resource& resource : goal.resources) {
    const KubeResource* known = find_kube_resource(resource.group, resource.name);
    for (std::string_view subresource : kChanging)
      if (known != nullptr && has_subresource(*known, subresource))
        more.push_back({resource.group, resource.name + "/" + std::string(subresource)});
  }
  goal.resources.insert(goal.resources.end(), more.begin(), more.end());
}

// With all verbs, what is done in an object is meant, too.
void add_all_subresources(Goal& goal) {
  if (!goal.verbs.empty()) return;
  for (Goal::Resource& resource : goal.resources) {
    const KubeResource* known = find_kube_resource(resource.group, resource.name);
    if (known != nullptr && !known->subresources.empty()) resource.name += "/*";
  }
}

Result<Goal> read_goal(const std::string& text, const PolicyGoals& goals) {
  Goal goal{.text = text, .namespaces = goals.namespaces};
  std::string_view rest = text;
  const size_t equals = rest.rfind('=');
  if (equals != std::string_view::npos) {
    const std::string_view level = rest.substr(equals + 1);
    const auto parsed = parse_level(level);
    if (!parsed)
      return bad_goal(text, "'" + std::string(level) + "' is no level",
                      "None, Metadata, Request, RequestResponse");
    goal.level = *parsed;
    rest = rest.substr(0, equals);
  }
  const size_t at = rest.find('@');
  if (at != std::string_view::npos) {
    goal.namespaces = parts_of(rest.substr(at + 1));
    rest = rest.substr(0, at);
  }
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return bad_goal(text, "there is no ':' behind the verbs");
  goal.asked_verbs = parts_of(rest.substr(0, colon));
  const std::vector<std::string> resources = parts_of(rest.substr(colon + 1));
  if (goal.asked_verbs.empty() || resources.empty())
    return bad_goal(text, "verbs and resources are needed");
  for (const std::string& verb : goal.asked_verbs)
    SAKER_CHECK(add_verbs(goal, verb, goals.exact_verbs));
  for (const std::string& resource : resources) {
    Result<std::vector<Goal::Resource>> found = find_resource(resource);
    if (!found.ok()) return bad_goal(text, found.error().message, found.error().hint);
    goal.resources.insert(goal.resources.end(), found->begin(), found->end());
  }
  if (!goals.exact_verbs) add_changing_subresources(goal);
  add_all_subresources(goal);
  return goal;
}

bool is_secret(const Goal::Resource& resource) {
  return (resource.group.empty() &&
          (resource.name == "secrets" || resource.name == "serviceaccounts/token")) ||
         (resource.group == "authentication.k8s.io" && resource.name == "tokenreviews");
}

// Resources whose bodies hold secrets among others.
bool may_be_secret(const Goal::Resource& resource) {
  const bool all = resource.name == "*" || resource.name == "serviceaccounts/*";
  return is_secret(resource) || (all && (resource.group.empty() || resource.group == "*" ||
                                         resource.group == "authentication.k8s.io"));
}

std::string reason_of(const Goal& goal, const PolicyGoals& goals) {
  std::string reason = "Asked for: " + goal.text + ".";
  if (!goals.exact_verbs && contains(goal.asked_verbs, "update"))
    reason +=
        " What kubectl apply, edit, patch and scale send is `patch`, so it belongs to "
        "update; --exact-verbs leaves it out.";
  if (!goals.exact_verbs && contains(goal.asked_verbs, "delete"))
    reason += " deletecollection deletes, too.";
  return reason;
}

DraftRule rule_of(const Goal& goal, const PolicyGoals& goals,
                  const std::vector<Goal::Resource>& resources, Level level) {
  DraftRule draft{make_rule(level, goal.verbs, {}), reason_of(goal, goals)};
  for (const Goal::Resource& resource : resources)
    add_resource(draft.rule, resource.group, resource.name);
  // No resources at all is everything. Group "*" would say it, too, but only since 1.36.
  const bool everything = std::any_of(resources.begin(), resources.end(),
                                      [](const Goal::Resource& r) { return r.group == "*"; });
  if (everything) draft.rule.resources.clear();
  draft.rule.namespaces = words(goal.namespaces);
  draft.rule.users = words(goals.users);
  draft.rule.user_groups = words(goals.user_groups);
  return draft;
}

// What of all resources holds secrets, as far as the goal's verbs go.
std::vector<Goal::Resource> secret_resources(const Goal& goal) {
  std::vector<Goal::Resource> out = {{"", "secrets"}};
  if (!goal.verbs.empty() && !contains(goal.verbs, "create")) return out;
  out.push_back({"", "serviceaccounts/token"});
  out.push_back({"authentication.k8s.io", "tokenreviews"});
  return out;
}

// The rules of a goal: what holds secrets apart, when the goal wants bodies.
void add_goal(PolicyDraft& draft, const Goal& goal, const PolicyGoals& goals) {
  std::vector<Goal::Resource> plain, secret;
  for (const Goal::Resource& resource : goal.resources) {
    (is_secret(resource) ? secret : plain).push_back(resource);
    if (!is_secret(resource) && may_be_secret(resource)) secret = secret_resources(goal);
  }
  if (goal.level < Level::request || secret.empty() || goals.allow_secret_bodies) {
    if (goal.level >= Level::request && !secret.empty())
      draft.warnings.push_back("--log " + goal.text +
                               ": secrets and tokens will stand in the audit log, for everyone who "
                               "can read it");
    draft.rules.push_back(rule_of(goal, goals, goal.resources, goal.level));
    return;
  }
  DraftRule metadata = rule_of(goal, goals, secret, Level::metadata);
  metadata.reason += " Level Metadata, since bodies would put secrets into the log.";
  draft.warnings.push_back("--log " + goal.text +
                           ": secrets and tokens are logged at Metadata; --allow-secret-bodies "
                           "would log their content");
  draft.rules.push_back(std::move(metadata));
  if (!plain.empty()) draft.rules.push_back(rule_of(goal, goals, plain, goal.level));
}

bool is_broad(const PolicyRule& rule) {
  if (rule.resources.empty()) return true;
  for (const GroupResources& entry : rule.resources)
    for (const Word& word : entry.resources)
      if (word.text == "*") return true;
  return false;
}

Result<std::vector<DraftRule>> never_rules(const std::string& name) {
  std::vector<DraftRule> rules = noise_rules(name);
  if (!rules.empty()) return rules;
  Result<std::vector<Goal::Resource>> found = find_resource(name);
  if (!found.ok())
    return Error{.message = "--never " + name + ": " + found.error().message,
                 .position = {},
                 .hint = "a resource, or one of " + join(noise_names(), ", ")};
  DraftRule draft{make_rule(Level::none, {}, {}), "Asked to be left out: " + name + "."};
  for (const Goal::Resource& resource : *found)
    add_resource(draft.rule, resource.group, resource.name);
  draft.rule.user_groups = words({"system:authenticated"});
  rules.push_back(std::move(draft));
  return rules;
}

std::vector<DraftRule> tail(bool unauthenticated) {
  DraftRule none{make_rule(Level::none, {}, {}),
                 "Nothing else. To keep failed authentications and anonymous requests: "
                 "--unauthenticated; to see who was refused anything: --preset recommended."};
  if (!unauthenticated) return {std::move(none)};
  none.rule.user_groups = words({"system:authenticated"});
  none.reason = "Nothing else of users who are logged in.";
  return {std::move(none),
          {make_rule(Level::metadata, {}, {}),
           "What is left has no user or an anonymous one: failed authentications (401), anonymous "
           "requests."}};
}

// A place for each word, so that one can be told from another.
void number_words(PolicyRule& rule) {
  uint64_t next = 1;
  const auto number = [&](std::vector<Word>& list) {
    for (Word& word : list) word.mark.offset = next++;
  };
  number(rule.users);
  number(rule.user_groups);
  number(rule.verbs);
  number(rule.namespaces);
  number(rule.urls);
  for (GroupResources& entry : rule.resources) {
    number(entry.resources);
    entry.mark.offset = next++;
  }
}

void remove_word(PolicyRule& rule, uint64_t offset) {
  const auto is_it = [&](const Word& word) { return word.mark.offset == offset; };
  for (std::vector<Word>* list :
       {&rule.users, &rule.user_groups, &rule.verbs, &rule.namespaces, &rule.urls})
    std::erase_if(*list, is_it);
  for (GroupResources& entry : rule.resources) {
    const bool had = !entry.resources.empty();
    std::erase_if(entry.resources, is_it);
    // An entry without resources would mean all of the group.
    if (had && entry.resources.empty()) entry.mark.offset = offset;
  }
  std::erase_if(rule.resources,
                [&](const GroupResources& entry) { return entry.mark.offset == offset; });
}

// Takes out what earlier rules decide anyway: whole rules, and words of rules. Each pass judges
// against what is left, so one is enough.
void remove_unreachable(std::vector<DraftRule>& rules) {
  Policy policy;
  std::vector<DraftRule> kept;
  for (DraftRule& draft : rules) {
    number_words(draft.rule);
    policy.rules.push_back(draft.rule);
    ReachBudget budget;
    const Reach reach = reach_of(policy, PolicyMatcher(policy), policy.rules.size() - 1, budget);
    if (reach.state == Reach::State::unreachable) {
      policy.rules.pop_back();
      continue;
    }
    for (const Reach::DeadWord& dead : reach.dead) remove_word(draft.rule, dead.word.mark.offset);
    policy.rules.back() = draft.rule;
    kept.push_back(std::move(draft));
  }
  rules = std::move(kept);
}

}  // namespace

PolicyRule make_rule(Level level, const std::vector<std::string>& verbs,
                     const std::vector<std::string>& resources) {
  PolicyRule rule{.level = level, .verbs = words(verbs)};
  for (const std::string& text : resources) {
    const size_t dot = text.find('.');
    if (dot == std::string::npos)
      add_resource(rule, "", text);
    else
      add_resource(rule, std::string_view(text).substr(dot + 1),
                   std::string_view(text).substr(0, dot));
  }
  return rule;
}

void add_resource(PolicyRule& rule, std::string_view group, std::string_view resource) {
  for (GroupResources& entry : rule.resources) {
    if (entry.group.text != group) continue;
    entry.resources.push_back({.text = std::string(resource)});
    return;
  }
  rule.resources.push_back(
      {.group = {.text = std::string(group)}, .resources = {{.text = std::string(resource)}}});
}

Result<PolicyDraft> draft_policy(const PolicyGoals& goals) {
  if (goals.log.empty() && goals.preset.empty())
    return Error{.message = "say what to log: --log VERBS:RESOURCES, or --preset NAME",
                 .position = {},
                 .hint = "saker audit policy new --log update:configmaps,secrets"};
  PolicyDraft draft;
  for (const std::string& text : goals.log)
    add_goal(draft, SAKER_TRY(read_goal(text, goals)), goals);
  std::vector<DraftRule> narrow, last;
  for (DraftRule& rule : draft.rules)
    (is_broad(rule.rule) ? last : narrow).push_back(std::move(rule));
  draft.rules = std::move(narrow);
  std::vector<std::string> noise = goals.never;
  if (!goals.preset.empty())
    for (const std::string& name : preset_noise(goals.preset)) add_once(noise, name);
  for (const std::string& name : noise)
    for (DraftRule& rule : SAKER_TRY(never_rules(name))) draft.rules.push_back(std::move(rule));
  for (DraftRule& rule : last) draft.rules.push_back(std::move(rule));
  std::vector<DraftRule> end =
      goals.preset.empty() ? tail(goals.unauthenticated) : SAKER_TRY(preset_rules(goals.preset));
  for (DraftRule& rule : end) draft.rules.push_back(std::move(rule));
  remove_unreachable(draft.rules);
  return draft;
}

}  // namespace saker::audit
