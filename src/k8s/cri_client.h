// What a container runtime tells by the Kubernetes Container Runtime Interface (v1): containerd,
// CRI-O and others.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "k8s/container.h"
#include "k8s/grpc_client.h"

namespace saker::k8s {

// Not thread-safe, as its connection.
class CriClient {
 public:
  // Keeps the pointer; `timeout` bounds each single call.
  CriClient(GrpcClient* grpc, std::chrono::milliseconds timeout);

  // "containerd", "cri-o", ...; asked once a connection.
  Result<std::string> runtime_name();

  // The container, or the pod's own container (the sandbox), of this full id.
  Result<ContainerInfo> look_up(std::string_view full_id);

  // Full ids of all containers and sandboxes that the runtime knows, ended ones included.
  Result<std::vector<std::string>> list();

 private:
  template <typename Answer, typename Request>
  Result<Answer> call(std::string_view method, const Request& request);
  Result<ContainerInfo> look_up_container(std::string_view full_id);
  Result<ContainerInfo> look_up_sandbox(std::string_view full_id);
  Result<std::string> find_sandbox(std::string_view full_id);
  void add_image(std::string_view image_ref, ContainerInfo& info);

  GrpcClient* grpc_;
  std::chrono::milliseconds timeout_;
  std::string runtime_name_;
  uint64_t name_connection_ = 0;
};

}  // namespace saker::k8s
