// Fields of the container that the thread runs in. The id comes from the cgroup and is always
// there; the rest is what the runtime told. On the host names are "host" and the rest is empty.
#include "fields/container.h"

#include "base/strings.h"

namespace saker::fields {

using k8s::ContainerInfo;
using k8s::Mount;

bool give_label(const Labels& labels, const std::string& key, Values& out) {
  auto found = labels.find(key);
  return found != labels.end() && give(out, found->second);
}

bool give_labels(const EvalContext& context, const Labels& labels, Values& out) {
  TextBuilder text(*context.scratch, 256);
  for (const auto& [key, value] : labels) {
    if (key.find("annotation.") != std::string::npos ||
        key.find("io.kubernetes.") != std::string::npos)
      continue;
    if (!text.empty()) text << ", ";
    text << key << ':' << value;
  }
  return give(out, text.view());
}

namespace {

template <std::string ContainerInfo::* member>
bool text(const EvalContext& context, const FieldArg&, Values& out) {
  if (on_host(context)) return give(out, "");
  const ContainerInfo* info = container_info(context);
  return info != nullptr && give(out, info->*member);
}

template <bool ContainerInfo::* member>
bool flag(const EvalContext& context, const FieldArg&, Values& out) {
  if (on_host(context)) return give_bool(out, false);
  const ContainerInfo* info = container_info(context);
  return info != nullptr && give_bool(out, info->*member);
}

template <std::string ContainerInfo::* member>
bool name(const EvalContext& context, const FieldArg&, Values& out) {
  if (on_host(context)) return give(out, "host");
  const ContainerInfo* info = container_info(context);
  return info != nullptr && give(out, info->*member);
}

bool id(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr) {
    const ContainerInfo* info = container_info(context);
    return info != nullptr && give(out, info->id);
  }
  return give(out, on_host(context) ? "host" : container_of(*context.thread));
}

bool type(const EvalContext& context, const FieldArg&, Values& out) {
  if (on_host(context)) return give(out, "host");
  const ContainerInfo* info = container_info(context);
  return info != nullptr && give(out, k8s::to_string(info->type));
}

// "source:destination:mode:rw:propagation".
void append_mount(const Mount& mount, TextBuilder& out) {
  out << mount.source << ':' << mount.destination << ':' << mount.mode << ':'
      << (mount.read_write ? "true" : "false") << ':' << mount.propagation;
}

bool mounts(const EvalContext& context, const FieldArg&, Values& out) {
  if (on_host(context)) return give(out, "");
  const ContainerInfo* info = container_info(context);
  if (info == nullptr) return false;
  TextBuilder list(*context.scratch, 256);
  for (const Mount& mount : info->mounts) {
    if (!list.empty()) list << ',';
    append_mount(mount, list);
  }
  return give(out, list.view());
}

// By number, or the first whose source (or destination) fits the pattern.
const Mount* find_mount(const EvalContext& context, const FieldArg& arg,
                        std::string Mount::* matched) {
  const ContainerInfo* info = container_info(context);
  if (info == nullptr) return nullptr;
  if (arg.index) return *arg.index < info->mounts.size() ? &info->mounts[*arg.index] : nullptr;
  for (const Mount& mount : info->mounts)
    if (glob_match(arg.text, mount.*matched)) return &mount;
  return nullptr;
}

template <std::string Mount::* shown, std::string Mount::* matched>
bool mount_part(const EvalContext& context, const FieldArg& arg, Values& out) {
  const Mount* mount = find_mount(context, arg, matched);
  return mount != nullptr && give(out, mount->*shown);
}

bool whole_mount(const EvalContext& context, const FieldArg& arg, Values& out) {
  const Mount* mount = find_mount(context, arg, &Mount::source);
  if (mount == nullptr) return false;
  TextBuilder part(*context.scratch);
  append_mount(*mount, part);
  return give(out, part.view());
}

bool mount_access(const EvalContext& context, const FieldArg& arg, Values& out) {
  const Mount* mount = find_mount(context, arg, &Mount::source);
  return mount != nullptr && give(out, mount->read_write ? "true" : "false");
}

bool started(const EvalContext& context, uint64_t& timestamp) {
  if (context.thread == nullptr || on_host(context)) return false;
  timestamp = context.thread->pidns_init_start_ts;
  return timestamp != 0;
}

constexpr FieldInfo kFields[] = {
    {.name = "container.id",
     .scope = Scope::process,
     .summary = "First 12 characters of the container id; host outside of containers.",
     .extract = id},
    {.name = "container.full_id",
     .scope = Scope::process,
     .summary = "The whole container id; host outside of containers.",
     .extract = name<&ContainerInfo::full_id>},
    {.name = "container.name",
     .scope = Scope::process,
     .summary = "Name of the container; host outside of containers.",
     .extract = name<&ContainerInfo::name>},
    {.name = "container.type",
     .scope = Scope::process,
     .summary = "Runtime of the container: docker, containerd, cri-o ...; host outside.",
     .extract = type},
    {.name = "container.image",
     .scope = Scope::process,
     .summary = "Image of the container as the runtime shows it.",
     .extract = text<&ContainerInfo::image>},
    {.name = "container.image.id",
     .scope = Scope::process,
     .summary = "Id of the image.",
     .extract = text<&ContainerInfo::image_id>},
    {.name = "container.image.repository",
     .scope = Scope::process,
     .summary = "Repository of the image: docker.io/library/nginx.",
     .extract = text<&ContainerInfo::image_repository>},
    {.name = "container.image.tag",
     .scope = Scope::process,
     .summary = "Tag of the image.",
     .extract = text<&ContainerInfo::image_tag>},
    {.name = "container.image.digest",
     .scope = Scope::process,
     .summary = "Digest of the image: sha256:...",
     .extract = text<&ContainerInfo::image_digest>},
    {.name = "container.privileged",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True for a privileged container.",
     .extract = flag<&ContainerInfo::privileged>},
    {.name = "container.host_pid",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the container shares the pid namespace of the host.",
     .extract = flag<&ContainerInfo::host_pid>},
    {.name = "container.host_network",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the container shares the network of the host.",
     .extract = flag<&ContainerInfo::host_network>},
    {.name = "container.host_ipc",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the container shares the IPC namespace of the host.",
     .extract = flag<&ContainerInfo::host_ipc>},
    {.name = "container.mounts",
     .scope = Scope::process,
     .summary = "Mounts, separated by commas: source:destination:mode:rw:propagation.",
     .extract = mounts},
    {.name = "container.mount",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "One mount, by number or pattern of its source.",
     .extract = whole_mount},
    {.name = "container.mount.source",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "Source of a mount, by number or pattern of its destination.",
     .extract = mount_part<&Mount::source, &Mount::destination>},
    {.name = "container.mount.dest",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "Destination of a mount, by number or pattern of its source.",
     .extract = mount_part<&Mount::destination, &Mount::source>},
    {.name = "container.mount.mode",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "Mode of a mount, by number or pattern of its source.",
     .extract = mount_part<&Mount::mode, &Mount::source>},
    {.name = "container.mount.rdwr",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "true for a mount that can be written, by number or pattern of its source.",
     .extract = mount_access},
    {.name = "container.mount.propagation",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "Propagation of a mount, by number or pattern of its source.",
     .extract = mount_part<&Mount::propagation, &Mount::source>},
    {.name = "container.start_ts",
     .type = Type::abstime,
     .scope = Scope::process,
     .summary = "When the container's first process started.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           uint64_t timestamp = 0;
           return started(context, timestamp) && give_uint(out, timestamp);
         }},
    {.name = "container.duration",
     .type = Type::reltime,
     .summary = "Nanoseconds since the container's first process started.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           uint64_t timestamp = 0;
           return context.event != nullptr && started(context, timestamp) &&
                  context.event->timestamp >= timestamp &&
                  give_uint(out, context.event->timestamp - timestamp);
         }},
    {.name = "container.ip",
     .scope = Scope::process,
     .summary = "Address of the container.",
     .extract = text<&ContainerInfo::ip>},
    {.name = "container.cni.json",
     .scope = Scope::process,
     .summary = "What the network plugin said when it set the container up, as JSON.",
     .extract = text<&ContainerInfo::cni_json>},
    {.name = "container.label",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "A label of the container.",
     .extract =
         +[](const EvalContext& context, const FieldArg& arg, Values& out) {
           const ContainerInfo* info = container_info(context);
           return info != nullptr && give_label(info->labels, arg.text, out);
         }},
    {.name = "container.labels",
     .scope = Scope::process,
     .summary = "All labels of the container.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (on_host(context)) return give(out, "");
           const ContainerInfo* info = container_info(context);
           return info != nullptr && give_labels(context, info->labels, out);
         }},
    {.name = "container.healthcheck",
     .flags = filter::kDeprecated,
     .summary = "Not known any more.",
     .extract = never},
    {.name = "container.liveness_probe",
     .flags = filter::kDeprecated,
     .summary = "Not known any more.",
     .extract = never},
    {.name = "container.readiness_probe",
     .flags = filter::kDeprecated,
     .summary = "Not known any more.",
     .extract = never},
    {.name = "proc.is_container_healthcheck",
     .type = Type::boolean,
     .flags = filter::kDeprecated,
     .summary = "Not known any more.",
     .extract = never},
    {.name = "proc.is_container_liveness_probe",
     .type = Type::boolean,
     .flags = filter::kDeprecated,
     .summary = "Not known any more.",
     .extract = never},
    {.name = "proc.is_container_readiness_probe",
     .type = Type::boolean,
     .flags = filter::kDeprecated,
     .summary = "Not known any more.",
     .extract = never},
};

}  // namespace

std::span<const FieldInfo> container_fields() {
  return kFields;
}

}  // namespace saker::fields
