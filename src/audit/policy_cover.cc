// Enumerating a rule's requests, and the proof of unreachability. See policy_cover.h.
#include "audit/policy_cover.h"

#include <algorithm>
#include <set>

#include "audit/kube_resources.h"
#include "audit/policy_request.h"

namespace saker::audit {

namespace {

// The groups that everyone in `group` is in, too.
std::vector<std::string> closure_of(const std::string& group) {
  constexpr std::string_view kServiceAccounts = "system:serviceaccounts";
  std::vector<std::string> out = {group};
  if (group == "system:unauthenticated") return out;
  if (group != "system:authenticated") out.emplace_back("system:authenticated");
  if (group.starts_with("system:serviceaccounts:")) out.emplace_back(kServiceAccounts);
  return out;
}

void add_all(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& item : from)
    if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
}

// Names are compared literally, and none has a star.
bool is_glob(const Word& word) {
  return word.text.contains('*');
}

bool is_create_like(std::string_view verb) {
  return verb == "create" || verb == "deletecollection";
}

}  // namespace

RuleRequests::RuleRequests(const PolicyRule& rule) {
  add_principals(rule);
  any_verb_ = rule.verbs.empty();
  for (const Word& verb : rule.verbs) verbs_.emplace_back(verb.text);
  for (const Word& name : rule.namespaces)
    if (!is_glob(name)) namespaces_.emplace_back(name.text);
  // Only namespaces that are none: nothing is left to match.
  if (namespaces_.empty() && !rule.namespaces.empty()) return;
  add_targets(rule);
}

void RuleRequests::add_principals(const PolicyRule& rule) {
  if (rule.users.empty() && rule.user_groups.empty()) {
    principals_.emplace_back();  // without a user: what the fewest rules match
    return;
  }
  for (size_t u = 0; u < std::max<size_t>(rule.users.size(), 1); ++u) {
    Principal named{.has_user = true, .user = kOther};
    if (!rule.users.empty()) {
      if (is_glob(rule.users[u])) continue;
      named.user = rule.users[u].text;
      named.owned_groups = groups_implied_by(named.user);
      named.word = u;
    }
    if (rule.user_groups.empty()) {
      principals_.push_back(std::move(named));
      continue;
    }
    for (const Word& group : rule.user_groups) {
      if (is_glob(group)) continue;
      Principal principal = named;
      add_all(principal.owned_groups, closure_of(group.text));
      principals_.push_back(std::move(principal));
    }
  }
}

void RuleRequests::add_target(const GroupResources& entry, const Word& pattern) {
  Target target{.group = entry.group.text == "*" ? kOther : std::string_view(entry.group.text),
                .mark = pattern.mark,
                .word = pattern.text};
  for (const Word& name : entry.names)
    if (!is_glob(name)) target.names.emplace_back(name.text);
  target.named = !entry.names.empty();
  if (!target.named) target.names.push_back(kOther);
  const std::string_view text = pattern.text;
  if (text == "*/*" || text.empty()) return;  // no resource is called "*" or nothing
  const size_t slash = text.find('/');
  target.resource = text.substr(0, slash);
  if (slash != std::string_view::npos) target.subresource = text.substr(slash + 1);
  if (target.resource == "*") target.resource = kOther;
  if (target.subresource == "*") target.subresource = kOther;
  targets_.push_back(std::move(target));
}

void RuleRequests::add_targets(const PolicyRule& rule) {
  const Target other{.group = kOther, .resource = kOther, .names = {kOther}, .mark = rule.mark};
  for (const GroupResources& entry : rule.resources) {
    for (const Word& pattern : entry.resources) add_target(entry, pattern);
    if (!entry.resources.empty()) continue;
    Target all = other;
    all.group = entry.group.text == "*" ? kOther : std::string_view(entry.group.text);
    all.mark = entry.mark;
    all.word = "group \"" + entry.group.text + "\"";
    targets_.push_back(std::move(all));
  }
  if (rule.resources.empty() && !rule.only_urls()) targets_.push_back(other);
  if (rule.only_resources()) return;
  if (rule.urls.empty())
    targets_.push_back({.is_resource = false, .names = {""}, .path = std::string(kOther)});
  for (const Word& url : rule.urls) {
    Target target{
        .is_resource = false, .names = {""}, .path = url.text, .mark = url.mark, .word = url.text};
    if (target.path.ends_with('*')) {
      while (target.path.ends_with('*')) target.path.pop_back();
      target.path += kOther;
    }
    targets_.push_back(std::move(target));
  }
}

void RuleRequests::only_target(std::string_view group, std::string_view resource,
                               std::string_view subresource) {
  std::vector<Target> kept;
  for (Target& target : targets_) {
    if (!target.is_resource) continue;
    const bool fits = (target.group == group || target.group == kOther) &&
                      (target.resource == resource || target.resource == kOther) &&
                      (target.subresource == subresource || target.subresource == kOther ||
                       (target.resource == kOther && target.word.find('/') == std::string::npos));
    if (!fits) continue;
    target.group = group;
    target.resource = resource;
    target.subresource = subresource;
    kept.push_back(std::move(target));
  }
  targets_ = std::move(kept);
}

