// saker audit policy lint: what is wrong with an audit policy.
#include <cctype>
#include <cstdio>
#include <memory>
#include <set>

#include "audit/policy_lint.h"
#include "cmd/audit_policy.h"
#include "cmd/command.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> files;
  bool json = false, sarif = false;
};

using Findings = std::vector<audit::PolicyProblem>;

size_t count(const Findings& findings, audit::PolicyProblem::Severity severity) {
  size_t count = 0;
  for (const audit::PolicyProblem& finding : findings) count += finding.severity == severity;
  return count;
}

std::string json_report(const audit::PolicyFile& file, const Findings& findings) {
  JsonWriter json;
  json.begin_object();
  json.key("file").text(file.name);
  json.key("findings").begin_array();
  for (const audit::PolicyProblem& finding : findings) append_problem(finding, json);
  json.end_array();
  json.key("rules").number(file.policy.rules.size());
  json.key("schema").text("saker.audit.policy.lint.v1");
  json.key("valid").boolean(file.verdict() != audit::Verdict::reject);
  json.key("verdict").text(audit::to_string(file.verdict()));
  return json.end_object().result();
}

// A file name as a URI reference, which SARIF wants.
std::string uri_of(std::string_view path) {
  constexpr std::string_view kPlain = "/-._~:@!$&'()*+,;=";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<uint8_t>(c);
    if (std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      char escaped[4];
      std::snprintf(escaped, sizeof escaped, "%%%02X", byte);
      out += escaped;
    }
  }
  return out;
}

void append_sarif_result(const audit::PolicyFile& file, const audit::PolicyProblem& finding,
                         JsonWriter& json) {
  json.begin_object();
  json.key("level").text(to_string(finding.severity));
  json.key("locations").begin_array().begin_object().key("physicalLocation").begin_object();
  json.key("artifactLocation").begin_object().key("uri").text(uri_of(file.name)).end_object();
  json.key("region").begin_object();
  json.key("startColumn").number(finding.mark.column + 1);
  json.key("startLine").number(finding.mark.line + 1);
  json.end_object().end_object().end_object().end_array();
  json.key("message").begin_object().key("text");
  json.text(finding.message + (finding.hint.empty() ? "" : " (" + finding.hint + ")"));
  json.end_object();
  json.key("ruleId").text(finding.id);
  json.end_object();
}

std::string sarif_report(const audit::PolicyFile& file, const Findings& findings) {
  JsonWriter json;
  json.begin_object();
  json.key("$schema").text("https://json.schemastore.org/sarif-2.1.0.json");
  json.key("runs").begin_array().begin_object();
  json.key("results").begin_array();
  for (const audit::PolicyProblem& finding : findings) append_sarif_result(file, finding, json);
  json.end_array();
  json.key("tool").begin_object().key("driver").begin_object();
  json.key("name").text("saker audit policy lint");
  json.key("rules").begin_array();
  std::set<std::string> ids;
  for (const audit::PolicyProblem& finding : findings)
    if (ids.insert(finding.id).second) json.begin_object().key("id").text(finding.id).end_object();
  json.end_array().key("version").text(SAKER_VERSION);
  json.end_object().end_object();
  json.end_object().end_array();
  json.key("version").text("2.1.0");
  return json.end_object().result();
}

std::string text_report(const audit::PolicyFile& file, const Findings& findings) {
  using Severity = audit::PolicyProblem::Severity;
  std::string out;
  for (const audit::PolicyProblem& finding : findings) out += to_text(file, finding);
  out += file.name + ": " + std::to_string(file.policy.rules.size()) + " rules, " +
         std::to_string(count(findings, Severity::error)) + " errors, " +
         std::to_string(count(findings, Severity::warning)) + " warnings, " +
         std::to_string(count(findings, Severity::note)) + " notes; kube-apiserver ";
  switch (file.verdict()) {
    case audit::Verdict::accept: return out + "accepts it\n";
    case audit::Verdict::accept_with_warning: return out + "accepts it with a warning\n";
    case audit::Verdict::reject: break;
  }
  return out + "refuses it\n";
}

Result<int> run(const Arguments& arguments) {
  const std::string path = SAKER_TRY(one_policy(arguments.files));
  const audit::PolicyFile file = SAKER_TRY(read_policy(path));
  const Findings findings = audit::lint_policy(file);
  if (arguments.sarif) {
    print(sarif_report(file, findings) + "\n");
  } else if (arguments.json) {
    print(json_report(file, findings) + "\n");
  } else {
    print(text_report(file, findings));
  }
  return file.verdict() == audit::Verdict::reject ? kExitFailed : kExitOk;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options = {{.names = "--json", .help = "JSON", .flag = &arguments->json},
                      {.names = "--sarif", .help = "SARIF 2.1.0", .flag = &arguments->sarif}},
          .positional = policy_positional(arguments->files),
          .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_policy_lint_descriptor;
const Command audit_policy_lint_descriptor = {
    .path = "audit policy lint",
    .summary = "Check an audit policy: what kube-apiserver refuses, and what it should",
    .description =
        "Errors: kube-apiserver would not start with it. Warnings and notes: rules that nothing "
        "reaches, words that never\n"
        "match, bodies of secrets in the log, blind spots.\n"
        "Exit code 0: the server takes it (read the warnings all the same); 1: it refuses it; 3: "
        "the file can't be read.",
    .prepare = prepare,
};

}  // namespace saker::cmd
