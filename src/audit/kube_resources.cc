// The table of resources. See kube_resources.h.
#include "audit/kube_resources.h"

#include <algorithm>

#include "base/strings.h"

namespace saker::audit {

namespace {

constexpr bool kCluster = false, kNamespaced = true;

constexpr auto kResources = std::to_array<KubeResource>({
    {"", "bindings", "", kNamespaced, true},
    {"", "componentstatuses", "", kCluster},
    {"", "configmaps", ""},
    {"", "endpoints", ""},
    {"", "events", ""},
    {"", "limitranges", ""},
    {"", "namespaces", "finalize status", kCluster},
    {"", "nodes", "proxy status", kCluster},
    {"", "persistentvolumeclaims", "status"},
    {"", "persistentvolumes", "status", kCluster},
    {"", "pods",
     "attach binding ephemeralcontainers eviction exec log portforward proxy resize status"},
    {"", "podtemplates", ""},
    {"", "replicationcontrollers", "scale status"},
    {"", "resourcequotas", "status"},
    {"", "secrets", ""},
    {"", "serviceaccounts", "token"},
    {"", "services", "proxy status"},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicies", "", kCluster},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicybindings", "", kCluster},
    {"admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", kCluster},
    {"admissionregistration.k8s.io", "validatingadmissionpolicies", "status", kCluster},
    {"admissionregistration.k8s.io", "validatingadmissionpolicybindings", "", kCluster},
    {"admissionregistration.k8s.io", "validatingwebhookconfigurations", "", kCluster},
    {"apiextensions.k8s.io", "customresourcedefinitions", "status", kCluster},
    {"apiregistration.k8s.io", "apiservices", "status", kCluster},
    {"apps", "controllerrevisions", ""},
    {"apps", "daemonsets", "status"},
    {"apps", "deployments", "scale status"},
    {"apps", "replicasets", "scale status"},
    {"apps", "statefulsets", "scale status"},
    {"authentication.k8s.io", "selfsubjectreviews", "", kCluster, true},
    {"authentication.k8s.io", "tokenreviews", "", kCluster, true},
    {"authorization.k8s.io", "localsubjectaccessreviews", "", kNamespaced, true},
    {"authorization.k8s.io", "selfsubjectaccessreviews", "", kCluster, true},
    {"authorization.k8s.io", "selfsubjectrulesreviews", "", kCluster, true},
    {"authorization.k8s.io", "subjectaccessreviews", "", kCluster, true},
    {"autoscaling", "horizontalpodautoscalers", "status"},
    {"batch", "cronjobs", "status"},
    {"batch", "jobs", "status"},
    {"certificates.k8s.io", "certificatesigningrequests", "approval status", kCluster},
    {"certificates.k8s.io", "clustertrustbundles", "", kCluster},
    {"certificates.k8s.io", "podcertificaterequests", "status"},
    {"coordination.k8s.io", "leasecandidates", ""},
    {"coordination.k8s.io", "leases", ""},
    {"discovery.k8s.io", "endpointslices", ""},
    {"events.k8s.io", "events", ""},
    {"flowcontrol.apiserver.k8s.io", "flowschemas", "status", kCluster},
    {"flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "status", kCluster},
    {"internal.apiserver.k8s.io", "storageversions", "status", kCluster},
    {"networking.k8s.io", "ingressclasses", "", kCluster},
    {"networking.k8s.io", "ingresses", "status"},
    {"networking.k8s.io", "ipaddresses", "", kCluster},
    {"networking.k8s.io", "networkpolicies", "status"},
    {"networking.k8s.io", "servicecidrs", "status", kCluster},
    {"node.k8s.io", "runtimeclasses", "", kCluster},
    {"policy", "poddisruptionbudgets", "status"},
    {"rbac.authorization.k8s.io", "clusterrolebindings", "", kCluster},
    {"rbac.authorization.k8s.io", "clusterroles", "", kCluster},
    {"rbac.authorization.k8s.io", "rolebindings", ""},
    {"rbac.authorization.k8s.io", "roles", ""},
    {"resource.k8s.io", "deviceclasses", "", kCluster},
    {"resource.k8s.io", "devicetaintrules", "status", kCluster},
    {"resource.k8s.io", "resourceclaims", "binding driver status"},
    {"resource.k8s.io", "resourceclaimtemplates", ""},
    {"resource.k8s.io", "resourceslices", "", kCluster},
    {"scheduling.k8s.io", "podgroups", "status"},
    {"scheduling.k8s.io", "priorityclasses", "", kCluster},
    {"scheduling.k8s.io", "workloads", ""},
    {"storage.k8s.io", "csidrivers", "", kCluster},
    {"storage.k8s.io", "csinodes", "", kCluster},
    {"storage.k8s.io", "csistoragecapacities", ""},
    {"storage.k8s.io", "storageclasses", "", kCluster},
    {"storage.k8s.io", "volumeattachments", "status", kCluster},
    {"storage.k8s.io", "volumeattributesclasses", "", kCluster},
    {"storagemigration.k8s.io", "storageversionmigrations", "status", kCluster},
});

struct ShortName {
  std::string_view shorter, name;
};
constexpr auto kShortNames = std::to_array<ShortName>({
    {"cm", "configmaps"},
    {"crb", "clusterrolebindings"},
    {"crd", "customresourcedefinitions"},
    {"cj", "cronjobs"},
    {"cs", "componentstatuses"},
    {"csr", "certificatesigningrequests"},
    {"deploy", "deployments"},
    {"ds", "daemonsets"},
    {"ep", "endpoints"},
    {"ev", "events"},
    {"hpa", "horizontalpodautoscalers"},
    {"ing", "ingresses"},
    {"netpol", "networkpolicies"},
    {"no", "nodes"},
    {"ns", "namespaces"},
    {"pdb", "poddisruptionbudgets"},
    {"po", "pods"},
    {"pv", "persistentvolumes"},
    {"pvc", "persistentvolumeclaims"},
    {"quota", "resourcequotas"},
    {"rc", "replicationcontrollers"},
    {"rs", "replicasets"},
    {"sa", "serviceaccounts"},
    {"sc", "storageclasses"},
    {"sts", "statefulsets"},
    {"svc", "services"},
});

constexpr std::array<std::string_view, 8> kUrlVerbs = {"get",   "head",   "post",    "put",
                                                       "patch", "delete", "options", "trace"};

}  // namespace

std::span<const KubeResource> kube_resources() {
  return kResources;
}

const KubeResource* find_kube_resource(std::string_view group, std::string_view name) {
  for (const KubeResource& resource : kResources)
    if (resource.group == group && resource.name == name) return &resource;
  return nullptr;
}

std::vector<std::string> groups_of(std::string_view resource) {
  std::vector<std::string> out;
  for (const KubeResource& row : kResources)
    if (row.name == resource) out.emplace_back(row.group);
  return out;
}

bool is_kube_group(std::string_view group) {
  return std::any_of(kResources.begin(), kResources.end(),
                     [&](const KubeResource& row) { return row.group == group; });
}

bool has_subresource(const KubeResource& resource, std::string_view subresource) {
  const std::vector<std::string_view> all = split(resource.subresources, ' ');
  return std::find(all.begin(), all.end(), subresource) != all.end();
}

bool is_resource_verb(std::string_view verb) {
  // proxy is what a request by the old path /api/v1/proxy/... has.
  return verb == "proxy" ||
         std::find(kResourceVerbs.begin(), kResourceVerbs.end(), verb) != kResourceVerbs.end();
}

bool is_url_verb(std::string_view verb) {
  return std::find(kUrlVerbs.begin(), kUrlVerbs.end(), verb) != kUrlVerbs.end();
}

std::string plural_of(std::string_view word) {
  const std::string lower = to_lower(word);
  for (const ShortName& row : kShortNames)
    if (row.shorter == lower) return std::string(row.name);
  for (const KubeResource& row : kResources) {
    const std::string_view name = row.name;
    const bool is_plural = name == lower || name == lower + "s" || name == lower + "es";
    const bool of_y = lower.ends_with('y') && name.ends_with("ies") &&
                      name.substr(0, name.size() - 3) == lower.substr(0, lower.size() - 1);
    if (is_plural || of_y) return std::string(name);
  }
  return {};
}

}  // namespace saker::audit
