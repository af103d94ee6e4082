// Fields of the pod that the thread's container belongs to, from what the container runtime knows.
// Those of other Kubernetes objects are deprecated and never have a value.
#include "fields/container.h"

namespace saker::fields {

using k8s::ContainerInfo;

namespace {

constexpr size_t kShortId = 12;

bool label_of(const EvalContext& context, const char* key, Values& out) {
  const ContainerInfo* info = container_info(context);
  return info != nullptr && give_label(info->labels, key, out);
}

// Without the runtime's word the cgroup's name still has the uid.
bool pod_uid(const EvalContext& context, const FieldArg&, Values& out) {
  if (label_of(context, "io.kubernetes.pod.uid", out)) return true;
  if (context.thread == nullptr || !context.thread->cgroups) return false;
  const std::string& uid = context.thread->cgroups->pod_uid;
  return !uid.empty() && give(out, uid);
}

template <size_t length>
bool sandbox_id(const EvalContext& context, const FieldArg&, Values& out) {
  if (on_host(context)) return give(out, "");
  const ContainerInfo* info = container_info(context);
  return info != nullptr && give(out, std::string_view(info->pod_sandbox_id).substr(0, length));
}

template <std::string ContainerInfo::* member>
bool text(const EvalContext& context, const FieldArg&, Values& out) {
  if (on_host(context)) return give(out, "");
  const ContainerInfo* info = container_info(context);
  return info != nullptr && give(out, info->*member);
}

constexpr FieldInfo deprecated(std::string_view name, ArgRule arg = ArgRule::none) {
  return {.name = name,
          .arg = arg,
          .flags = filter::kDeprecated,
          .summary = "Not known any more.",
          .extract = never};
}

constexpr FieldInfo kFields[] = {
    {.name = "k8s.pod.name",
     .scope = Scope::process,
     .summary = "Name of the pod.",
     .extract = +[](const EvalContext& context, const FieldArg&,
                    Values& out) { return label_of(context, "io.kubernetes.pod.name", out); }},
    {.name = "k8s.ns.name",
     .scope = Scope::process,
     .summary = "Namespace of the pod.",
     .extract = +[](const EvalContext& context, const FieldArg&,
                    Values& out) { return label_of(context, "io.kubernetes.pod.namespace", out); }},
    {.name = "k8s.pod.id",
     .scope = Scope::process,
     .summary = "The same as k8s.pod.uid.",
     .extract = pod_uid},
    {.name = "k8s.pod.uid",
     .scope = Scope::process,
     .summary = "Unique id of the pod.",
     .extract = pod_uid},
    {.name = "k8s.pod.sandbox_id",
     .scope = Scope::process,
     .summary = "First 12 characters of the id of the pod's sandbox.",
     .extract = sandbox_id<kShortId>},
    {.name = "k8s.pod.full_sandbox_id",
     .scope = Scope::process,
     .summary = "Id of the pod's sandbox.",
     .extract = sandbox_id<std::string_view::npos>},
    {.name = "k8s.pod.label",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "A label of the pod.",
     .extract =
         +[](const EvalContext& context, const FieldArg& arg, Values& out) {
           const ContainerInfo* info = container_info(context);
           return info != nullptr && give_label(info->pod_sandbox_labels, arg.text, out);
         }},
    {.name = "k8s.pod.labels",
     .scope = Scope::process,
     .summary = "All labels of the pod.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           const ContainerInfo* info = container_info(context);
           return info != nullptr && give_labels(context, info->pod_sandbox_labels, out);
         }},
    {.name = "k8s.pod.ip",
     .scope = Scope::process,
     .summary = "Address of the pod.",
     .extract = text<&ContainerInfo::ip>},
    {.name = "k8s.pod.cni.json",
     .scope = Scope::process,
     .summary = "What the network plugin said when it set the pod up, as JSON.",
     .extract = text<&ContainerInfo::cni_json>},
    deprecated("k8s.rc.name"),
    deprecated("k8s.rc.id"),
    deprecated("k8s.rc.label", ArgRule::required),
    deprecated("k8s.rc.labels"),
    deprecated("k8s.svc.name"),
    deprecated("k8s.svc.id"),
    deprecated("k8s.svc.label", ArgRule::required),
    deprecated("k8s.svc.labels"),
    deprecated("k8s.ns.id"),
    deprecated("k8s.ns.label", ArgRule::required),
    deprecated("k8s.ns.labels"),
    deprecated("k8s.rs.name"),
    deprecated("k8s.rs.id"),
    deprecated("k8s.rs.label", ArgRule::required),
    deprecated("k8s.rs.labels"),
    deprecated("k8s.deployment.name"),
    deprecated("k8s.deployment.id"),
    deprecated("k8s.deployment.label", ArgRule::required),
    deprecated("k8s.deployment.labels"),
};

}  // namespace

std::span<const FieldInfo> k8s_fields() {
  return kFields;
}

}  // namespace saker::fields
