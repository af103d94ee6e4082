// Fields of Kubernetes audit events: who did what to which object, and what came of it.
#include "base/strings.h"
#include "base/text_builder.h"
#include "fields/audit_common.h"

namespace saker::fields {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view decode_url(const EvalContext& context, std::string_view text) {
  if (text.find_first_of("%+") == std::string_view::npos) return text;
  TextBuilder out(*context.scratch, text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                         hex_digit(text[i + 2]) >= 0;
    if (escaped) {
      out << static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out << (text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out.view();
}

// The first value of a query parameter of the request.
bool uri_parameter(const EvalContext& context, const FieldArg& arg, Values& out) {
  const auto found = audit_at<"/requestURI">(context);
  if (!found) return false;
  const std::string_view uri = json::to_text(*found, *context.scratch);
  const size_t question = uri.find('?');
  if (question == std::string_view::npos) return false;
  std::string_view query = uri.substr(question + 1);
  query = query.substr(0, query.find('#'));
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const size_t equals = pair.find('=');
    if (decode_url(context, pair.substr(0, equals)) == arg.text)
      return give(out, equals == std::string_view::npos
                           ? std::string_view()
                           : decode_url(context, pair.substr(equals + 1)));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
  }
  return false;
}

template <Fixed pointer>
bool text_is(const EvalContext& context, std::string_view text) {
  const auto found = audit_at<pointer>(context);
  return found && json::to_text(*found, *context.scratch) == text;
}

// The name that a pod got, which the request need not say.
bool target_pod(const EvalContext& context, const FieldArg&, Values& out) {
  if (!text_is<"/objectRef/resource">(context, "pods") ||
      audit_at<"/objectRef/subresource">(context))
    return false;
  const auto name = audit_at<"/responseObject/metadata/name">(context);
  return name && give_json(context, out, *name);
}

constexpr FieldInfo kFields[] = {
    value_row<"/auditID">("ka.auditid", "Id of the request, the same in all of its stages."),
    value_row<"/stage">("ka.stage", "Stage of the request: RequestReceived, ResponseComplete ..."),
    value_row<"/verb">("ka.verb", "What was done: get, create, delete ..."),
    value_row<"/requestURI">("ka.uri", "Path and parameters of the request."),
    {.name = "ka.uri.param",
     .arg = ArgRule::required,
     .summary = "A parameter of the request: ka.uri.param[timeout].",
     .extract = uri_parameter},
    value_row<"/userAgent">("ka.useragent", "Program that made the request, as it calls itself."),
    value_row<"/annotations/authorization.k8s.io~1decision">("ka.auth.decision",
                                                             "allow or forbid."),
    value_row<"/annotations/authorization.k8s.io~1reason">("ka.auth.reason",
                                                           "Why it was allowed or forbidden."),
    value_row<"/annotations/authentication.openshift.io~1decision">(
        "ka.auth.openshift.decision", "What OpenShift decided about the log-in."),
    value_row<"/annotations/authentication.openshift.io~1username">(
        "ka.auth.openshift.username", "Name that somebody tried to log in to OpenShift with."),
    value_row<"/annotations/validation.policy.admission.k8s.io~1validation_failure">(
        "ka.validations.admission.policy.failure", "What an admission policy found wrong."),
    value_row<"/annotations/pod-security.kubernetes.io~1audit-violations">(
        "ka.security.pod.violations", "How a pod breaks the pod security standard."),
    value_row<"/user/username">("ka.user.name", "User or service account that made the request."),
    {.name = "ka.user.groups",
     .many = Many::list,
     .scope = audit_scope<"/user/groups">(),
     .summary = "Groups of that user.",
     .extract = audit_list<"/user/groups">},
    value_row<"/impersonatedUser/username">("ka.impuser.name",
                                            "User that the request was made in the name of."),
    value_row<"/objectRef/name">("ka.target.name", "Name of the object."),
    value_row<"/objectRef/namespace">("ka.target.namespace", "Namespace of the object."),
    value_row<"/objectRef/resource">("ka.target.resource", "Kind of object: pods, secrets ..."),
    value_row<"/objectRef/subresource">("ka.target.subresource",
                                        "Part of the object: exec, log, status ..."),
    {.name = "ka.target.pod.name",
     .summary = "Name of the pod that the request is about.",
     .extract = target_pod},
    value_row<"/responseObject/metadata/name">("ka.resp.name",
                                               "Name of the object in the response."),
    value_row<"/responseStatus/code">("ka.response.code", "HTTP status of the response."),
    value_row<"/responseStatus/reason">("ka.response.reason",
                                        "Why the request failed: NotFound, Forbidden ..."),
    list_row("ka.sourceips", "Addresses that the request came from.", audit_list<"/sourceIPs">),
    value_row<"/annotations/cluster_name">("ka.cluster.name",
                                           "Name of the cluster, where events say it."),
};

}  // namespace

std::span<const FieldInfo> audit_fields() {
  return kFields;
}

}  // namespace saker::fields
