// What containerd tells of containers by its own API: those of `ctr`, nerdctl and docker, which the
// Kubernetes interface doesn't know, and the digests of images.
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
class ContainerdClient {
 public:
  // Keeps the pointer; `timeout` bounds each single call.
  ContainerdClient(GrpcClient* grpc, std::chrono::milliseconds timeout);

  // In one namespace, or in whichever has it when `name_space` is empty.
  Result<ContainerInfo> look_up(std::string_view name_space, std::string_view full_id);

  Result<std::vector<std::string>> namespaces();
  // Ids of the containers of a namespace.
  Result<std::vector<std::string>> list(std::string_view name_space);
  // "sha256:..." of the image's manifest (or index).
  Result<std::string> image_digest(std::string_view name_space, std::string_view image);

 private:
  template <typename Answer, typename Request>
  Result<Answer> call(std::string_view method, const Request& request, std::string_view name_space);
  Result<ContainerInfo> look_up_in(std::string_view name_space, std::string_view full_id);

  GrpcClient* grpc_;
  std::chrono::milliseconds timeout_;
};

}  // namespace saker::k8s
