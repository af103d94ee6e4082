// Which rule of a policy decides about a request, and what is logged of it: as kube-apiserver does
// it, first match wins. Matching is exact and case sensitive; there are no patterns but those that
// `rule_matches` names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "audit/policy.h"
#include "base/hash.h"

namespace saker::audit {

// What the server knows of a request when it asks the policy. Views; the caller keeps the bytes.
struct RequestView {
  bool has_user = false;  // false: authentication failed
  std::string_view user;
  std::span<const std::string_view> groups;
  std::string_view verb;
  bool is_resource = false;
  std::string_view name_space, api_group, resource, subresource, name;
  std::string_view path;  // without query
};

struct Decision {
  Level level = Level::none;
  StageSet omit_stages;
  bool omit_managed_fields = false;
  std::optional<size_t> rule;  // from 0; nothing: no rule matches
};

bool rule_matches(const PolicyRule& rule, const RequestView& request);
// `resource` is "pods", "pods/log", "pods/*" (pods and all of its subresources), "*/scale" or "*".
bool resource_matches(std::string_view pattern, const RequestView& request);
// The whole path, "*", or a prefix when the pattern ends in "*".
bool url_matches(std::string_view pattern, std::string_view path);
// Why the rule does not match ("verb get is not among create, update"); empty when it does.
std::string why_no_match(const PolicyRule& rule, const RequestView& request);

// Finds the first matching rule. Each word of the policy is a number here, so that trying a rule is
// comparing numbers, and of a policy with many rules only those are tried that an index over what
// each restricts most gives. Refers to the policy, which must outlive it. Const use is thread-safe.
class PolicyMatcher {
 public:
  explicit PolicyMatcher(const Policy& policy);

  // The first rule below `end` that matches.
  [[nodiscard]] std::optional<size_t> first_match(const RequestView& request,
                                                  size_t end = SIZE_MAX) const;
  [[nodiscard]] Decision decide(const RequestView& request) const;

 private:
  using Id = uint32_t;  // of a word; 0 is a word that the policy doesn't have
  struct Range {
    uint32_t begin = 0, end = 0;
    [[nodiscard]] bool empty() const { return begin == end; }
  };
  // The ways in which one resource pattern can match; 0: not this way.
  struct Pattern {
    Id whole = 0;               // "pods": the resource, without subresource
    Id before = 0, after = 0;   // "pods/log"
    Id subresource = 0;         // "*/scale"
    Id any_subresource_of = 0;  // "pods/*"
    bool everything = false;    // "*"
  };
  struct Entry {
    Id group = 0;
    bool any_group = false;
    Range names, patterns;
  };
  struct Rule {
    Range users, groups, verbs, namespaces, entries;
    bool only_resources = false, only_urls = false;
  };
  struct RequestIds {
    Id user = 0, verb = 0, name_space = 0, api_group = 0, resource = 0, subresource = 0, name = 0;
    std::vector<Id> groups;  // those that the policy names
  };
  enum Dimension : uint8_t { users, groups, verbs, namespaces, resources, names, kCount };
  using Postings = std::unordered_map<Id, std::vector<uint32_t>>;

  Id add_word(std::string_view word);
  Range add_words(const std::vector<Word>& words);
  Rule compile(const PolicyRule& rule);
  Pattern compile_pattern(std::string_view text);
  void index();
  [[nodiscard]] std::vector<Id> keys_of(const Rule& rule, uint8_t dimension) const;
  [[nodiscard]] std::vector<Id> resource_keys(const Rule& rule) const;

  [[nodiscard]] Id id_of(std::string_view word) const;
  [[nodiscard]] bool has(Range range, Id id) const;
  [[nodiscard]] bool matches(size_t rule, const RequestView& request, const RequestIds& ids) const;
  [[nodiscard]] bool entry_matches(const Entry& entry, const RequestView& request,
                                   const RequestIds& ids) const;
  void look(const std::vector<uint32_t>& rules, const RequestView& request, const RequestIds& ids,
            size_t& best) const;

  const Policy& policy_;
  std::unordered_map<std::string_view, Id, StringHash> words_;
  std::vector<Id> ids_;
  std::vector<Pattern> patterns_;
  std::vector<Entry> entries_;
  std::vector<Rule> rules_;
  bool indexed_ = false;
  Postings postings_[kCount];
  std::vector<uint32_t> everywhere_;  // rules that no dimension narrows
};

}  // namespace saker::audit
