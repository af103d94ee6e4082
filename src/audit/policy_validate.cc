// Validation of a policy's values, in the server's order and with its field paths.
#include "audit/policy_validate.h"

#include <algorithm>

#include "base/strings.h"

namespace saker::audit {

namespace {

class Validator {
 public:
  explicit Validator(std::vector<PolicyProblem>& problems) : problems_(problems) {}

  void check(const Policy& policy) {
    check_stages(policy.omit_stage_texts, "omitStages");
    for (size_t i = 0; i < policy.rules.size(); ++i) check_rule(policy.rules[i], i);
    if (policy.rules.empty())
      add("no-rules", "NoRules", "rules", "the policy has no rules", {},
          "kube-apiserver does not start without at least one rule");
  }

 private:
  void add(std::string id, std::string kind, std::string field, const std::string& detail,
           const formats::YamlMark& mark, std::string hint = {}) {
    PolicyProblem problem{.id = std::move(id),
                          .kind = std::move(kind),
                          .field = std::move(field),
                          .hint = std::move(hint),
                          .mark = mark};
    problem.message = problem.field + ": " + detail;
    if (rule_) problem.rules.push_back(*rule_);
    problems_.push_back(std::move(problem));
  }

  void check_rule(const PolicyRule& rule, size_t index) {
    rule_ = index;
    const std::string path = "rules[" + std::to_string(index) + "]";
    check_level(rule, path + ".level");
    check_urls(rule.urls, path + ".nonResourceURLs");
    for (const GroupResources& entry : rule.resources) check_resources(entry, path + ".resources");
    check_stages(rule.omit_stage_texts, path + ".omitStages");
    if (!rule.urls.empty() && rule.only_resources())
      add("mixed-rule", "Invalid", path + ".nonResourceURLs",
          "a rule can't apply to both resources and non-resource URLs", rule.urls[0].mark,
          "make two rules of it");
    rule_.reset();
  }

  void check_level(const PolicyRule& rule, const std::string& path) {
    if (rule.level_text.text.empty()) {
      add("missing-level", "Required", path, "a level is required", rule.level_text.mark,
          "None, Metadata, Request or RequestResponse");
    } else if (!parse_level(rule.level_text.text)) {
      const auto near = nearest(rule.level_text.text, {kLevels.begin(), kLevels.end()});
      add("unknown-level", "NotSupported", path,
          "unsupported value \"" + rule.level_text.text +
              "\"; supported: None, Metadata, Request, RequestResponse",
          rule.level_text.mark, near ? "did you mean '" + *near + "'?" : std::string());
    }
  }

  void check_urls(const std::vector<Word>& urls, const std::string& path) {
    for (size_t i = 0; i < urls.size(); ++i) {
      const std::string& url = urls[i].text;
      const std::string item = path + "[" + std::to_string(i) + "]";
      if (url == "*") continue;
      if (!url.starts_with('/'))
        add("bad-url", "Invalid", item, "\"" + url + "\" must begin with '/'", urls[i].mark);
      if (!url.empty() && std::string_view(url).substr(0, url.size() - 1).contains('*'))
        add("bad-url", "Invalid", item, "\"" + url + "\": '*' may only be the last character",
            urls[i].mark);
    }
  }

  void check_resources(const GroupResources& entry, const std::string& path) {
    const std::string& group = entry.group.text;
    if (!group.empty() && group != "*" && !is_dns_subdomain(group))
      add("bad-group", "Invalid", path + ".group",
          "\"" + group + "\" is no API group: lower case letters, digits, '-' and '.'",
          entry.group.mark,
          group.contains('/') ? "leave the version away: '" + group.substr(0, group.find('/')) + "'"
                              : std::string());
    if (!entry.names.empty() && entry.resources.empty())
      add("names-without-resources", "Invalid", path + ".resourceNames",
          "resourceNames need at least one resource", entry.names[0].mark);
  }

  void check_stages(const std::vector<Word>& stages, const std::string& path) {
    for (size_t i = 0; i < stages.size(); ++i) {
      if (parse_stage(stages[i].text)) continue;
      const auto near = nearest(stages[i].text, {kStages.begin(), kStages.end()});
      add("unknown-stage", "Invalid", path + "[" + std::to_string(i) + "]",
          "\"" + stages[i].text +
              "\" is no stage; allowed: RequestReceived, ResponseStarted, ResponseComplete, Panic",
          stages[i].mark, near ? "did you mean '" + *near + "'?" : std::string());
    }
  }

  std::vector<PolicyProblem>& problems_;
  std::optional<size_t> rule_;
};

bool is_label(std::string_view label) {
  if (label.empty()) return false;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return alphanumeric(label.front()) && alphanumeric(label.back()) &&
         std::all_of(label.begin(), label.end(),
                     [&](char c) { return alphanumeric(c) || c == '-'; });
}

}  // namespace

bool is_dns_subdomain(std::string_view text) {
  constexpr size_t kMost = 253;
  if (text.size() > kMost) return false;
  const std::vector<std::string_view> labels = split(text, '.');
  return std::all_of(labels.begin(), labels.end(), is_label);
}

void validate_policy(const Policy& policy, std::vector<PolicyProblem>& problems) {
  Validator(problems).check(policy);
}

}  // namespace saker::audit
