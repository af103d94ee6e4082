// The compiled form of a policy and the search for the first rule that matches. See policy_match.h;
// rule_matches there is the plain form that this must agree with.
#include <algorithm>

#include "audit/policy_match.h"

namespace saker::audit {

PolicyMatcher::Id PolicyMatcher::add_word(std::string_view word) {
  return words_.try_emplace(word, static_cast<Id>(words_.size() + 1)).first->second;
}

PolicyMatcher::Id PolicyMatcher::id_of(std::string_view word) const {
  const auto found = words_.find(word);
  return found == words_.end() ? 0 : found->second;
}

PolicyMatcher::Range PolicyMatcher::add_words(const std::vector<Word>& words) {
  const auto begin = static_cast<uint32_t>(ids_.size());
  for (const Word& word : words) ids_.push_back(add_word(word.text));
  return {begin, static_cast<uint32_t>(ids_.size())};
}

PolicyMatcher::Pattern PolicyMatcher::compile_pattern(std::string_view text) {
  Pattern pattern{.whole = add_word(text), .everything = text == "*"};
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return pattern;
  pattern.before = add_word(text.substr(0, slash));
  pattern.after = add_word(text.substr(slash + 1));
  if (text.starts_with("*/")) pattern.subresource = add_word(text.substr(2));
  if (text.ends_with("/*")) pattern.any_subresource_of = add_word(text.substr(0, text.size() - 2));
  return pattern;
}

PolicyMatcher::Rule PolicyMatcher::compile(const PolicyRule& rule) {
  Rule out{.users = add_words(rule.users),
           .groups = add_words(rule.user_groups),
           .verbs = add_words(rule.verbs),
           .namespaces = add_words(rule.namespaces),
           .only_resources = rule.only_resources(),
           .only_urls = rule.only_urls()};
  out.entries.begin = static_cast<uint32_t>(entries_.size());
  for (const GroupResources& item : rule.resources) {
    Entry entry{.group = add_word(item.group.text),
                .any_group = item.group.text == "*",
                .names = add_words(item.names)};
    entry.patterns.begin = static_cast<uint32_t>(patterns_.size());
    for (const Word& word : item.resources) patterns_.push_back(compile_pattern(word.text));
    entry.patterns.end = static_cast<uint32_t>(patterns_.size());
    entries_.push_back(entry);
  }
  out.entries.end = static_cast<uint32_t>(entries_.size());
  return out;
}

PolicyMatcher::PolicyMatcher(const Policy& policy) : policy_(policy) {
  constexpr size_t kFewRules = 24;  // up to here trying one after the other is faster
  rules_.reserve(policy.rules.size());
  for (const PolicyRule& rule : policy.rules) rules_.push_back(compile(rule));
  indexed_ = policy.rules.size() > kFewRules;
  if (indexed_) index();
}

// The resources of a rule that names some, whatever their subresources.
std::vector<PolicyMatcher::Id> PolicyMatcher::resource_keys(const Rule& rule) const {
  std::vector<Id> keys;
  for (uint32_t e = rule.entries.begin; e < rule.entries.end; ++e) {
    const Range patterns = entries_[e].patterns;
    if (patterns.empty()) return {};
    for (uint32_t p = patterns.begin; p < patterns.end; ++p) {
      const Pattern& pattern = patterns_[p];
      if (pattern.everything || pattern.subresource != 0) return {};
      keys.push_back(pattern.whole);
      if (pattern.before != 0) keys.push_back(pattern.before);
      if (pattern.any_subresource_of != 0) keys.push_back(pattern.any_subresource_of);
    }
  }
  return keys;
}

// What a request must have one of, for the rule to match; nothing when the rule doesn't say.
std::vector<PolicyMatcher::Id> PolicyMatcher::keys_of(const Rule& rule, uint8_t dimension) const {
  std::vector<Id> keys;
  const auto add = [&](Range range) {
    keys.insert(keys.end(), ids_.begin() + range.begin, ids_.begin() + range.end);
  };
  switch (dimension) {
    case users: add(rule.users); break;
    case groups: add(rule.groups); break;
    case verbs: add(rule.verbs); break;
    case namespaces: add(rule.namespaces); break;
    case resources: keys = resource_keys(rule); break;
    default:
      for (uint32_t e = rule.entries.begin; e < rule.entries.end; ++e) {
        if (entries_[e].names.empty() || entries_[e].patterns.empty()) return {};
        add(entries_[e].names);
      }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

// Each rule goes under the words of that dimension in which it shares them with the fewest others.
void PolicyMatcher::index() {
  std::vector<size_t> frequency[kCount];
  for (std::vector<size_t>& counts : frequency) counts.resize(words_.size() + 1);
  for (const Rule& rule : rules_)
    for (uint8_t d = 0; d < kCount; ++d)
      for (Id key : keys_of(rule, d)) ++frequency[d][key];
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    size_t least = SIZE_MAX;
    uint8_t chosen = kCount;
    for (uint8_t d = 0; d < kCount; ++d) {
      size_t most = 0;
      for (Id key : keys_of(rules_[i], d)) most = std::max(most, frequency[d][key]);
      if (most == 0 || most >= least) continue;
      least = most;
      chosen = d;
    }
    if (chosen == kCount) {
      everywhere_.push_back(i);
      continue;
    }
    for (Id key : keys_of(rules_[i], chosen)) postings_[chosen][key].push_back(i);
  }
}

bool PolicyMatcher::has(Range range, Id id) const {
  if (id == 0) return false;
  for (uint32_t i = range.begin; i < range.end; ++i)
    if (ids_[i] == id) return true;
  return false;
}

bool PolicyMatcher::entry_matches(const Entry& entry, const RequestView& request,
                                  const RequestIds& ids) const {
  if (!entry.any_group && (ids.api_group == 0 || entry.group != ids.api_group)) return false;
  if (entry.patterns.empty()) return true;
  if (!entry.names.empty() && !has(entry.names, ids.name)) return false;
  const bool bare = request.subresource.empty();
  for (uint32_t p = entry.patterns.begin; p < entry.patterns.end; ++p) {
    const Pattern& pattern = patterns_[p];
    if (pattern.everything) return true;
    const bool exact = bare ? pattern.whole == ids.resource
                            : pattern.before == ids.resource && pattern.after == ids.subresource &&
                                  ids.subresource != 0;
    if (ids.resource != 0 && (exact || pattern.any_subresource_of == ids.resource)) return true;
    if (!bare && ids.subresource != 0 && pattern.subresource == ids.subresource) return true;
  }
  return false;
}

bool PolicyMatcher::matches(size_t rule, const RequestView& request, const RequestIds& ids) const {
  const Rule& compiled = rules_[rule];
  if (!compiled.verbs.empty() && !has(compiled.verbs, ids.verb)) return false;
  if (!compiled.users.empty() && (!request.has_user || !has(compiled.users, ids.user)))
    return false;
  if (compiled.only_resources) {
    if (!request.is_resource) return false;
    if (!compiled.namespaces.empty() && !has(compiled.namespaces, ids.name_space)) return false;
    bool any = compiled.entries.empty();
    for (uint32_t e = compiled.entries.begin; e < compiled.entries.end && !any; ++e)
      any = entry_matches(entries_[e], request, ids);
    if (!any) return false;
  }
  if (!compiled.groups.empty() &&
      (!request.has_user || std::none_of(ids.groups.begin(), ids.groups.end(),
                                         [&](Id group) { return has(compiled.groups, group); })))
    return false;
  if (!compiled.only_urls) return true;
  const std::vector<Word>& urls = policy_.rules[rule].urls;
  return !request.is_resource && std::any_of(urls.begin(), urls.end(), [&](const Word& url) {
    return url_matches(url.text, request.path);
  });
}

void PolicyMatcher::look(const std::vector<uint32_t>& rules, const RequestView& request,
                         const RequestIds& ids, size_t& best) const {
  for (uint32_t i : rules) {
    if (i >= best) return;
    if (matches(i, request, ids)) best = i;
  }
}

std::optional<size_t> PolicyMatcher::first_match(const RequestView& request, size_t end) const {
  size_t best = std::min(end, policy_.rules.size());
  const size_t none = best;
  RequestIds ids{.user = id_of(request.user), .verb = id_of(request.verb), .groups = {}};
  for (std::string_view group : request.groups)
    if (const Id id = id_of(group); id != 0) ids.groups.push_back(id);
  if (request.is_resource) {
    ids.name_space = id_of(request.name_space);
    ids.api_group = id_of(request.api_group);
    ids.resource = id_of(request.resource);
    ids.subresource = id_of(request.subresource);
    ids.name = id_of(request.name);
  }
  if (!indexed_) {
    for (size_t i = 0; i < none; ++i)
      if (matches(i, request, ids)) return i;
    return std::nullopt;
  }
  const auto look_up = [&](Dimension dimension, Id key) {
    if (key == 0) return;
    const auto found = postings_[dimension].find(key);
    if (found != postings_[dimension].end()) look(found->second, request, ids, best);
  };
  look(everywhere_, request, ids, best);
  look_up(users, ids.user);
  for (Id group : ids.groups) look_up(groups, group);
  look_up(verbs, ids.verb);
  look_up(namespaces, ids.name_space);
  look_up(resources, ids.resource);
  look_up(names, ids.name);
  return best == none ? std::nullopt : std::optional(best);
}

Decision PolicyMatcher::decide(const RequestView& request) const {
  Decision decision{.omit_stages = policy_.omit_stages,
                    .omit_managed_fields = policy_.omit_managed_fields};
  decision.rule = first_match(request);
  if (!decision.rule) return decision;
  const PolicyRule& rule = policy_.rules[*decision.rule];
  decision.level = rule.level;
  decision.omit_stages = decision.omit_stages.united(rule.omit_stages);
  decision.omit_managed_fields = rule.omit_managed_fields.value_or(policy_.omit_managed_fields);
  return decision;
}

}  // namespace saker::audit
