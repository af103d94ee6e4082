// Judging what a detection rule can see under a policy. See policy_coverage.h.
#include "audit/policy_coverage.h"

#include <algorithm>
#include <tuple>

#include "audit/kube_resources.h"

namespace saker::audit {

namespace {

bool stage_is_kept(const SightNeed& need, const Decision& decision) {
  return std::any_of(need.stages.begin(), need.stages.end(),
                     [&](Stage stage) { return !decision.omit_stages.contains(stage); });
}

bool is_seen(const SightNeed& need, const Decision& decision) {
  return decision.level >= need.level && stage_is_kept(need, decision);
}

std::string what_of(const Request& request) {
  if (!request.is_resource) return request.path;
  std::string out = request.resource;
  if (!request.subresource.empty()) out += "/" + request.subresource;
  if (!request.api_group.empty()) out += "." + request.api_group;
  return out;
}

// What of a detection rule's needs the policy does not give.
struct Losses {
  std::vector<const SightNeed*> by_level, by_stage;
  size_t first_rule = SIZE_MAX;  // that takes something by its level
};

void add_word(std::vector<Word>& words, const std::string& text) {
  for (const Word& word : words)
    if (word.text == text) return;
  words.push_back({.text = text});
}

void add_target(PolicyRule& rule, const Request& request) {
  if (!request.is_resource) return add_word(rule.urls, request.path);
  std::string pattern = request.resource;
  if (!request.subresource.empty()) pattern += "/" + request.subresource;
  for (GroupResources& entry : rule.resources)
    if (entry.group.text == request.api_group) return add_word(entry.resources, pattern);
  rule.resources.push_back(
      {.group = {.text = request.api_group}, .resources = {{.text = pattern}}});
}

// A rule for just what is lost, of resources or of paths.
std::optional<PolicyRule> rule_for(const std::vector<const SightNeed*>& needs, bool resources) {
  PolicyRule rule;
  bool everywhere = !resources;
  for (const SightNeed* need : needs) {
    if (need->request.is_resource != resources) continue;
    everywhere |= need->any_namespace;
    add_word(rule.namespaces, need->request.name_space);
    rule.level = std::max(rule.level, need->level);
    if (resources) add_word(rule.verbs, need->request.verb);
    add_target(rule, need->request);
  }
  if (rule.level == Level::none) return std::nullopt;
  if (everywhere) rule.namespaces.clear();
  if (rule.verbs.size() == kResourceVerbs.size()) rule.verbs.clear();  // all there are
  return rule;
}

std::optional<PolicyChange> change_for(const Policy& policy, const Losses& losses,
                                       const DetectionNeeds& needs) {
  PolicyChange change{.before = std::min(losses.first_rule, policy.rules.size())};
  for (bool resources : {true, false})
    if (auto rule = rule_for(losses.by_level, resources)) change.rules.push_back(std::move(*rule));
  // What gets a new rule loses stages by the policy's omitStages only.
  for (const SightNeed* need : losses.by_stage) change.keep_stages.add(need->stages.front());
  for (const SightNeed* need : losses.by_level)
    if (!stage_is_kept(*need, {.omit_stages = policy.omit_stages}))
      change.keep_stages.add(need->stages.front());
  const Policy changed = with_change(policy, change);
  const PolicyMatcher matcher(changed);
  for (const SightNeed& need : needs.needs) {
    const RequestViewHolder holder(need.request);
    if (!is_seen(need, matcher.decide(holder.view()))) return std::nullopt;
  }
  return change;
}

}  // namespace

std::string_view to_string(Coverage coverage) {
  switch (coverage) {
    case Coverage::none: return "none";
    case Coverage::partial: return "partial";
    case Coverage::full: break;
  }
  return "full";
}

Policy with_change(const Policy& policy, const PolicyChange& change) {
  Policy changed = policy;
  changed.omit_stages = changed.omit_stages.without(change.keep_stages);
  for (PolicyRule& rule : changed.rules)
    rule.omit_stages = rule.omit_stages.without(change.keep_stages);
  changed.rules.insert(changed.rules.begin() + static_cast<ptrdiff_t>(change.before),
                       change.rules.begin(), change.rules.end());
  return changed;
}

DetectionCoverage coverage_of(const Policy& policy, const PolicyMatcher& matcher,
                              const DetectionNeeds& needs) {
  DetectionCoverage out{.name = needs.name, .classes = needs.needs.size()};
  std::map<std::tuple<size_t, Level, bool>, Blinding> blindings;
  Losses losses;
  for (const SightNeed& need : needs.needs) {
    out.level = std::max(out.level, need.level);
    const RequestViewHolder holder(need.request);
    const Decision decision = matcher.decide(holder.view());
    if (is_seen(need, decision)) {
      ++out.seen;
      continue;
    }
    const size_t rule = decision.rule.value_or(SIZE_MAX);
    const bool by_stage = decision.level >= need.level;
    Blinding& blinding = blindings[{rule, need.level, by_stage}];
    blinding.rule = decision.rule;
    blinding.level = decision.level;
    blinding.needed = need.level;
    blinding.by_stage = by_stage;
    blinding.who.insert(need.who);
    blinding.verbs.insert(need.request.verb);
    blinding.what.insert(what_of(need.request));
    ++blinding.classes;
    (by_stage ? losses.by_stage : losses.by_level).push_back(&need);
    if (!by_stage) losses.first_rule = std::min(losses.first_rule, rule);
  }
  for (auto& [key, blinding] : blindings) out.blinded_by.push_back(std::move(blinding));
  if (out.seen == out.classes) return out;
  out.coverage = out.seen == 0 ? Coverage::none : Coverage::partial;
  out.change = change_for(policy, losses, needs);
  return out;
}

}  // namespace saker::audit
