// What resources and verbs a Kubernetes API server has (1.36), to tell a word of a policy that can
// never occur from one that can. Groups of custom resources are open: nothing is known about them.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace saker::audit {

struct KubeResource {
  std::string_view group, name;
  std::string_view subresources;  // "exec log status"
  bool namespaced = true;
  bool only_create = false;  // reviews: made, answered, never stored
};

std::span<const KubeResource> kube_resources();
const KubeResource* find_kube_resource(std::string_view group, std::string_view name);
// The groups that have a resource of this name: deployments are in "apps".
std::vector<std::string> groups_of(std::string_view resource);
bool is_kube_group(std::string_view group);
bool has_subresource(const KubeResource& resource, std::string_view subresource);

inline constexpr std::array<std::string_view, 8> kResourceVerbs = {
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"};
bool is_resource_verb(std::string_view verb);
bool is_url_verb(std::string_view verb);  // an HTTP method in lower case

// "cm", "Deployment" or "secret" as the policy must write it; "" when it is none of those.
std::string plural_of(std::string_view word);

}  // namespace saker::audit
