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

// Finds the first matching rule; of a policy with many rules by an index over what each rule
// restricts most. Refers to the policy, which must outlive it. Const use is thread-safe.
class PolicyMatcher {
 public:
  explicit PolicyMatcher(const Policy& policy);

  // The first rule below `end` that matches.
  [[nodiscard]] std::optional<size_t> first_match(const RequestView& request,
                                                  size_t end = SIZE_MAX) const;
  [[nodiscard]] Decision decide(const RequestView& request) const;

 private:
  enum Dimension : uint8_t { users, groups, verbs, namespaces, resources, names, urls, kCount };
  using Postings = std::unordered_map<std::string_view, std::vector<uint32_t>, StringHash>;

  static std::vector<std::string_view> keys_of(const PolicyRule& rule, Dimension dimension);
  void look(Dimension dimension, std::string_view key, const RequestView& request,
            size_t& best) const;
  void look(const std::vector<uint32_t>& rules, const RequestView& request, size_t& best) const;

  const Policy& policy_;
  bool indexed_ = false;
  Postings postings_[kCount];
  std::vector<uint32_t> everywhere_;  // rules that no dimension narrows
};

}  // namespace saker::audit
