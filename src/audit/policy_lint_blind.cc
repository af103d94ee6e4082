// Blind spots of a policy: requests that nobody will ever be able to look up.
#include <algorithm>

#include "audit/kube_resources.h"
#include "audit/policy_cover.h"
#include "audit/policy_lint.h"

namespace saker::audit {

namespace {

constexpr auto kWarning = PolicyProblem::Severity::warning;
constexpr auto kNote = PolicyProblem::Severity::note;

bool logs(const PolicyRule& rule) {
  return rule.level != Level::none;
}

bool is_catch_all(const PolicyRule& rule) {
  return rule.users.empty() && rule.user_groups.empty() && rule.verbs.empty() &&
         !rule.only_resources() && !rule.only_urls();
}

void lint_stage_set(LintContext& lint, StageSet stages, const formats::YamlMark& mark,
                    std::vector<size_t> rules, bool sees_401) {
  if (stages.contains(Stage::response_started))
    lint.add(kWarning, "hidden-response-started",
             std::string("omitting ResponseStarted hides the start of exec, attach and "
                         "port-forward sessions") +
                 (sees_401 ? ", and every failed authentication (401)" : ""),
             mark, rules, "omit RequestReceived only");
  if (stages.contains(Stage::response_complete))
    lint.add(kWarning, "hidden-response-complete",
             "omitting ResponseComplete hides the outcome of almost every request", mark, rules);
  if (stages.contains(Stage::panic))
    lint.add(kNote, "hidden-panic", "omitting Panic hides requests that crash their handler", mark,
             rules);
}

RequestView person(std::string_view verb, std::string_view resource, std::string_view subresource) {
  static constexpr std::string_view kGroups[] = {"system:authenticated"};
  return {.has_user = true,
          .user = kOther,
          .groups = kGroups,
          .verb = verb,
          .is_resource = true,
          .name_space = kOther,
          .api_group = "",
          .resource = resource,
          .subresource = subresource,
          .name = kOther,
          .path = ""};
}

// Subresources that do something of their own to the object.
struct Forgotten {
  std::string_view resource, subresource, verb;
};
constexpr auto kForgotten = std::to_array<Forgotten>({{"pods", "exec", "create"},
                                                      {"pods", "attach", "create"},
                                                      {"pods", "portforward", "create"},
                                                      {"pods", "ephemeralcontainers", "patch"},
                                                      {"serviceaccounts", "token", "create"},
                                                      {"nodes", "proxy", "get"},
                                                      {"services", "proxy", "get"}});

void lint_forgotten(LintContext& lint, size_t index) {
  const PolicyRule& rule = lint.policy.rules[index];
  if (!rule.verbs.empty()) return;  // who names verbs does not mean all that can be done
  for (const GroupResources& entry : rule.resources) {
    if (!entry.group.text.empty()) continue;
    for (const Word& word : entry.resources) {
      std::string hidden;
      for (const Forgotten& row : kForgotten) {
        if (word.text != row.resource) continue;
        RequestView request = person(row.verb, row.resource, row.subresource);
        if (!rule.namespaces.empty()) request.name_space = rule.namespaces[0].text;
        if (!rule.users.empty()) request.user = rule.users[0].text;
        const auto decided = lint.matcher.first_match(request);
        if (decided && logs(lint.policy.rules[*decided])) continue;
        if (!hidden.empty()) hidden += ", ";
        hidden.append(row.resource).append("/").append(row.subresource);
      }
      if (!hidden.empty())
        lint.add(kWarning, "subresource-forgotten",
                 word.text + " is logged, but not " + hidden + ": subresources are never implied",
                 word.mark, {index}, "add them, or " + word.text + "/*");
    }
  }
}

// A 401 has no user, so only rules without users and groups decide about it.
void lint_failed_authentication(LintContext& lint) {
  RequestView request{
      .verb = "get", .is_resource = true, .name_space = kOther, .resource = "pods", .name = kOther};
  const auto decided = lint.matcher.first_match(request);
  if (!decided || logs(lint.policy.rules[*decided])) return;
  // A None for everything at the end is said on purpose.
  if (*decided + 1 == lint.policy.rules.size() && is_catch_all(lint.policy.rules.back())) return;
  lint.add(kWarning, "hidden-401",
           "rule " + std::to_string(*decided) +
               " drops failed authentications (401): they have no user, and nothing before it "
               "matches them",
           lint.policy.rules[*decided].mark, {*decided}, "name users or groups in it");
}

void lint_catch_all(LintContext& lint) {
  const RequestView resource{.verb = kOther,
                             .is_resource = true,
                             .name_space = kOther,
                             .api_group = kOther,
                             .resource = kOther,
                             .name = kOther};
  const RequestView url{.verb = kOther, .path = kOther};
  const bool has_resource = lint.matcher.first_match(resource).has_value();
  const bool has_url = lint.matcher.first_match(url).has_value();
  if (has_resource && has_url) return;
  std::string what = "what no rule matches";
  if (has_resource) what = "non-resource requests that no rule matches";
  if (has_url) what = "resource requests that no rule matches";
  lint.add(
      kNote, "no-catch-all",
      "there is no catch-all: " + what + " is not logged at all, failed authentications included",
      lint.policy.rules.back().mark, {}, "end with '- level: Metadata'");
}

void lint_broad_none(LintContext& lint, size_t index) {
  const PolicyRule& rule = lint.policy.rules[index];
  if (logs(rule) || rule.only_resources() || rule.only_urls() || !rule.verbs.empty()) return;
  // Last but for a catch-all it only says what not matching would: nothing else of them is logged.
  const size_t left = lint.policy.rules.size() - 1 - index;
  if (left == 0 || (left == 1 && is_catch_all(lint.policy.rules.back()))) return;
  for (const Word& group : rule.user_groups)
    if (group.text == "system:masters" || group.text == "system:authenticated" ||
        group.text == "system:serviceaccounts")
      lint.add(kWarning, "blind-to-group",
               "nothing that anyone in " + group.text + " does is logged", group.mark, {index});
}

}  // namespace

void lint_stages(LintContext& lint) {
  const Policy& policy = lint.policy;
  lint_stage_set(lint, policy.omit_stages, policy.omit_stages_mark, {}, true);
  bool twice = false;
  for (size_t i = 0; i < policy.rules.size(); ++i) {
    const PolicyRule& rule = policy.rules[i];
    if (!logs(rule)) continue;
    twice |= !policy.omit_stages.united(rule.omit_stages).contains(Stage::request_received);
    if (rule.omit_stages.empty()) continue;
    const bool sees_401 = rule.users.empty() && rule.user_groups.empty();
    lint_stage_set(lint, rule.omit_stages, rule.omit_stage_texts[0].mark, {i}, sees_401);
  }
  if (twice)
    lint.add(kNote, "no-omit-stages",
             "RequestReceived is not omitted: each request makes two events where one tells all",
             {}, {}, "omitStages: [RequestReceived]");
}

void lint_blind(LintContext& lint) {
  for (size_t i = 0; i < lint.policy.rules.size(); ++i) {
    lint_broad_none(lint, i);
    if (logs(lint.policy.rules[i])) lint_forgotten(lint, i);
  }
  lint_failed_authentication(lint);
  lint_catch_all(lint);
  const bool any = std::any_of(lint.policy.rules.begin(), lint.policy.rules.end(), logs);
  if (!any)
    lint.add(kWarning, "logs-nothing", "every rule has level None: nothing is ever logged",
             lint.policy.rules[0].mark);
}

}  // namespace saker::audit