void RuleRequests::only_verbs(const std::vector<std::string_view>& verbs) {
  if (any_verb_) {
    verbs_ = verbs;
  } else {
    std::erase_if(verbs_, [&](std::string_view verb) {
      return std::find(verbs.begin(), verbs.end(), verb) == verbs.end();
    });
  }
  any_verb_ = false;
}

std::vector<std::string_view> RuleRequests::verbs_for(const Target& target) const {
  std::vector<std::string_view> out;
  if (!any_verb_) {
    out = verbs_;
    std::erase_if(out, [&](std::string_view verb) {
      return target.is_resource ? !is_resource_verb(verb) : !is_url_verb(verb);
    });
  } else if (target.is_resource) {
    out.assign(kResourceVerbs.begin(), kResourceVerbs.end());
  } else {
    out = {kOther};
  }
  if (target.named) std::erase_if(out, is_create_like);
  return out;
}

size_t RuleRequests::count() const {
  size_t count = 0;
  for (const Target& target : targets_)
    count += verbs_for(target).size() * target.names.size() *
             (target.is_resource ? std::max<size_t>(namespaces_.size(), 1) : 1);
  return count * principals_.size();
}

void RuleRequests::visit(const Visitor& visitor) const {
  RequestView request;
  Origin origin;
  for (const Principal& principal : principals_) {
    const std::vector<std::string_view> groups(principal.owned_groups.begin(),
                                               principal.owned_groups.end());
    request.has_user = principal.has_user;
    request.user = principal.user;
    request.groups = groups;
    origin.principal = principal.word;
    for (size_t t = 0; t < targets_.size(); ++t) {
      const Target& target = targets_[t];
      request.is_resource = target.is_resource;
      request.api_group = target.group;
      request.resource = target.resource;
      request.subresource = target.subresource;
      request.path = target.path;
      origin.target = t;
      for (std::string_view verb : verbs_for(target)) {
        request.verb = verb;
        const auto word = std::find(verbs_.begin(), verbs_.end(), verb);
        origin.verb = word == verbs_.end() ? SIZE_MAX : static_cast<size_t>(word - verbs_.begin());
        for (std::string_view name : target.names) {
          request.name = name;
          const size_t namespaces = target.is_resource ? namespaces_.size() : 0;
          for (size_t n = 0; n < std::max<size_t>(namespaces, 1); ++n) {
            request.name_space = namespaces == 0 ? kOther : namespaces_[n];
            origin.name_space = namespaces == 0 ? SIZE_MAX : n;
            if (!visitor(request, origin)) return;
          }
        }
      }
    }
  }
}

namespace {

// Whether any request came through by a word, and if not, which rule took one.
struct WordTally {
  std::vector<char> reached;
  std::vector<size_t> shadow;

  explicit WordTally(size_t size) : reached(size, 0), shadow(size, SIZE_MAX) {}
  void count(size_t word, std::optional<size_t> taken_by) {
    if (word >= reached.size()) return;
    if (!taken_by)
      reached[word] = 1;
    else
      shadow[word] = *taken_by;
  }
  [[nodiscard]] bool dead(size_t word) const {
    return reached[word] == 0 && shadow[word] != SIZE_MAX;
  }
};

}  // namespace

Reach reach_of(const Policy& policy, const PolicyMatcher& matcher, size_t index,
               ReachBudget& budget) {
  constexpr size_t kMostForWords = 600;  // beyond that only the rule as a whole is judged
  const PolicyRule& rule = policy.rules[index];
  const RuleRequests requests(rule);
  Reach reach;
  if (index == 0 || requests.empty()) return reach;
  const size_t count = requests.count();
  const bool judge_words = count <= kMostForWords && count <= budget.words;
  if (judge_words) budget.words -= count;
  WordTally users(rule.users.size()), verbs(rule.verbs.size()), spaces(rule.namespaces.size());
  WordTally targets(requests.targets().size());
  std::set<size_t> shadows;
  bool reached = false, exhausted = false;
  requests.visit([&](const RequestView& request, const RuleRequests::Origin& origin) {
    exhausted = budget.rules == 0;
    if (exhausted) return false;
    --budget.rules;
    const std::optional<size_t> taken_by = matcher.first_match(request, index);
    if (taken_by) shadows.insert(*taken_by);
    reached = reached || !taken_by;
    users.count(origin.principal, taken_by);
    verbs.count(origin.verb, taken_by);
    spaces.count(origin.name_space, taken_by);
    targets.count(origin.target, taken_by);
    return !reached || judge_words;
  });
  if (!reached) {
    reach.state = exhausted ? Reach::State::unknown : Reach::State::unreachable;
    reach.shadows.assign(shadows.begin(), shadows.end());
    return reach;
  }
  if (!judge_words || exhausted) return reach;
  const auto collect = [&](const WordTally& tally, const std::vector<Word>& words) {
    for (size_t i = 0; i < words.size(); ++i)
      if (tally.dead(i)) reach.dead.push_back({words[i], tally.shadow[i]});
  };
  collect(users, rule.users);
  collect(verbs, rule.verbs);
  collect(spaces, rule.namespaces);
  for (size_t i = 0; i < requests.targets().size(); ++i)
    if (targets.dead(i) && !requests.targets()[i].word.empty())
      reach.dead.push_back(
          {{requests.targets()[i].word, requests.targets()[i].mark}, targets.shadow[i]});
  return reach;
}

}  // namespace saker::audit
