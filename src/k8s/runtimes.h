// All container runtimes of the node: which one to ask for a container, and what to do while one is
// down.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/container.h"

namespace saker::k8s {

struct RuntimeConfig {
  // Sockets that speak CRI, containerd's own API, or both.
  std::vector<std::string> runtime_sockets = {"/run/containerd/containerd.sock",
                                              "/run/k3s/containerd/containerd.sock",
                                              "/run/crio/crio.sock"};
  std::string docker_socket = "/var/run/docker.sock";
  std::string podman_socket = "/run/podman/podman.sock";
  // What they leave on disk; asked when no socket knows.
  std::vector<std::string> bundle_roots = {"/run/containerd/io.containerd.runtime.v2.task",
                                           "/run/k3s/containerd/io.containerd.runtime.v2.task"};
  std::string storage_root = "/var/lib/containers/storage";
  std::string docker_root = "/var/lib/docker";
  std::string proc = "/proc";
  std::chrono::milliseconds call_timeout{2000};
  // How long a runtime that doesn't answer is left alone, doubled each time.
  std::chrono::milliseconds first_pause{100}, longest_pause{5000};
};

struct ContainerRequest {
  std::string full_id;
  ContainerType type = ContainerType::unknown;
  std::string cgroup_path;
  int64_t pid = 0;  // of any process in the container, 0 unknown
};

struct FoundContainer {
  ContainerInfo info;
  // False when a runtime that may know more did not answer: worth asking again.
  bool complete = true;
};

struct RuntimeStatus {
  std::string socket;
  bool present = false;  // the socket exists
  bool answers = false;  // and the last call was answered
  std::string error;     // of the last call that failed
};

// Not thread-safe: one thread asks. stop() may come from any thread.
class Runtimes {
 public:
  explicit Runtimes(RuntimeConfig config);
  ~Runtimes();

  // not_found: those that answered don't know it. io or busy: a runtime that may know it is down.
  Result<FoundContainer> look_up(const ContainerRequest& request);

  // Tries each socket once, for `saker doctor`.
  std::vector<RuntimeStatus> check();

  // Ends a look-up under way after the call that it is in.
  void stop() { stopped_ = true; }

 private:
  class Source;
  class RuntimeSource;
  class DockerSource;
  std::vector<Source*> order_for(const ContainerRequest& request);
  Result<ContainerInfo> look_up_on_disk(const ContainerRequest& request);

  RuntimeConfig config_;
  std::vector<std::unique_ptr<Source>> runtimes_;
  std::unique_ptr<Source> docker_, podman_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace saker::k8s
