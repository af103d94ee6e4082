// Which requests of a rule's ever get to it. All conditions of a policy are of the form "is one
// of", so the request that is hardest to take away from a rule has, wherever the rule does not
// care, a value that no rule names; what is left to try are the words that the rule itself names.
// That makes the proof that a rule is unreachable (its requests are a subset of what earlier rules
// match) exact and cheap.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/policy.h"
#include "audit/policy_match.h"

namespace saker::audit {

// A value that no policy names.
inline constexpr std::string_view kOther = "\x01other";

// The requests that stand for all that a rule can match.
class RuleRequests {
 public:
  explicit RuleRequests(const PolicyRule& rule);

  // Which word of the rule each part of a request comes from; SIZE_MAX: from none.
  struct Origin {
    size_t principal = SIZE_MAX, verb = SIZE_MAX, name_space = SIZE_MAX, target = SIZE_MAX;
  };
  using Visitor = std::function<bool(const RequestView&, const Origin&)>;  // false ends it

  // Narrows the targets to one resource, where the rule can match it at all.
  void only_target(std::string_view group, std::string_view resource, std::string_view subresource);
  void only_verbs(const std::vector<std::string_view>& verbs);

  // Nothing that exists can match the rule.
  [[nodiscard]] bool empty() const { return count() == 0; }
  [[nodiscard]] size_t count() const;
  void visit(const Visitor& visitor) const;

  struct Principal {
    bool has_user = false;
    std::string_view user;
    std::vector<std::string> owned_groups;
    size_t word = SIZE_MAX;
  };
  struct Target {
    bool is_resource = true;
    std::string_view group, resource, subresource;
    std::vector<std::string_view> names;
    bool named = false;  // by resourceNames: a create has no name
    std::string path;
    formats::YamlMark mark;
    std::string word;
  };
  [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }

 private:
  void add_principals(const PolicyRule& rule);
  void add_targets(const PolicyRule& rule);
  void add_target(const GroupResources& entry, const Word& pattern);
  [[nodiscard]] std::vector<std::string_view> verbs_for(const Target& target) const;

  std::vector<Principal> principals_;
  std::vector<std::string_view> verbs_;  // the rule's, or those it is narrowed to
  bool any_verb_ = false;
  std::vector<std::string_view> namespaces_;
  std::vector<Target> targets_;
};

struct Reach {
  enum class State : uint8_t { reached, unreachable, unknown } state = State::reached;
  std::vector<size_t> shadows;  // the earlier rules that take its requests, sorted
  // Words that no request reaches through, of a rule that is reached otherwise.
  struct DeadWord {
    Word word;
    size_t shadow = 0;
  };
  std::vector<DeadWord> dead;
};

// Bounds the work over several calls, in requests that are tried.
struct ReachBudget {
  size_t rules = 300'000;  // used up: whether a rule is reachable is unknown
  size_t words = 100'000;  // used up: dead words are not looked for
};

// Whether anything gets to rule number `index`.
Reach reach_of(const Policy& policy, const PolicyMatcher& matcher, size_t index,
               ReachBudget& budget);

}  // namespace saker::audit
