#include "k8s/containerd_client.h"

#include <fmt/core.h>

#include "k8s/container_json.h"
#include "k8s/proto/containerd.pb.h"
#include "k8s/runtime_spec.h"

namespace saker::k8s {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// 0 when it is no time since the epoch.
int64_t since_epoch(const containerd::Timestamp& time) {
  const bool valid = time.seconds() > 0 && time.seconds() < INT64_MAX / kSecond - 1 &&
                     time.nanos() >= 0 && time.nanos() < kSecond;
  return valid ? time.seconds() * kSecond + time.nanos() : 0;
}

std::string label(const ContainerInfo& info, const char* name) {
  const auto found = info.labels.find(name);
  return found == info.labels.end() ? std::string() : found->second;
}

}  // namespace

ContainerdClient::ContainerdClient(GrpcClient* grpc, std::chrono::milliseconds timeout)
    : grpc_(grpc), timeout_(timeout) {}

template <typename Answer, typename Request>
Result<Answer> ContainerdClient::call(std::string_view method, const Request& request,
                                      std::string_view name_space) {
  GrpcHeaders headers;
  if (!name_space.empty()) headers.emplace_back("containerd-namespace", name_space);
  const std::string bytes =
      SAKER_TRY(grpc_->call(method, request.SerializeAsString(), timeout_, headers));
  Answer answer;
  if (!answer.ParseFromString(bytes)) {
    return Error{Code::corrupt, fmt::format("{}: answer can't be decoded", method)};
  }
  return answer;
}

Result<std::vector<std::string>> ContainerdClient::namespaces() {
  const auto answer = SAKER_TRY(
      call<containerd::ListNamespacesResponse>("/containerd.services.namespaces.v1.Namespaces/List",
                                               containerd::ListNamespacesRequest{}, {}));
  std::vector<std::string> names;
  for (const containerd::Namespace& item : answer.namespaces()) names.push_back(item.name());
  return names;
}

Result<std::vector<std::string>> ContainerdClient::list(std::string_view name_space) {
  const auto answer = SAKER_TRY(
      call<containerd::ListContainersResponse>("/containerd.services.containers.v1.Containers/List",
                                               containerd::ListContainersRequest{}, name_space));
  std::vector<std::string> ids;
  for (const containerd::Container& container : answer.containers()) ids.push_back(container.id());
  return ids;
}

Result<std::string> ContainerdClient::image_digest(std::string_view name_space,
                                                   std::string_view image) {
  containerd::GetImageRequest request;
  request.set_name(std::string(image));
  const auto answer = SAKER_TRY(call<containerd::GetImageResponse>(
      "/containerd.services.images.v1.Images/Get", request, name_space));
  return answer.image().target().digest();
}

Result<ContainerInfo> ContainerdClient::look_up(std::string_view name_space,
                                                std::string_view full_id) {
  if (!name_space.empty()) return look_up_in(name_space, full_id);
  for (const std::string& name : SAKER_TRY(namespaces())) {
    auto info = look_up_in(name, full_id);
    if (info.ok() || info.error().code != Code::not_found) return info;
  }
  return Error{Code::not_found, fmt::format("containerd has no container {}", full_id)};
}

Result<ContainerInfo> ContainerdClient::look_up_in(std::string_view name_space,
                                                   std::string_view full_id) {
  containerd::GetContainerRequest request;
  request.set_id(std::string(full_id));
  const auto answer = SAKER_TRY(call<containerd::GetContainerResponse>(
      "/containerd.services.containers.v1.Containers/Get", request, name_space));
  const containerd::Container& container = answer.container();
  ContainerInfo info;
  info.full_id = container.id();
  info.type = ContainerType::containerd;
  info.id = short_id(info.type, info.full_id);
  info.image = container.image();
  info.labels = {container.labels().begin(), container.labels().end()};
  info.created_time = since_epoch(container.created_at());
  info.is_pod_sandbox = label(info, "io.cri-containerd.kind") == "sandbox";
  for (const char* name : {"io.kubernetes.container.name", "nerdctl/name"}) {
    if (info.name.empty()) info.name = label(info, name);
  }
  split_image_reference(info.image, info);
  // The specification's type is a URL that ends so for all containers of Linux.
  if (container.spec().type_url().ends_with("/opencontainers/runtime-spec/1/Spec")) {
    if (auto spec = formats::parse_json(container.spec().value()); spec.ok()) {
      apply_runtime_spec(*spec, info);
      apply_annotations(*spec, info);
    }
  }
  if (info.name.empty()) info.name = info.id;
  auto digest = image_digest(name_space, info.image);
  if (digest.ok()) {
    info.image_digest = std::move(digest).value();
  } else if (digest.error().code != Code::not_found) {
    return std::move(digest).error();
  }
  return info;
}

}  // namespace saker::k8s
