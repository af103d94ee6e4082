#include "k8s/cri_client.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "k8s/container_json.h"
#include "k8s/proto/cri.pb.h"
#include "k8s/runtime_spec.h"

namespace saker::k8s {
namespace {

using formats::JsonNode;

constexpr size_t kMaxCniText = 4096;

std::string_view propagation_name(cri::MountPropagation propagation) {
  switch (propagation) {
    case cri::PROPAGATION_HOST_TO_CONTAINER: return "rslave";
    case cri::PROPAGATION_BIDIRECTIONAL: return "rshared";
    default: return "private";
  }
}

std::string without_algorithm(std::string_view digest) {
  return std::string(digest.substr(digest.find(':') + 1));
}

template <typename Map>
std::map<std::string, std::string> copied(const Map& map) {
  return {map.begin(), map.end()};
}

// The JSON text that a runtime adds when it is asked for all it knows; its shape is the runtime's
// own, so that each piece may be missing.
JsonNode extra(const google::protobuf::Map<std::string, std::string>& info) {
  const auto found = info.find("info");
  if (found == info.end()) return {};
  auto node = formats::parse_json(found->second);
  return node.ok() ? std::move(node).value() : JsonNode{};
}

const JsonNode* find_path(const JsonNode& node, std::initializer_list<std::string_view> names) {
  const JsonNode* at = &node;
  for (const std::string_view name : names) {
    if (!(at = at->find(name))) return nullptr;
  }
  return at;
}

void apply_extra(const JsonNode& info_json, ContainerInfo& info) {
  if (const JsonNode* spec = info_json.find("runtimeSpec")) {
    // The mounts of the specification are also those that each container has; the interface tells
    // of the pod's volumes alone.
    std::vector<Mount> mounts = std::move(info.mounts);
    apply_runtime_spec(*spec, info);
    info.mounts = std::move(mounts);
    apply_annotations(*spec, info);
  }
  const JsonNode* privileged =
      find_path(info_json, {"config", "linux", "security_context", "privileged"});
  if (!privileged) privileged = info_json.find("privileged");
  if (privileged && privileged->kind == JsonNode::Kind::boolean) {
    info.privileged = privileged->boolean;
  } else if (find_path(info_json, {"config", "linux", "security_context"})) {
    info.privileged = false;  // false is left out
  }
  if (std::string id = info_json.text_of("sandboxID"); !id.empty()) info.pod_sandbox_id = id;
  const JsonNode* image = find_path(info_json, {"config", "image"});
  if (info.image_id.empty() && image && image->text_of("image").starts_with("sha256:")) {
    info.image_id = without_algorithm(image->text_of("image"));
  }
}

std::string cni_text(const JsonNode& info_json) {
  std::string text;
  const JsonNode* result = info_json.find("cniResult");
  if (result && result->is_object()) {
    text = formats::to_json(*result);
  } else if (const JsonNode* notes = find_path(info_json, {"runtimeSpec", "annotations"})) {
    text = notes->text_of("io.kubernetes.cri-o.CNIResult");
  }
  return text.size() > kMaxCniText ? std::string() : text;
}

void apply_sandbox(const cri::PodSandboxStatusResponse& answer, ContainerInfo& info) {
  const cri::PodSandboxStatus& status = answer.status();
  info.pod_sandbox_id = status.id();
  info.pod_sandbox_labels = copied(status.labels());
  info.ip = status.network().ip();
  const cri::NamespaceOption& options = status.linux_status().namespaces().options();
  info.host_network = options.network() == cri::NODE;
  info.host_pid = options.pid() == cri::NODE;
  info.host_ipc = options.ipc() == cri::NODE;
  info.labels.insert_or_assign("io.kubernetes.sandbox.id", status.id());
  set_pod_labels(status.metadata().name(), status.metadata().namespace_(), status.metadata().uid(),
                 info);
  info.cni_json = cni_text(extra(answer.info()));
}

}  // namespace

CriClient::CriClient(GrpcClient* grpc, std::chrono::milliseconds timeout)
    : grpc_(grpc), timeout_(timeout) {}

template <typename Answer, typename Request>
Result<Answer> CriClient::call(std::string_view method, const Request& request) {
  auto bytes = grpc_->call(method, request.SerializeAsString(), timeout_);
  if (!bytes.ok()) {
    // Some runtimes have no status of their own for what they don't know.
    Error error = std::move(bytes).error();
    const std::string text = to_lower(error.message);
    const bool says_so = text.contains("not found") || text.contains("could not find") ||
                         text.contains("does not exist");
    if (error.code == Code::busy && says_so) error.code = Code::not_found;
    return error;
  }
  Answer answer;
  if (!answer.ParseFromString(*bytes)) {
    return Error{Code::corrupt, fmt::format("{}: answer can't be decoded", method)};
  }
  return answer;
}

Result<std::string> CriClient::runtime_name() {
  if (!runtime_name_.empty() && name_connection_ == grpc_->connections()) return runtime_name_;
  const auto answer = SAKER_TRY(
      call<cri::VersionResponse>("/runtime.v1.RuntimeService/Version", cri::VersionRequest{}));
  runtime_name_ = answer.runtime_name();
  name_connection_ = grpc_->connections();
  return runtime_name_;
}

Result<ContainerInfo> CriClient::look_up(std::string_view full_id) {
  const std::string runtime = SAKER_TRY(runtime_name());
  auto info = look_up_container(full_id);
  if (!info.ok() && info.error().code == Code::not_found) info = look_up_sandbox(full_id);
  if (!info.ok()) return info;
  info->full_id = full_id;
  info->id = short_id(ContainerType::cri, full_id);
  info->type = runtime == "containerd" ? ContainerType::containerd
               : runtime == "cri-o"    ? ContainerType::crio
                                       : ContainerType::cri;
  return info;
}

Result<ContainerInfo> CriClient::look_up_container(std::string_view full_id) {
  cri::ContainerStatusRequest request;
  request.set_container_id(std::string(full_id));
  request.set_verbose(true);
  const auto answer = SAKER_TRY(
      call<cri::ContainerStatusResponse>("/runtime.v1.RuntimeService/ContainerStatus", request));
  const cri::ContainerStatus& status = answer.status();
  // A runtime may take a part of an id for the whole.
  if (status.id() != full_id) return Error{Code::not_found, "container not found"};
  ContainerInfo info;
  info.name = status.metadata().name();
  info.image = status.image().image();
  info.labels = copied(status.labels());
  info.created_time = status.created_at();
  info.image_id = without_algorithm(status.image_id());
  for (const cri::Mount& mount : status.mounts()) {
    info.mounts.push_back({.source = mount.host_path(),
                           .destination = mount.container_path(),
                           .mode = {},
                           .propagation = std::string(propagation_name(mount.propagation())),
                           .read_write = !mount.readonly()});
  }
  apply_extra(extra(answer.info()), info);
  add_image(status.image_ref(), info);
  if (info.pod_sandbox_id.empty()) {
    auto sandbox = find_sandbox(full_id);
    if (sandbox.ok()) info.pod_sandbox_id = std::move(sandbox).value();
  }
  cri::PodSandboxStatusRequest sandbox_request;
  sandbox_request.set_pod_sandbox_id(info.pod_sandbox_id);
  sandbox_request.set_verbose(true);
  auto sandbox = call<cri::PodSandboxStatusResponse>("/runtime.v1.RuntimeService/PodSandboxStatus",
                                                     sandbox_request);
  if (sandbox.ok()) {
    apply_sandbox(*sandbox, info);
  } else if (sandbox.error().code != Code::not_found) {
    return std::move(sandbox).error();
  }
  return info;
}

Result<ContainerInfo> CriClient::look_up_sandbox(std::string_view full_id) {
  cri::PodSandboxStatusRequest request;
  request.set_pod_sandbox_id(std::string(full_id));
  request.set_verbose(true);
  const auto answer = SAKER_TRY(
      call<cri::PodSandboxStatusResponse>("/runtime.v1.RuntimeService/PodSandboxStatus", request));
  if (answer.status().id() != full_id) return Error{Code::not_found, "pod sandbox not found"};
  ContainerInfo info;
  info.is_pod_sandbox = true;
  info.name = answer.status().metadata().name();
  info.labels = copied(answer.status().labels());
  info.created_time = answer.status().created_at();
  const JsonNode info_json = extra(answer.info());
  apply_extra(info_json, info);
  if (std::string image = info_json.text_of("image"); info.image.empty() && !image.empty()) {
    info.image = image;
  }
  add_image({}, info);
  apply_sandbox(answer, info);
  return info;
}

Result<std::string> CriClient::find_sandbox(std::string_view full_id) {
  cri::ListContainersRequest request;
  request.mutable_filter()->set_id(std::string(full_id));
  const auto answer = SAKER_TRY(
      call<cri::ListContainersResponse>("/runtime.v1.RuntimeService/ListContainers", request));
  if (answer.containers().empty()) return Error{Code::not_found, "container not found"};
  return answer.containers(0).pod_sandbox_id();
}

// The interface calls an image by a tag, by "repository@digest" or by its id, whichever the runtime
// has; the image service is asked for what is missing.
void CriClient::add_image(std::string_view image_ref, ContainerInfo& info) {
  if (info.image.empty() && image_ref.empty()) return;
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(image_ref.empty() ? info.image : std::string(image_ref));
  const auto answer =
      call<cri::ImageStatusResponse>("/runtime.v1.ImageService/ImageStatus", request);
  cri::Image image;
  if (answer.ok()) image = answer->image();
  if (info.image_id.empty()) info.image_id = without_algorithm(image.id());
  const bool has_no_name = info.image.empty() || info.image.starts_with("sha256:");
  if (has_no_name && !image.repo_tags().empty()) info.image = image.repo_tags(0);
  if (!info.image.starts_with("sha256:")) split_image_reference(info.image, info);
  ContainerInfo by_digest;
  split_image_reference(image_ref, by_digest);
  if (by_digest.image_digest.empty() && !image.repo_digests().empty()) {
    split_image_reference(image.repo_digests(0), by_digest);
  }
  if (!by_digest.image_digest.empty()) {
    info.image_digest = by_digest.image_digest;
    if (info.image_repository.empty()) info.image_repository = by_digest.image_repository;
  }
}

Result<std::vector<std::string>> CriClient::list() {
  std::vector<std::string> ids;
  const auto containers = SAKER_TRY(call<cri::ListContainersResponse>(
      "/runtime.v1.RuntimeService/ListContainers", cri::ListContainersRequest{}));
  for (const cri::Container& container : containers.containers()) ids.push_back(container.id());
  const auto sandboxes = SAKER_TRY(call<cri::ListPodSandboxResponse>(
      "/runtime.v1.RuntimeService/ListPodSandbox", cri::ListPodSandboxRequest{}));
  for (const cri::PodSandbox& sandbox : sandboxes.items()) ids.push_back(sandbox.id());
  return ids;
}

}  // namespace saker::k8s
