// Which rights of an actor were never used. See grant.h.
#include <algorithm>

#include "audit/grant.h"

namespace saker::audit {

namespace {

bool is_about(const RbacBinding& binding, const RbacSubject& actor, const Deeds& deeds) {
  return std::any_of(
      binding.subjects.begin(), binding.subjects.end(), [&](const RbacSubject& subject) {
        if (subject.kind == "Group")
          return actor.kind == "Group" ? subject.name == actor.name
                                       : deeds.groups.contains(subject.name);
        if (subject.kind != actor.kind || subject.name != actor.name) return false;
        // A subject may leave out its namespace, which then is the binding's.
        return subject.kind != "ServiceAccount" ||
               (subject.name_space.empty() ? binding.name_space : subject.name_space) ==
                   actor.name_space;
      });
}

std::vector<Access> done_by(const Deeds& deeds) {
  std::vector<Access> out;
  for (const auto& [access, count] : deeds.allowed) out.push_back(access);
  for (const auto& [name, count] : deeds.impersonated) out.push_back(impersonation_of(name));
  return out;
}

class RuleUse {
 public:
  RuleUse(const RbacRule& rule, const std::string& name_space, const Deeds& deeds,
          const std::vector<Access>& done)
      : rule_(rule) {
    for (const Access& access : done)
      if (holds_in(access, name_space) && allowed_by(rule, access, deeds)) used_.push_back(&access);
  }

  [[nodiscard]] const std::vector<const Access*>& used() const { return used_; }
  [[nodiscard]] bool unused() const { return used_.empty(); }

  // Fills in what of the rule was not used; false when all was.
  bool describe(UnusedRight& out) const {
    out.whole = unused();
    out.verbs = unused_of(rule_.verbs, [](const RbacRule& one, const Access& access) {
      return allows_verb(one, access.verb);
    });
    out.resources = unused_of(rule_.resources, [](const RbacRule& one, const Access& access) {
      return allows_resource(one, access.resource);
    });
    out.names = unused_of(rule_.names, [](const RbacRule& one, const Access& access) {
      return access.name.empty() || one.names[0] == access.name;
    });
    out.urls = unused_of(rule_.urls, [](const RbacRule& one, const Access& access) {
      return allows({.verbs = {"*"}, .groups = {}, .resources = {}, .names = {}, .urls = one.urls},
                    access);
    });
    if (has_star()) note_used(out.used_instead);
    if (!out.whole) note_combinations(out);
    return out.whole || !out.verbs.empty() || !out.resources.empty() || !out.names.empty() ||
           !out.urls.empty() || !out.combinations.empty() || !out.used_instead.empty();
  }

  // With names so many that they were not kept, the names of a rule can't be told apart.
  static bool allowed_by(const RbacRule& rule, const Access& access, const Deeds& deeds) {
    if (allows(rule, access)) return true;
    if (rule.names.empty() || !deeds.any_name.contains(access)) return false;
    RbacRule nameless = rule;
    nameless.names.clear();
    return allows(nameless, access);
  }
  // Paths are only granted for the whole cluster.
  static bool holds_in(const Access& access, const std::string& name_space) {
    return name_space.empty() || (access.is_resource() && access.name_space == name_space);
  }

 private:
  // The words that no access fits. `fits` is asked with a rule that has the word in each list.
  template <typename Fits>
  std::vector<std::string> unused_of(const std::vector<std::string>& words, Fits fits) const {
    std::vector<std::string> out;
    for (const std::string& word : words) {
      const RbacRule one{
          .verbs = {word}, .groups = {}, .resources = {word}, .names = {word}, .urls = {word}};
      if (std::none_of(used_.begin(), used_.end(),
                       [&](const Access* access) { return fits(one, *access); }))
        out.push_back(word);
    }
    return out;
  }

  // Verbs and resources that were used, but not together.
  void note_combinations(UnusedRight& out) const {
    constexpr size_t kMost = 10'000;
    if (rule_.verbs.size() * rule_.resources.size() > kMost) return;
    const auto is_in = [](const std::vector<std::string>& list, const std::string& word) {
      return std::find(list.begin(), list.end(), word) != list.end();
    };
    for (const std::string& verb : rule_.verbs)
      for (const std::string& resource : rule_.resources) {
        if (is_in(out.verbs, verb) || is_in(out.resources, resource)) continue;
        const RbacRule one{
            .verbs = {verb}, .groups = {"*"}, .resources = {resource}, .names = {}, .urls = {}};
        if (std::none_of(used_.begin(), used_.end(),
                         [&](const Access* access) { return allows(one, *access); }))
          out.combinations.push_back(to_text(
              {.verb = verb, .resource = resource, .name_space = {}, .name = {}, .path = {}}));
      }
  }

  [[nodiscard]] bool has_star() const {
    const auto star = [](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), "*") != list.end();
    };
    return star(rule_.verbs) || star(rule_.resources) || star(rule_.groups);
  }

  void note_used(std::vector<std::string>& out) const {
    constexpr size_t kMost = 200;
    std::set<std::string> kinds;
    for (const Access* access : used_)
      if (access->is_resource())
        kinds.insert(to_text({.verb = access->verb,
                              .group = access->group,
                              .resource = access->resource,
                              .name_space = {},
                              .name = {},
                              .path = {}}));
      else
        kinds.insert(to_text(*access));
    for (const std::string& kind : kinds)
      if (out.size() < kMost) out.push_back(kind);
  }

  const RbacRule& rule_;
  std::vector<const Access*> used_;
};

std::string binding_text(const RbacBinding& binding) {
  return binding.kind + " " + (binding.name_space.empty() ? "" : binding.name_space + "/") +
         binding.name;
}

}  // namespace

RightsUse rights_use(const RbacObjects& objects, const RbacSubject& subject, const Deeds& deeds) {
  RightsUse out;
  const std::vector<Access> done = done_by(deeds);
  std::set<const Access*> covered;
  for (const RbacBinding& binding : objects.bindings) {
    if (!is_about(binding, subject, deeds)) continue;
    ++out.bindings;
    const RbacRole* role = objects.role_of(binding);
    if (role == nullptr) {
      out.missing_roles.push_back(binding_text(binding) + " -> " + binding.role_kind + " " +
                                  binding.role_name);
      continue;
    }
    for (size_t i = 0; i < role->rules.size(); ++i) {
      const RuleUse use(role->rules[i], binding.name_space, deeds, done);
      covered.insert(use.used().begin(), use.used().end());
      UnusedRight right{
          .binding = binding_text(binding), .role = role->kind + " " + role->name, .rule = i};
      if (use.describe(right)) out.unused.push_back(std::move(right));
    }
  }
  for (const Access& access : done)
    if (!covered.contains(&access) && !everyone_may(access)) out.not_by_these.push_back(access);
  return out;
}

}  // namespace saker::audit
