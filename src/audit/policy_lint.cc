// The driver of the checks. See policy_lint.h.
#include "audit/policy_lint.h"

#include <algorithm>
#include <tuple>

namespace saker::audit {

namespace {

// The decoder looks at nothing behind the first document, valid or not.
void lint_documents(LintContext& lint) {
  if (!lint.file.text.contains("---")) return;
  const auto documents = formats::parse_yaml(lint.file.text, lint.file.name);
  if (documents.ok() && documents->size() < 2) return;
  const formats::YamlMark mark =
      documents.ok() ? (*documents)[1].mark
                     : formats::YamlMark{.line = documents.error().position.line - 1,
                                         .column = documents.error().position.column - 1,
                                         .offset = documents.error().position.offset};
  lint.add(PolicyProblem::Severity::warning, "ignored-document",
           "only the first YAML document counts, the rest is ignored", mark);
}

}  // namespace

void LintContext::add(Severity severity, std::string id, std::string message,
                      const formats::YamlMark& mark, std::vector<size_t> rules, std::string hint) {
  PolicyProblem problem{.severity = severity,
                        .id = std::move(id),
                        .message = std::move(message),
                        .hint = std::move(hint),
                        .mark = mark,
                        .rules = std::move(rules)};
  if (!problem.rules.empty()) problem.field = "rules[" + std::to_string(problem.rules[0]) + "]";
  findings_.push_back(std::move(problem));
}

std::vector<PolicyProblem> lint_policy(const PolicyFile& file) {
  std::vector<PolicyProblem> findings = file.problems;
  if (!file.decoded || file.policy.rules.empty()) return findings;
  LintContext lint(file, findings);
  lint_documents(lint);
  lint_words(lint);
  lint_reach(lint);
  lint_bodies(lint);
  lint_stages(lint);
  lint_blind(lint);
  std::sort(findings.begin() + static_cast<ptrdiff_t>(file.problems.size()), findings.end(),
            [](const PolicyProblem& a, const PolicyProblem& b) {
              return std::tie(a.mark.line, a.mark.column, a.id, a.message) <
                     std::tie(b.mark.line, b.mark.column, b.id, b.message);
            });
  return findings;
}

}  // namespace saker::audit
