#include "audit/recipes.h"

#include <array>
#include <utility>

#include "audit/apiserver_install.h"
#include "base/strings.h"

namespace saker::audit {

namespace {

struct Platform {
  std::string_view name;
  std::string_view log_path;  // where logs usually are; empty: not on a host
  std::string_view text;
};

// In the texts: {POLICY} the user's file, {LOG} and {LOG_FOLDER}, {AGE}, {BACKUPS}, {SIZE};
// {ETC_POLICY} and {ETC_FOLDER} where install puts the policy on a node.

constexpr std::string_view kKubeadm =
    R"text(# What `saker audit install` changes is one node's manifest: kubeadm upgrade writes that anew. To
# last, it belongs into kubeadm's ClusterConfiguration as well:
#   kubectl -n kube-system edit configmap kubeadm-config      (data.ClusterConfiguration)
# On a node, kubeadm writes the manifest from a file with it:
#   kubeadm init phase control-plane apiserver --config FILE
# The policy must be on every control-plane node before: {ETC_POLICY}
# This is kubeadm.k8s.io/v1beta4 (kubeadm 1.31 and later). In v1beta3 extraArgs is a map:
#   extraArgs: {audit-policy-file: {ETC_POLICY}, …}
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
apiServer:
  extraArgs:
  - name: audit-policy-file
    value: {ETC_POLICY}
  - name: audit-log-path
    value: {LOG}
  - name: audit-log-maxage
    value: "{AGE}"
  - name: audit-log-maxbackup
    value: "{BACKUPS}"
  - name: audit-log-maxsize
    value: "{SIZE}"
  extraVolumes:
  - name: audit-policy
    hostPath: {ETC_FOLDER}
    mountPath: {ETC_FOLDER}
    readOnly: true
    pathType: DirectoryOrCreate
  - name: audit-log
    hostPath: {LOG_FOLDER}
    mountPath: {LOG_FOLDER}
    readOnly: false
    pathType: DirectoryOrCreate
)text";

constexpr std::string_view kKind =
    R"text(# kind: a new cluster with auditing. Save this as kind.yaml beside {POLICY}, then:
#   kind create cluster --config kind.yaml
#   docker cp kind-control-plane:{LOG} audit.log
#   saker audit analyze audit.log
# A cluster that is there already has kubeadm's manifest inside its node:
#   docker cp {POLICY} kind-control-plane:/root/policy.yaml
#   docker cp "$(command -v saker)" kind-control-plane:/usr/local/bin/saker
#   docker exec -it kind-control-plane saker audit install --policy /root/policy.yaml
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  kubeadmConfigPatches:
  - |
    kind: ClusterConfiguration
    apiServer:
      # A map, as in kubeadm v1beta3, which kind writes; v1beta4 has a list of {name, value}.
      extraArgs:
        audit-policy-file: {ETC_POLICY}
        audit-log-path: {LOG}
        audit-log-maxage: "{AGE}"
        audit-log-maxbackup: "{BACKUPS}"
        audit-log-maxsize: "{SIZE}"
      extraVolumes:
      - name: audit-policy
        hostPath: {ETC_FOLDER}
        mountPath: {ETC_FOLDER}
        readOnly: true
        pathType: DirectoryOrCreate
      - name: audit-log
        hostPath: {LOG_FOLDER}
        mountPath: {LOG_FOLDER}
        readOnly: false
        pathType: DirectoryOrCreate
  extraMounts:
  - hostPath: {POLICY}
    containerPath: {ETC_POLICY}
    readOnly: true
)text";

constexpr std::string_view kMinikube = R"text(#!/bin/sh
# minikube: the folder /etc/ssl/certs is mounted in kube-apiserver already, and files below
# ~/.minikube/files are copied into the node when it starts. The log goes to the server's output.
set -eu
mkdir -p ~/.minikube/files/etc/ssl/certs
cp {POLICY} ~/.minikube/files/etc/ssl/certs/audit-policy.yaml
# A new cluster is started without --extra-config first, so that the file is there.
minikube start
minikube stop
minikube start \
  --extra-config=apiserver.audit-policy-file=/etc/ssl/certs/audit-policy.yaml \
  --extra-config=apiserver.audit-log-path=-
# The server's own messages are between the events:
kubectl logs -n kube-system kube-apiserver-minikube | grep '^{"kind":"Event"' > audit.log
saker audit analyze audit.log
)text";

constexpr std::string_view kK3s =
    R"text(# k3s: one process without manifests. Add this to /etc/rancher/k3s/config.yaml on every server, then:
#   mkdir -p -m 0700 {LOG_FOLDER}
#   install -m 0600 {POLICY} /var/lib/rancher/k3s/server/audit-policy.yaml
#   systemctl restart k3s
#   saker audit analyze {LOG}
# When kube-apiserver-arg is there already, add these entries to it: a key must not come twice.
kube-apiserver-arg:
- audit-policy-file=/var/lib/rancher/k3s/server/audit-policy.yaml
- audit-log-path={LOG}
- audit-log-maxage={AGE}
- audit-log-maxbackup={BACKUPS}
- audit-log-maxsize={SIZE}
)text";

constexpr std::string_view kRke2 =
    R"text(# RKE2 writes its manifests itself. Add this to /etc/rancher/rke2/config.yaml on every server, then:
