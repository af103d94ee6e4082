// Fields of the pods that audited requests create: of the pod as a whole, its volumes, and the same
// set of fields for each of its three lists of containers.
#include "base/strings.h"
#include "base/text_builder.h"
#include "fields/audit_common.h"

namespace saker::fields {

namespace {

constexpr Fixed kContainers = "/requestObject/spec/containers";
constexpr Fixed kInit = "/requestObject/spec/initContainers";
constexpr Fixed kEphemeral = "/requestObject/spec/ephemeralContainers";
constexpr Fixed kVolumes = "/requestObject/spec/volumes";

// Gives the values of one element. False: the field has no value, whatever others have.
using Give = bool (*)(const EvalContext& context, json::Token element, Values& out);

// What each element of the array at a pointer has to give, or the one that the argument picks.
template <Fixed list, Give give_element>
bool of_each(const EvalContext& context, const FieldArg& arg, Values& out) {
  const auto found = audit_at<list>(context);
  if (!found) return false;
  size_t index = 0;
  bool complete = true;
  const bool is_list = json::for_each_element(*found, [&](json::Token element) {
    const bool wanted = !arg.index || *arg.index == index;
    ++index;
    if (wanted) complete = give_element(context, element, out);
    return complete;
  });
  return is_list && complete && !out.empty();
}

template <Fixed pointer>
bool needed(const EvalContext& context, json::Token element, Values& out) {
  const auto found = json::find(element, pointer.view());
  return found && give_json(context, out, *found);
}

template <Fixed pointer>
bool if_there(const EvalContext& context, json::Token element, Values& out) {
  if (const auto found = json::find(element, pointer.view())) give_json(context, out, *found);
  return true;
}

// An image without tag and digest. A port of the registry is cut away with the rest, as the
// reference does.
std::string_view repository_of(std::string_view image) {
  image = image.substr(0, image.find(':'));
  return image.substr(0, image.find('@'));
}

bool repository(const EvalContext& context, json::Token container, Values& out) {
  const auto image = json::find(container, "/image");
  return image && give(out, repository_of(json::to_text(*image, *context.scratch)));
}

template <Fixed pointer>
bool words(const EvalContext& context, json::Token container, Values& out) {
  const auto list = json::find(container, pointer.view());
  if (!list) return true;
  TextBuilder text(*context.scratch);
  bool first = true;
  json::for_each_element(*list, [&](json::Token word) {
    if (!first) text << ' ';
    first = false;
    text << json::to_text(word, *context.scratch);
    return true;
  });
  return give(out, text.view());
}

bool host_ports(const EvalContext& context, json::Token container, Values& out) {
  const auto ports = json::find(container, "/ports");
  if (!ports) return true;
  json::for_each_element(*ports, [&](json::Token port) {
    auto number = json::find(port, "/hostPort");
    if (!number) number = json::find(port, "/containerPort");
    if (number) give_json(context, out, *number);
    return true;
  });
  return true;
}

// What the container says, else what the pod says, else root.
template <Fixed of_container, Fixed of_pod>
bool effective(const EvalContext& context, json::Token container, Values& out) {
  auto found = json::find(container, of_container.view());
  if (!found) found = audit_at<of_pod>(context);
  return found ? give_json(context, out, *found) : give(out, "0");
}

bool volume_types(const EvalContext& context, json::Token volume, Values& out) {
  json::for_each_member(volume, [&](json::Token key, json::Token) {
    const std::string_view name = json::to_text(key, *context.scratch);
    if (name != "name") give(out, name);
    return true;
  });
  return true;
}

template <Give give_element>
bool of_first(const EvalContext& context, const FieldArg&, Values& out) {
  const auto found = audit_at<"/requestObject/spec/containers/0">(context);
  return found && give_element(context, *found, out) && !out.empty();
}

bool any_privileged(const EvalContext& context, const FieldArg&, Values& out) {
  const auto found = audit_at<kContainers>(context);
  if (!found) return false;
  bool any = false;
  json::for_each_element(*found, [&](json::Token container) {
    any = json::find(container, "/securityContext/privileged") == "true";
    return !any;
  });
  return give(out, any ? "true" : "false");
}

// Whether a volume is the given path of the host, or below it when that ends in "*".
bool has_host_path(const EvalContext& context, const FieldArg& arg, Values& out) {
  const auto found = audit_at<kVolumes>(context);
  if (!found) return false;
  std::string_view wanted = arg.text;
  const bool prefix = wanted.ends_with('*');
  if (prefix) wanted.remove_suffix(1);
  bool any = false;
  json::for_each_element(*found, [&](json::Token volume) {
    const auto token = json::find(volume, "/hostPath/path");
    if (!token) return true;
    const std::string_view path = json::to_text(*token, *context.scratch);
    any = prefix ? path.starts_with(wanted) : path == wanted;
    return !any;
  });
  return give(out, any ? "true" : "false");
}

// The fields that every list of containers has.
template <Fixed list>
constexpr FieldInfo kRows[] = {
    list_row("name", "Names of the containers.", of_each<list, needed<"/name">>),
    list_row("image", "Images of the containers.", of_each<list, needed<"/image">>),
    list_row("image.repository", "Images without tag and digest.", of_each<list, repository>),
    list_row("command", "Commands, words joined by blanks.", of_each<list, words<"/command">>),
    list_row("args", "Arguments, words joined by blanks.", of_each<list, words<"/args">>),
    list_row("privileged", "Whether containers are privileged.",
             of_each<list, if_there<"/securityContext/privileged">>),
    list_row("allow_privilege_escalation", "Whether processes may gain privileges.",
             of_each<list, if_there<"/securityContext/allowPrivilegeEscalation">>),
    list_row("read_only_fs", "Whether the root file system is read-only.",
             of_each<list, if_there<"/securityContext/readOnlyRootFilesystem">>),
    list_row("run_as_user", "User ids that containers ask for.",
             of_each<list, if_there<"/securityContext/runAsUser">>),
    list_row("run_as_group", "Group ids that containers ask for.",
             of_each<list, if_there<"/securityContext/runAsGroup">>),
    list_row("eff_run_as_user", "User ids that containers get: their own, the pod's, or 0.",
             of_each<list, effective<"/runAsUser", "/requestObject/spec/runAsUser">>),
    list_row("eff_run_as_group", "Group ids that containers get: their own, the pod's, or 0.",
             of_each<list, effective<"/runAsGroup", "/requestObject/spec/runAsGroup">>),
    list_row("proc_mount", "How containers mount /proc.",
             of_each<list, if_there<"/securityContext/procMount">>),
    list_row("add_capabilities", "Capabilities that containers add, each list as JSON.",
             of_each<list, if_there<"/securityContext/capabilities/add">>),
    list_row("host_port", "Ports of the host, or else of the container.",
             of_each<list, host_ports>),
};

// Rows of one list under their full names. Ephemeral containers have no ports: the last row.
template <Fixed list, size_t count, size_t... Is>
constexpr std::array<FieldInfo, count> named(const std::string_view (&names)[count],
                                             std::index_sequence<Is...>) {
  std::array<FieldInfo, count> rows = {kRows<list>[Is]...};
  for (size_t i = 0; i < count; ++i) rows[i].name = names[i];
  return rows;
}

#define SAKER_NAMES(prefix)                                                                       \
  prefix ".name", prefix ".image", prefix ".image.repository", prefix ".command", prefix ".args", \
      prefix ".privileged", prefix ".allow_privilege_escalation", prefix ".read_only_fs",         \
      prefix ".run_as_user", prefix ".run_as_group", prefix ".eff_run_as_user",                   \
      prefix ".eff_run_as_group", prefix ".proc_mount", prefix ".add_capabilities"
constexpr std::string_view kContainerNames[] = {SAKER_NAMES("ka.req.pod.containers"),
                                                "ka.req.pod.containers.host_port"};
constexpr std::string_view kInitNames[] = {SAKER_NAMES("ka.req.pod.initContainers"),
                                           "ka.req.pod.initContainers.host_port"};
constexpr std::string_view kEphemeralNames[] = {SAKER_NAMES("ka.req.pod.ephemeralContainers")};
#undef SAKER_NAMES

constexpr auto kContainerFields =
    named<kContainers>(kContainerNames, std::make_index_sequence<std::size(kContainerNames)>());
constexpr auto kInitFields =
    named<kInit>(kInitNames, std::make_index_sequence<std::size(kInitNames)>());
constexpr auto kEphemeralFields =
    named<kEphemeral>(kEphemeralNames, std::make_index_sequence<std::size(kEphemeralNames)>());

constexpr FieldInfo kFields[] = {
    {.name = "ka.req.container.image",
     .summary = "Image of the first container; use ka.req.pod.containers.image.",
     .extract = of_first<needed<"/image">>},
    {.name = "ka.req.container.image.repository",
     .summary = "The same without tag and digest.",
     .extract = of_first<repository>},
    {.name = "ka.req.container.privileged",
     .summary = "Whether any container is privileged; use ka.req.pod.containers.privileged.",
     .extract = any_privileged},
    value_row<"/requestObject/spec/hostNetwork">("ka.req.container.host_network",
                                                 "The same as ka.req.pod.host_network."),
    value_row<"/requestObject/spec/hostIPC">("ka.req.pod.host_ipc",
                                             "Whether the pod shares the host's IPC namespace."),
    value_row<"/requestObject/spec/hostNetwork">("ka.req.pod.host_network",
                                                 "Whether the pod shares the host's network."),
    value_row<"/requestObject/spec/hostPID">("ka.req.pod.host_pid",
                                             "Whether the pod shares the host's pid namespace."),
    value_row<"/requestObject/spec/securityContext/runAsUser">("ka.req.pod.run_as_user",
                                                               "User id that the pod asks for."),
    value_row<"/requestObject/spec/securityContext/runAsGroup">("ka.req.pod.run_as_group",
                                                                "Group id that the pod asks for."),
    value_row<"/requestObject/spec/securityContext/fsGroup">("ka.req.pod.fs_group",
                                                             "Group id that owns the volumes."),
    {.name = "ka.req.pod.supplemental_groups",
     .many = Many::list,
     .summary = "Further group ids that the pod asks for.",
     .extract = audit_list<"/requestObject/spec/securityContext/supplementalGroups">},
    list_row("ka.req.pod.volumes.hostpath", "Paths of the host that are mounted as volumes.",
             of_each<kVolumes, if_there<"/hostPath/path">>),
    {.name = "ka.req.volume.hostpath",
     .arg = ArgRule::required,
     .summary = "Whether a path of the host is mounted; use ka.req.pod.volumes.hostpath.",
     .extract = has_host_path},
    list_row("ka.req.pod.volumes.flexvolume_driver", "Drivers of the pod's flex volumes.",
             of_each<kVolumes, if_there<"/flexVolume/driver">>),
    list_row("ka.req.pod.volumes.volume_type", "Kinds of the pod's volumes: hostPath, secret ...",
             of_each<kVolumes, volume_types>),
};

}  // namespace

std::span<const FieldInfo> audit_pod_fields() {
  return kFields;
}
std::span<const FieldInfo> audit_container_fields() {
  return kContainerFields;
}
std::span<const FieldInfo> audit_init_container_fields() {
  return kInitFields;
}
std::span<const FieldInfo> audit_ephemeral_container_fields() {
  return kEphemeralFields;
}

}  // namespace saker::fields
