// Fields of the objects that audited requests send, but for pods: bindings, roles, config maps,
// services.
#include "base/text_builder.h"
#include "fields/audit_common.h"

namespace saker::fields {

namespace {

constexpr Fixed kSubjects = "/requestObject/subjects";

// Names of the subjects of one kind, with their namespace when `with_namespace`. A request without
// subjects has an empty list, which is no value.
template <Fixed kind, bool with_namespace>
bool subject_names(const EvalContext& context, const FieldArg&, Values& out) {
  const auto subjects = audit_at<kSubjects>(context);
  if (!subjects) return false;
  Arena& scratch = *context.scratch;
  json::for_each_element(*subjects, [&](json::Token subject) {
    const auto its_kind = json::find(subject, "/kind");
    const auto name = json::find(subject, "/name");
    if (!its_kind || !name || json::to_text(*its_kind, scratch) != kind.view()) return true;
    if (!with_namespace) return give_json(context, out, *name);
    const auto space = json::find(subject, "/namespace");
    if (!space) return true;
    TextBuilder text(scratch);
    text << json::to_text(*space, scratch) << ':' << json::to_text(*name, scratch);
    return give(out, text.view());
  });
  return !out.empty();
}

// The elements of one array of each rule of a role, or of the rule that the argument picks.
template <Fixed part>
bool of_rules(const EvalContext& context, const FieldArg& arg, Values& out) {
  const auto rules = audit_at<"/requestObject/rules">(context);
  if (!rules) return false;
  size_t index = 0;
  json::for_each_element(*rules, [&](json::Token rule) {
    const bool wanted = !arg.index || *arg.index == index;
    ++index;
    const auto list = wanted ? json::find(rule, part.view()) : std::nullopt;
    if (list)
      json::for_each_element(*list,
                             [&](json::Token element) { return give_json(context, out, element); });
    return true;
  });
  return !out.empty();
}

bool deprecated_has_name(const EvalContext& context, const FieldArg&, Values& out) {
  return audit_at<"/auditID">(context) && give(out, "true");
}

constexpr FieldInfo kFields[] = {
    {.name = "ka.req.binding.subjects",
     .many = Many::list,
     .summary = "Subjects of a role binding, each as JSON.",
     .extract = audit_list<"/requestObject/subjects">},
    {.name = "ka.req.binding.subjects.user_names",
     .many = Many::list,
     .summary = "Users that a role is bound to.",
     .extract = subject_names<"User", false>},
    {.name = "ka.req.binding.subjects.serviceaccount_names",
     .many = Many::list,
     .summary = "Service accounts that a role is bound to.",
     .extract = subject_names<"ServiceAccount", false>},
    {.name = "ka.req.binding.subjects.serviceaccount_ns_names",
     .many = Many::list,
     .summary = "The same with their namespace: namespace:name.",
     .extract = subject_names<"ServiceAccount", true>},
    {.name = "ka.req.binding.subjects.group_names",
     .many = Many::list,
     .summary = "Groups that a role is bound to.",
     .extract = subject_names<"Group", false>},
    value_row<"/requestObject/roleRef/name">("ka.req.binding.role", "Role that is bound."),
    {.name = "ka.req.binding.subject.has_name",
     .arg = ArgRule::required,
     .summary = "Always true; use ka.req.binding.subjects.user_names.",
     .extract = deprecated_has_name},
    value_row<"/objectRef/name">("ka.req.configmap.name", "Name of the config map."),
    value_row<"/requestObject/data">("ka.req.configmap.obj", "Content of a config map as JSON."),
    {.name = "ka.req.role.rules",
     .many = Many::list,
     .summary = "Rules of a role, each as JSON.",
     .extract = audit_list<"/requestObject/rules">},
    list_row("ka.req.role.rules.apiGroups", "API groups that a role's rules are about.",
             of_rules<"/apiGroups">),
    list_row("ka.req.role.rules.nonResourceURLs", "Paths that a role's rules are about.",
             of_rules<"/nonResourceURLs">),
    list_row("ka.req.role.rules.verbs", "Verbs that a role's rules allow.", of_rules<"/verbs">),
    list_row("ka.req.role.rules.resources", "Kinds of object that a role's rules are about.",
             of_rules<"/resources">),
    value_row<"/requestObject/spec/type">("ka.req.service.type",
                                          "Type of a service: ClusterIP, NodePort ..."),
    list_row("ka.req.service.ports", "Ports of a service, each as JSON.",
             audit_list<"/requestObject/spec/ports">),
};

}  // namespace

std::span<const FieldInfo> audit_request_fields() {
  return kFields;
}

}  // namespace saker::fields