#   install -m 0600 {POLICY} /etc/rancher/rke2/audit-policy.yaml
#   systemctl restart rke2-server
#   saker audit analyze {LOG}
# With a CIS profile RKE2 has put a policy there that logs nothing: yours takes its place.
# Another path for the log needs kube-apiserver-extra-mount in older releases.
audit-policy-file: /etc/rancher/rke2/audit-policy.yaml
kube-apiserver-arg:
- audit-log-path={LOG}
- audit-log-maxage={AGE}
- audit-log-maxbackup={BACKUPS}
- audit-log-maxsize={SIZE}
)text";

constexpr std::string_view kEks = R"text(#!/bin/sh
# EKS: the policy is AWS's and can't be changed ({POLICY} has no effect); auditing is a switch. Events
# go to CloudWatch Logs, minutes later, and cost by volume.
set -eu
cluster=${1:?"give the cluster's name"}
aws eks update-cluster-config --name "$cluster" \
  --logging '{"clusterLogging":[{"types":["audit"],"enabled":true}]}'
aws eks wait cluster-active --name "$cluster"
# The last hour's events:
aws logs filter-log-events --log-group-name "/aws/eks/$cluster/cluster" \
  --log-stream-name-prefix kube-apiserver-audit --start-time "$(($(date +%s) - 3600))000" \
  --output json | jq -r '.events[].message' > audit.log
saker audit analyze audit.log
)text";

constexpr std::string_view kGke = R"text(#!/bin/sh
# GKE: the policy is Google's and can't be changed ({POLICY} has no effect). Writes are always logged
# (Admin Activity, free); reads only when Data Access logs of the Kubernetes Engine API are switched
# on (IAM & Admin, Audit Logs: billed by volume).
# Entries are in Google's own form (protoPayload) and no events of Kubernetes: saker audit analyze does
# not read them. This shows who was refused what in the last hour:
set -eu
project=${1:?"give the project's name"}
gcloud logging read --project "$project" --freshness=1h --format=json \
  'resource.type="k8s_cluster" logName:"cloudaudit.googleapis.com" protoPayload.status.code=7' |
  jq -r '.[] | [.timestamp, .protoPayload.authenticationInfo.principalEmail,
    .protoPayload.methodName, .protoPayload.resourceName] | @tsv'
)text";

constexpr std::string_view kAks = R"text(#!/bin/sh
# AKS: the policy is Azure's and can't be changed ({POLICY} has no effect); a diagnostic setting sends
# the events to a storage account. Category kube-audit-admin costs less and leaves out get and list:
# who read Secrets can't be seen then.
set -eu
cluster=${1:?"give the cluster's resource ID, then the storage account's"}
storage=${2:?"give the storage account's resource ID, too"}
az monitor diagnostic-settings create --name audit --resource "$cluster" \
  --storage-account "$storage" --logs '[{"category":"kube-audit","enabled":true}]'
# An hour's file (insights-logs-kube-audit/…/PT1H.json) has each event as a text in properties.log:
#   jq -r '.properties.log' PT1H.json > audit.log
#   saker audit analyze audit.log
)text";

constexpr std::array<Platform, 8> kPlatforms = {{
    {"kubeadm", kAuditLogPath, kKubeadm},
    {"kind", kAuditLogPath, kKind},
    {"minikube", "", kMinikube},
    {"k3s", "/var/lib/rancher/k3s/server/logs/audit.log", kK3s},
    {"rke2", "/var/lib/rancher/rke2/server/logs/audit.log", kRke2},
    {"eks", "", kEks},
    {"gke", "", kGke},
    {"aks", "", kAks},
}};

std::string filled(std::string_view text,
                   const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string out;
  while (!text.empty()) {
    bool found = false;
    for (const auto& [name, value] : values) {
      if (!text.starts_with(name)) continue;
      out += value;
      text.remove_prefix(name.size());
      found = true;
      break;
    }
    if (found) continue;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace

std::vector<std::string> recipe_platforms() {
  std::vector<std::string> names;
  names.reserve(kPlatforms.size());
  for (const Platform& platform : kPlatforms) names.emplace_back(platform.name);
  return names;
}

Result<std::string> recipe_for(std::string_view platform, const RecipeValues& values) {
  for (const Platform& candidate : kPlatforms) {
    if (candidate.name != to_lower(platform)) continue;
    if (candidate.log_path.empty() && !values.log_path.empty())
      return Error{.message = "--log-path has no effect on " + std::string(candidate.name)};
    const std::string log =
        values.log_path.empty() ? std::string(candidate.log_path) : values.log_path;
    return filled(candidate.text, {{"{POLICY}", values.policy},
                                   {"{LOG}", log},
                                   {"{LOG_FOLDER}", folder_of(log)},
                                   {"{AGE}", std::to_string(values.max_age)},
                                   {"{BACKUPS}", std::to_string(values.max_backups)},
                                   {"{SIZE}", std::to_string(values.max_size)},
                                   {"{ETC_POLICY}", std::string(kAuditPolicyPath)},
                                   {"{ETC_FOLDER}", std::string(kAuditFolder)}});
  }
  std::string hint = "there are " + join(recipe_platforms(), ", ");
  return Error{.message = "no recipe for " + std::string(platform), .hint = std::move(hint)};
}

}  // namespace saker::audit
