// What a container runtime knows of a container, and which container a cgroup path belongs to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace saker::k8s {

// The numbers are those of container events in captures.
enum class ContainerType : uint8_t {
  docker = 0,
  lxc = 1,
  libvirt_lxc = 2,
  mesos = 3,
  rkt = 4,
  unknown = 5,
  cri = 6,
  containerd = 7,
  crio = 8,
  bpm = 9,
  podman = 11,
  host = 255,
};
std::string_view to_string(
    ContainerType type);  // "docker", "cri", "containerd", "cri-o", "libvirt-lxc", "host"

// The id by which a container is known to rules: 12 characters, or the whole name of a container
// whose runtime gives names instead (lxc, libvirt-lxc, bpm).
std::string_view short_id(ContainerType type, std::string_view full_id);

struct Mount {
  std::string source, destination, mode, propagation;
  bool read_write = true;
};

// Empty strings are values of a known container; a container without metadata has no ContainerInfo
// at all.
struct ContainerInfo {
  std::string id;  // first 12 characters
  std::string full_id;
  ContainerType type = ContainerType::unknown;
  std::string name;
  std::string image;  // as the runtime shows it
  std::string image_id;
  std::string image_repository;
  std::string image_tag;
  std::string image_digest;  // "sha256:..."
  std::map<std::string, std::string> labels;
  std::vector<Mount> mounts;
  std::vector<std::string> env;
  bool privileged = false;
  bool host_pid = false, host_network = false, host_ipc = false;
  bool is_pod_sandbox = false;
  std::string ip;
  std::string cni_json;
  std::string pod_sandbox_id;
  std::map<std::string, std::string> pod_sandbox_labels;
  int64_t created_time = 0;  // ns since the epoch, 0 unknown
  std::string user;
};

// The container that a cgroup path names, by the layouts of docker, containerd, CRI-O, podman, lxc
// and others (v1 and v2). Nothing when it is no container's path.
struct CgroupMatch {
  ContainerType type = ContainerType::unknown;
  std::string_view full_id;  // views the path
  std::string pod_uid;  // of a Kubernetes pod's cgroup, in canonical form with dashes; may be empty
};
std::optional<CgroupMatch> match_cgroup(std::string_view path);

}  // namespace saker::k8s
