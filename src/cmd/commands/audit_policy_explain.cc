// saker audit policy explain: which rule decides about a request, and what is logged of it.
#include <cstdio>
#include <memory>

#include "audit/kube_resources.h"
#include "audit/policy_match.h"
#include "audit/policy_request.h"
#include "base/fd.h"
#include "base/strings.h"
#include "cmd/audit_policy.h"
#include "cmd/command.h"

namespace saker::cmd {

namespace {

struct Arguments {
  std::vector<std::string> files, groups;
  std::string user, verb, resource, api_group, name, name_space, path, batch;
  bool json = false;
};

void append_decision(const audit::Decision& decision, JsonWriter& json) {
  json.begin_object();
  json.key("level").text(audit::to_string(decision.level));
  json.key("omitStages").texts(decision.omit_stages.names());
  json.key("omitManagedFields").boolean(decision.omit_managed_fields);
  json.key("rule");
  if (decision.rule) {
    json.number(*decision.rule);
  } else {
    json.null();
  }
  json.end_object();
}

Error batch_error(const std::string& path, size_t index, Error error) {
  error.message = path + ": request " + std::to_string(index) + ": " + error.message;
  return error;
}

Status explain_batch(const audit::PolicyFile& file, const Arguments& arguments) {
  constexpr size_t kLargestBatch = size_t{256} << 20;
  const std::string& path = arguments.batch;
  const std::string text = SAKER_TRY(read_file(path == "-" ? "/dev/stdin" : path, kLargestBatch));
  Result<formats::JsonNode> requests = formats::parse_json(text);
  if (!requests.ok()) {
    requests.error().position.file = path;
    return std::move(requests).error();
  }
  if (!requests->is_array())
    return Error{.message = path + ": must be a list of requests",
                 .position = {},
                 .hint = R"([{"user": "ana", "groups": [], "verb": "get", "resource": "pods"}])"};
  const audit::PolicyMatcher matcher(file.policy);
  JsonWriter json;
  json.begin_array();
  for (size_t i = 0; i < requests->items.size(); ++i) {
    Result<audit::Request> request = audit::read_request(requests->items[i]);
    if (!request.ok()) return batch_error(path, i, std::move(request).error());
    const audit::RequestViewHolder holder(*request);
    append_decision(matcher.decide(holder.view()), json);
  }
  print(json.end_array().result() + "\n");
  return {};
}

std::string nearest_resource(std::string_view word) {
  std::vector<std::string> names;
  for (const audit::KubeResource& resource : audit::kube_resources())
    names.emplace_back(resource.name);
  return nearest(word, names).value_or("");
}

// "deployments" are those of group apps, "deployments.apps" as well: as kubectl takes them.
void find_group(audit::Request& request) {
  const size_t dot = request.resource.find('.');
  if (dot != std::string::npos) {
    request.api_group = request.resource.substr(dot + 1);
    request.resource.resize(dot);
    return;
  }
  if (audit::find_kube_resource("", request.resource) != nullptr) return;
  const std::vector<std::string> groups = audit::groups_of(request.resource);
  if (groups.empty()) return;
  request.api_group = groups.front();
  std::fprintf(stderr, "saker: %s are in group %s; --api-group names another\n",
               request.resource.c_str(), request.api_group.c_str());
}

Result<audit::Request> request_of(const Arguments& arguments) {
  if (arguments.verb.empty())
    return Error{.message = "--verb is missing",
                 .position = {},
                 .hint = "get, list, watch, create, update, patch, delete, deletecollection"};
  if (arguments.resource.empty() == arguments.path.empty())
    return Error{.message = "give either --resource (pods, pods/exec) or --path (/healthz)"};
  audit::Request request{.has_user = !arguments.user.empty(),
                         .user = arguments.user,
                         .groups = arguments.groups,
                         .verb = arguments.verb,
                         .is_resource = !arguments.resource.empty(),
                         .name_space = arguments.name_space,
                         .api_group = arguments.api_group,
                         .name = arguments.name,
                         .path = arguments.path.substr(0, arguments.path.find('?'))};
  const size_t slash = arguments.resource.find('/');
  request.resource = arguments.resource.substr(0, slash);
  if (slash != std::string::npos) request.subresource = arguments.resource.substr(slash + 1);
  if (request.is_resource && request.api_group.empty()) find_group(request);
  if (request.has_user && request.groups.empty())
    request.groups = audit::groups_implied_by(request.user);
  return request;
}

// Words that no server knows give an answer, too: what is probably wrong about them.
void warn_of_words(const audit::Request& request) {
  const auto warn = [](const std::string& text) {
    std::fprintf(stderr, "saker: warning: %s\n", text.c_str());
  };
  if (!request.is_resource) {
    if (!audit::is_url_verb(request.verb))
      warn("requests for paths have HTTP methods in lower case as verbs, not '" + request.verb +
           "'");
    return;
  }
  const std::vector<std::string> verbs(audit::kResourceVerbs.begin(), audit::kResourceVerbs.end());
  if (!audit::is_resource_verb(request.verb)) {
    const auto near = nearest(request.verb, verbs);
    warn("no request has the verb '" + request.verb + "'" +
         (near ? ", did you mean '" + *near + "'?" : " (" + join(verbs, ", ") + ")"));
  }
  if (!audit::is_kube_group(request.api_group)) return;
  const audit::KubeResource* known = audit::find_kube_resource(request.api_group, request.resource);
  const std::string group =
      request.api_group.empty() ? "the core group" : "group " + request.api_group;
  if (known == nullptr) {
    std::string plural = audit::plural_of(request.resource);
    if (plural.empty()) plural = nearest_resource(request.resource);
    warn(group + " has no resource '" + request.resource + "'" +
         (plural.empty() || plural == request.resource ? "" : ", did you mean '" + plural + "'?"));
  } else if (!request.subresource.empty() && !audit::has_subresource(*known, request.subresource)) {
    warn(request.resource + " have no '" + request.subresource + "'");
  }
}

std::string what_is_kept(audit::Level level) {
  switch (level) {
    case audit::Level::none: return "nothing";
    case audit::Level::metadata: return "who, what, when, from where, the answer's code; no bodies";
    case audit::Level::request: return "metadata and the request's body";
    case audit::Level::request_response: break;
  }
  return "metadata and the bodies of request and response";
}

std::string explanation(const audit::PolicyFile& file, const audit::RequestView& request,
                        const audit::Decision& decision) {
  std::string out = "Level:          " + std::string(audit::to_string(decision.level)) + " (" +
                    what_is_kept(decision.level) + ")\n";
  out += "Decided by:     ";
  out += decision.rule ? rule_place(file, *decision.rule) + ": " +
                             rule_summary(file.policy.rules[*decision.rule])
                       : "no rule matches, so nothing is logged";
  const std::vector<std::string> stages = decision.omit_stages.names();
  out += "\nOmitted stages: " + (stages.empty() ? std::string("none") : join(stages, ", "));
  out += std::string("\nManaged fields: ") + (decision.omit_managed_fields ? "omitted" : "kept");
  std::vector<std::string> groups(request.groups.begin(), request.groups.end());
  out += "\nUser's groups:  " + (groups.empty() ? std::string("none") : join(groups, ", ")) + "\n";
  constexpr size_t kMostRules = 20;
  const size_t before = decision.rule.value_or(file.policy.rules.size());
  if (before > 0) out += "\nRules before that do not match:\n";
  for (size_t i = 0; i < std::min(before, kMostRules); ++i)
    out += "  rule " + std::to_string(i) + ": " +
           audit::why_no_match(file.policy.rules[i], request) + "\n";
  if (before > kMostRules) out += "  and " + std::to_string(before - kMostRules) + " more\n";
  return out;
}

Result<int> run(const Arguments& arguments) {
  const std::string path = SAKER_TRY(one_policy(arguments.files));
  const audit::PolicyFile file = SAKER_TRY(read_policy(path));
  for (const audit::PolicyProblem& problem : file.problems)
    std::fputs(to_text(file, problem).c_str(), stderr);
  if (!file.decoded) return kExitFailed;
  // A policy that decodes but is refused: what its rules would decide is still worth knowing.
  const int code = file.verdict() == audit::Verdict::reject ? kExitFailed : kExitOk;
  if (!arguments.batch.empty()) {
    SAKER_CHECK(explain_batch(file, arguments));
    return code;
  }
  const audit::Request request = SAKER_TRY(request_of(arguments));
  warn_of_words(request);
  const audit::RequestViewHolder holder(request);
  const audit::Decision decision = audit::PolicyMatcher(file.policy).decide(holder.view());
  if (arguments.json) {
    JsonWriter json;
    append_decision(decision, json);
    print(json.result() + "\n");
  } else {
    print(explanation(file, holder.view(), decision));
  }
  return code;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {
      .options = {{.names = "--user",
                   .value_name = "NAME",
                   .help = "Who asks; without it the request is one that failed authentication",
                   .text = &arguments->user},
                  {.names = "--group",
                   .value_name = "GROUP",
                   .help =
                       "The user's groups (repeatable); none: those that everyone of the name has",
                   .list = &arguments->groups},
                  {.names = "--verb",
                   .value_name = "VERB",
                   .help = "get, list, watch, create, update, patch, delete, deletecollection",
                   .text = &arguments->verb},
                  {.names = "--resource",
                   .value_name = "RESOURCE",
                   .help = "secrets, pods/exec; or --path",
                   .text = &arguments->resource},
                  {.names = "--api-group",
                   .value_name = "GROUP",
                   .help = "The resource's API group: apps; the core group has none",
                   .text = &arguments->api_group},
                  {.names = "--name",
                   .value_name = "NAME",
                   .help = "The object's name",
                   .text = &arguments->name},
                  {.names = "-n,--namespace",
                   .value_name = "NAMESPACE",
                   .help = "The object's namespace",
                   .text = &arguments->name_space},
                  {.names = "--path",
                   .value_name = "PATH",
                   .help = "A path that is no resource: /healthz",
                   .text = &arguments->path},
                  {.names = "--batch",
                   .value_name = "FILE",
                   .help = "A JSON list of requests; prints a JSON list of decisions",
                   .text = &arguments->batch},
                  {.names = "--json", .help = "JSON", .flag = &arguments->json}},
      .positional = policy_positional(arguments->files),
      .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_policy_explain_descriptor;
const Command audit_policy_explain_descriptor = {
    .path = "audit policy explain",
    .summary = "Which rule of an audit policy decides about a request, and what is logged",
    .description =
        "Says which rule kube-apiserver would take, at which level and stages, and why the rules "
        "before it don't match:\n"
        "  saker audit policy explain policy.yaml --user ana --verb create --resource pods/exec -n "
        "shop\n"
        "  saker audit policy explain policy.yaml --batch requests.json --json\n"
        "A batch is a list of {user (null: not authenticated), groups, verb, namespace, apiGroup, "
        "resource, subresource,\n"
        "name, path, isResource}; the answer a list of {level, omitStages, omitManagedFields, "
        "rule} "
        "in the same order,\n"
        "rule from 0, null where none decides. Exit code 1 when kube-apiserver refuses the policy.",
    .prepare = prepare,
};

}  // namespace saker::cmd
