#include "k8s/runtime_spec.h"

#include <algorithm>

#include "k8s/container_json.h"

namespace saker::k8s {
namespace {

using formats::JsonNode;

bool is_empty_list(const JsonNode* node) {
  return !node || node->items.empty();
}

bool lists(const JsonNode* node, std::string_view text) {
  return node && std::ranges::any_of(node->items, [&](const JsonNode& item) {
           return item.is_text() && item.text == text;
         });
}

bool shares_with_host(const JsonNode& linux_part, std::string_view kind) {
  const JsonNode* namespaces = linux_part.find("namespaces");
  return !namespaces || std::ranges::none_of(namespaces->items, [&](const JsonNode& item) {
    return item.text_of("type") == kind;
  });
}

// No specification says "privileged"; it is what the runtimes leave out for such a container:
// nothing masked, nothing confined, and the host's /sys writable.
bool is_privileged(const JsonNode& spec, const JsonNode& linux_part) {
  const JsonNode* process = spec.find("process");
  if (!process || !is_empty_list(linux_part.find("maskedPaths")) ||
      !is_empty_list(linux_part.find("readonlyPaths")) || linux_part.find("seccomp")) {
    return false;
  }
  const std::string profile = process->text_of("apparmorProfile");
  if (!process->text_of("selinuxLabel").empty() || (!profile.empty() && profile != "unconfined")) {
    return false;
  }
  const JsonNode* capabilities = process->find("capabilities");
  if (!capabilities || !lists(capabilities->find("bounding"), "CAP_SYS_ADMIN")) return false;
  const JsonNode* mounts = spec.find("mounts");
  return !mounts || std::ranges::none_of(mounts->items, [](const JsonNode& mount) {
    const std::string type = mount.text_of("type");
    return (type == "sysfs" || type == "cgroup") && lists(mount.find("options"), "ro");
  });
}

Mount mount_of(const JsonNode& node) {
  Mount mount{.source = node.text_of("source"), .destination = node.text_of("destination")};
  const JsonNode* options = node.find("options");
  if (!options) return mount;
  for (const JsonNode& option : options->items) {
    constexpr std::string_view kMode = "mode=";
    const std::string_view text = option.text;
    if (text == "ro") mount.read_write = false;
    if (text.starts_with(kMode)) mount.mode = text.substr(kMode.size());
    std::string_view propagation = text;
    if (propagation.starts_with('r')) propagation.remove_prefix(1);
    if (propagation == "private" || propagation == "shared" || propagation == "slave") {
      mount.propagation = text;
    }
  }
  return mount;
}

std::string annotation(const JsonNode& annotations, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (std::string text = annotations.text_of(name); !text.empty()) return text;
  }
  return {};
}

void set_if_empty(std::string& field, std::string text) {
  if (field.empty()) field = std::move(text);
}

}  // namespace

std::map<std::string, std::string> text_members(const JsonNode* node) {
  std::map<std::string, std::string> map;
  if (!node) return map;
  for (const auto& [name, value] : node->members) {
    if (value.is_text()) map.emplace(name, value.text);
  }
  return map;
}

void apply_runtime_spec(const JsonNode& spec, ContainerInfo& info) {
  if (const JsonNode* process = spec.find("process")) {
    if (const JsonNode* env = process->find("env")) {
      info.env.clear();
      for (const JsonNode& item : env->items) {
        if (item.is_text()) info.env.push_back(item.text);
      }
    }
    if (const JsonNode* user = process->find("user")) {
      info.user = std::to_string(user->int_of("uid"));
    }
  }
  if (const JsonNode* mounts = spec.find("mounts")) {
    info.mounts.clear();
    for (const JsonNode& item : mounts->items) info.mounts.push_back(mount_of(item));
  }
  if (const JsonNode* linux_part = spec.find("linux")) {
    info.privileged = is_privileged(spec, *linux_part);
    info.host_pid = shares_with_host(*linux_part, "pid");
    info.host_network = shares_with_host(*linux_part, "network");
    info.host_ipc = shares_with_host(*linux_part, "ipc");
  }
}

void apply_annotations(const JsonNode& spec, ContainerInfo& info) {
  const JsonNode* notes = spec.find("annotations");
  if (!notes) return;
  const std::string kind =
      annotation(*notes, {"io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"});
  if (kind == "sandbox") info.is_pod_sandbox = true;
  set_if_empty(info.pod_sandbox_id, annotation(*notes, {"io.kubernetes.cri.sandbox-id",
                                                        "io.kubernetes.cri-o.SandboxID"}));
  const std::string pod =
      annotation(*notes, {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"});
  set_if_empty(info.name, kind == "sandbox"
                              ? pod
                              : annotation(*notes, {"io.kubernetes.cri.container-name",
                                                    "io.kubernetes.container.name"}));
  const std::string image =
      annotation(*notes, {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName",
                          "io.kubernetes.cri-o.Image"});
  if (info.image.empty() && !image.empty()) {
    info.image = image;
    split_image_reference(image, info);
  }
  if (const std::string labels = annotation(*notes, {"io.kubernetes.cri-o.Labels"});
      !labels.empty()) {
    if (auto node = formats::parse_json(labels); node.ok()) info.labels.merge(text_members(&*node));
  }
  set_pod_labels(
      pod,
      annotation(*notes, {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"}),
      annotation(*notes, {"io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"}), info);
}

void set_pod_labels(std::string_view name, std::string_view pod_namespace, std::string_view uid,
                    ContainerInfo& info) {
  auto set = [&](const char* label, std::string_view value) {
    if (!value.empty()) info.labels.insert_or_assign(label, std::string(value));
  };
  set("io.kubernetes.pod.name", name);
  set("io.kubernetes.pod.namespace", pod_namespace);
  set("io.kubernetes.pod.uid", uid);
}

}  // namespace saker::k8s
