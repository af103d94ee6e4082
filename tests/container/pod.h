// Makes pods by the Container Runtime Interface, as the kubelet would.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace saker::test {

struct PodSpec {
  std::string name = "web", name_space = "shop", uid = "0f90f31c-ebfb-4a0c-bc2e-3a8b2a0f1f6e";
  std::map<std::string, std::string> labels;
  std::string cgroup_parent;
  // Of its one container.
  std::string container = "app";
  std::string image;
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> env;
  std::string mount_source, mount_destination;  // read-only
  bool privileged = false;
  bool host_pid = false;
};

struct Pod {
  std::string sandbox_id, container_id;
};

// With the node's network, so that no CNI plugin is needed.
Result<Pod> run_pod(const std::string& socket, const PodSpec& spec);
Status remove_pod(const std::string& socket, const std::string& sandbox_id);

}  // namespace saker::test
