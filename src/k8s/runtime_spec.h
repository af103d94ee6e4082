// The OCI runtime specification of a container (config.json of a bundle; the "spec" that containerd
// keeps; "runtimeSpec" in what the CRI tells when asked for more).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "formats/json.h"
#include "k8s/container.h"

namespace saker::k8s {

// Sets environment, user, mounts, privileged and the host's namespaces in `info`.
void apply_runtime_spec(const formats::JsonNode& spec, ContainerInfo& info);

// Sets what Kubernetes' runtimes note as annotations in the specification: name, image, pod.
// Fields that are already set stay.
void apply_annotations(const formats::JsonNode& spec, ContainerInfo& info);

// The labels by which rules find a container's pod.
void set_pod_labels(std::string_view name, std::string_view pod_namespace, std::string_view uid,
                    ContainerInfo& info);

// The text members of an object.
std::map<std::string, std::string> text_members(const formats::JsonNode* node);

}  // namespace saker::k8s
