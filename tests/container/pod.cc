#include "pod.h"

#include "container/cri_run.pb.h"
#include "k8s/grpc_client.h"

namespace saker::test {
namespace {

constexpr std::chrono::seconds kTimeout{20};
constexpr int kNode = 2;

template <typename Answer, typename Request>
Result<Answer> call(k8s::GrpcClient& client, const char* method, const Request& request) {
  const std::string bytes = SAKER_TRY(client.call(
      std::string("/runtime.v1.RuntimeService/") + method, request.SerializeAsString(), kTimeout));
  Answer answer;
  if (!answer.ParseFromString(bytes)) return Error{Code::corrupt, "answer can't be decoded"};
  return answer;
}

k8s::cri_run::SandboxConfig sandbox_config(const PodSpec& spec) {
  k8s::cri_run::SandboxConfig config;
  config.mutable_metadata()->set_name(spec.name);
  config.mutable_metadata()->set_namespace_(spec.name_space);
  config.mutable_metadata()->set_uid(spec.uid);
  config.mutable_labels()->insert(spec.labels.begin(), spec.labels.end());
  auto* linux_part = config.mutable_linux_part();
  linux_part->set_cgroup_parent(spec.cgroup_parent);
  auto* security = linux_part->mutable_security_context();
  security->set_privileged(spec.privileged);
  security->mutable_namespace_options()->set_network(kNode);
  if (spec.host_pid) security->mutable_namespace_options()->set_pid(kNode);
  return config;
}

k8s::cri_run::ContainerConfig container_config(const PodSpec& spec) {
  k8s::cri_run::ContainerConfig config;
  config.mutable_metadata()->set_name(spec.container);
  config.mutable_image()->set_image(spec.image);
  for (const std::string& word : spec.command) config.add_command(word);
  for (const auto& [key, value] : spec.env) {
    auto* variable = config.add_envs();
    variable->set_key(key);
    variable->set_value(value);
  }
  if (!spec.mount_source.empty()) {
    auto* mount = config.add_mounts();
    mount->set_host_path(spec.mount_source);
    mount->set_container_path(spec.mount_destination);
    mount->set_readonly(true);
  }
  (*config.mutable_labels())["io.kubernetes.container.name"] = spec.container;
  auto* security = config.mutable_linux_part()->mutable_security_context();
  security->set_privileged(spec.privileged);
  security->mutable_namespace_options()->set_network(kNode);
  if (spec.host_pid) security->mutable_namespace_options()->set_pid(kNode);
  return config;
}

}  // namespace

Result<Pod> run_pod(const std::string& socket, const PodSpec& spec) {
  k8s::GrpcClient client(socket);
  Pod pod;
  k8s::cri_run::RunPodSandboxRequest sandbox;
  *sandbox.mutable_config() = sandbox_config(spec);
  pod.sandbox_id = SAKER_TRY(call<k8s::cri_run::PodSandboxId>(client, "RunPodSandbox", sandbox))
                       .pod_sandbox_id();
  k8s::cri_run::CreateContainerRequest create;
  create.set_pod_sandbox_id(pod.sandbox_id);
  *create.mutable_config() = container_config(spec);
  *create.mutable_sandbox_config() = sandbox.config();
  const auto created =
      SAKER_TRY(call<k8s::cri_run::ContainerId>(client, "CreateContainer", create));
  pod.container_id = created.container_id();
  (void)SAKER_TRY(call<k8s::cri_run::ContainerId>(client, "StartContainer", created));
  return pod;
}

Status remove_pod(const std::string& socket, const std::string& sandbox_id) {
  k8s::GrpcClient client(socket);
  k8s::cri_run::PodSandboxId id;
  id.set_pod_sandbox_id(sandbox_id);
  (void)SAKER_TRY(call<k8s::cri_run::PodSandboxId>(client, "StopPodSandbox", id));
  (void)SAKER_TRY(call<k8s::cri_run::PodSandboxId>(client, "RemovePodSandbox", id));
  return {};
}

}  // namespace saker::test
