// Writes a draft as YAML that says why each rule is there.
#include "audit/policy_new.h"
#include "base/strings.h"
#include "formats/json.h"

namespace saker::audit {

namespace {

// `# ` comments of at most 100 columns.
void append_comment(std::string_view text, std::string_view indent, std::string& out) {
  constexpr size_t kColumns = 100;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) out.append(indent).append("#").append(line).append("\n");
    line.clear();
  };
  for (std::string_view word : split(text, ' ')) {
    if (!line.empty() && indent.size() + line.size() + word.size() + 2 > kColumns) flush();
    line.append(" ").append(word);
  }
  flush();
}

void append_list(std::string_view key, const std::vector<Word>& words, std::string_view indent,
                 std::string& out) {
  if (words.empty()) return;
  out.append(indent).append(key).append(": [");
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += ", ";
    formats::append_json_text(words[i].text, out);
  }
  out += "]\n";
}

void append_rule(const DraftRule& draft, std::string& out) {
  const PolicyRule& rule = draft.rule;
  append_comment(draft.reason, "  ", out);
  out.append("  - level: ").append(to_string(rule.level)).append("\n");
  append_list("users", rule.users, "    ", out);
  append_list("userGroups", rule.user_groups, "    ", out);
  append_list("verbs", rule.verbs, "    ", out);
  append_list("namespaces", rule.namespaces, "    ", out);
  append_list("nonResourceURLs", rule.urls, "    ", out);
  if (!rule.resources.empty()) out += "    resources:\n";
  for (const GroupResources& entry : rule.resources) {
    out += "      - group: ";
    formats::append_json_text(entry.group.text, out);
    out += "\n";
    append_list("resources", entry.resources, "        ", out);
  }
}

// A command line may hold a line break, a comment may not.
std::string one_line(std::string_view text) {
  std::string out;
  for (char c : sanitize_utf8(text)) out += static_cast<uint8_t>(c) < 0x20 ? ' ' : c;
  return out;
}

}  // namespace

std::string write_policy(const PolicyDraft& draft, std::string_view command) {
  std::string out = "# Made by: " + one_line(command) + "\n";
  append_comment(
      "The first rule that matches a request decides; what no rule matches is not logged. "
      "kube-apiserver reads this file once, when it starts (--audit-policy-file).",
      "", out);
  out += "apiVersion: audit.k8s.io/v1\nkind: Policy\n";
  append_comment(
      "A request is told when it is done (and a session or a failed authentication when it "
      "starts): "
      "that says all that its arrival would.",
      "", out);
  out += "omitStages: [\"RequestReceived\"]\nrules:\n";
  for (const DraftRule& rule : draft.rules) append_rule(rule, out);
  return out;
}

}  // namespace saker::audit
