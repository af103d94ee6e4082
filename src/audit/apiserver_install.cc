// Flags first, since they say which paths must be mounted; then mounts and volumes for those that
// are not. Nothing that is there already is touched unless it would keep the log from working.
#include "audit/apiserver_install.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace saker::audit {

namespace {

using formats::YamlChange;
using formats::YamlNode;
using formats::YamlPath;

// Folders that the server's container or the host itself needs: never mounted for a log.
bool is_system_folder(std::string_view folder) {
  constexpr std::array<std::string_view, 8> kExactly = {"/",
                                                        "/etc",
                                                        "/var",
                                                        "/run",
                                                        "/home",
                                                        "/var/run",
                                                        "/etc/kubernetes",
                                                        "/etc/kubernetes/manifests"};
  constexpr std::array<std::string_view, 9> kBelow = {
      "/proc", "/sys", "/dev", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/go-runner"};
  return std::find(kExactly.begin(), kExactly.end(), folder) != kExactly.end() ||
         std::any_of(kBelow.begin(), kBelow.end(),
                     [&](std::string_view below) { return is_within(folder, below); });
}

// Absolute; Kubernetes takes no colon in the path of a mount.
bool can_be_mounted(std::string_view path) {
  return path.starts_with('/') && !path.contains(':') && !path.ends_with('/');
}

class Planner {
 public:
  Planner(const ApiserverManifest& manifest, const InstallWishes& wishes)
      : manifest_(manifest), wishes_(wishes) {}
  Result<InstallPlan> plan();

 private:
  using Found = std::optional<MountedPath>;

  std::string flag(std::string_view name, std::string_view wanted, bool replace);
  void number_flag(std::string_view name, const std::optional<uint64_t>& wish, uint64_t normal,
                   uint64_t* out = nullptr);
  Status read_only_place(std::string_view what, const std::string& value, std::string& host_path);
  Status log_place();
  Status repair_log_mount(const MountedPath& found);
  Status widen_log_mount(const MountedPath& found);
  void mount(std::string_view name, const std::string& folder, bool read_only);
  void set(const YamlPath& place, const std::string& key, const YamlNode& value);
  void add_list(const YamlPath& path, std::vector<YamlNode> values);
  void annotate();
  [[nodiscard]] std::string free_name(std::string name) const;
  [[nodiscard]] const formats::YamlMark& mark_of(std::string_view name) const;

  const ApiserverManifest& manifest_;
  const InstallWishes& wishes_;
  InstallPlan plan_;
  std::vector<YamlNode> new_flags_, new_mounts_, new_volumes_;
  std::vector<std::string> new_folders_;  // mounted by us
  std::vector<YamlChange> changes_;
};

// The value that the flag has in the end. A value that is there stays unless `replace`.
std::string Planner::flag(std::string_view name, std::string_view wanted, bool replace) {
  const ApiserverFlag* old = manifest_.find_flag(name);
  const std::string text = "--" + std::string(name) + "=" + std::string(wanted);
  if (old == nullptr) {
    new_flags_.push_back(formats::yaml_text(text));
    plan_.changes.push_back("flag " + text);
    return std::string(wanted);
  }
  if (old->value == wanted || (!old->value.empty() && !replace)) return old->value;
  plan_.changes.push_back("flag " + text + " instead of " +
                          (old->value.empty() ? "nothing" : old->value));
  changes_.push_back({.kind = YamlChange::Kind::set,
                      .path = old->path,
                      .values = {formats::yaml_text(old->own_item ? std::string(wanted) : text)}});
  return std::string(wanted);
}

void Planner::number_flag(std::string_view name, const std::optional<uint64_t>& wish,
                          uint64_t normal, uint64_t* out) {
  const std::string value = flag(name, std::to_string(wish.value_or(normal)), wish.has_value());
  const auto number = parse_uint(value);
  if (!number)
    plan_.warnings.push_back("--" + std::string(name) + "=" + value +
                             " is no number: kube-apiserver will not start with it");
  if (out != nullptr) *out = number.value_or(normal);
}

const formats::YamlMark& Planner::mark_of(std::string_view name) const {
  const ApiserverFlag* found = manifest_.find_flag(name);
  return found != nullptr ? found->mark : manifest_.pod.mark;
}

// The policy or the kubeconfig: somewhere on the host, which is mounted for it when it is not yet.
Status Planner::read_only_place(std::string_view what, const std::string& value,
                                std::string& host_path) {
  const std::string flag_name =
      what == "policy" ? "audit-policy-file" : "audit-webhook-config-file";
  if (!can_be_mounted(value))
    return manifest_.error_at(mark_of(flag_name),
                              "--" + flag_name + "=" + value + " is no absolute path",
                              "change the flag, or remove it and run this again");
  const std::string path = clean_path(value);
  const std::string folder = folder_of(path);
  for (const std::string& ours : new_folders_)
    if (is_within(path, ours)) {
      host_path = path;
      return {};
    }
  const Found found = manifest_.resolve(path);
  if (found) {
    if (found->host_path.empty())
      return manifest_.error_at(
          found->mount->mark,
          "the " + std::string(what) + " " + path + " is in a volume that is no folder of the host",
          "change the flag --" + flag_name + ", or make it a hostPath");
    host_path = found->host_path;
    return {};
  }
  if (is_system_folder(folder))
    return manifest_.error_at(
        mark_of(flag_name),
        path + " is under no mount, and " + folder + " can't be mounted into the container",
        "keep the " + std::string(what) + " in a folder of its own, as " +
            std::string(kAuditFolder));
  mount("audit-policy", folder, true);
  host_path = path;
  return {};
}

Status Planner::log_place() {
  const std::string& path = plan_.log_path;
  if (path == "-") {
    plan_.warnings.push_back(
        "--audit-log-path=- writes into the server's own output: there is no file to analyze");
    return {};
  }
  if (!can_be_mounted(path) || clean_path(path) != path)
    return manifest_.error_at(mark_of("audit-log-path"),
                              "the log's path " + path + " is no plain absolute path",
                              "give one: --log-path " + std::string(kAuditLogPath));
  const std::string folder = folder_of(path);
  plan_.log_host_path = path;
  for (const std::string& ours : new_folders_)
    if (is_within(path, ours))
      return Error{.message =
                       "the log would be in the folder of the policy, which is mounted "
                       "read-only: " +
                       ours,
                   .hint = "give another: --log-path " + std::string(kAuditLogPath)};
  const Found found = manifest_.resolve(path);
  if (found) return repair_log_mount(*found);
  if (is_system_folder(folder))
    return manifest_.error_at(
        mark_of("audit-log-path"), folder + " can't be mounted into the container for the log",
        "give the log a folder of its own: --log-path " + std::string(kAuditLogPath));
  mount("audit-log", folder, false);
  return {};
}

Status Planner::repair_log_mount(const MountedPath& found) {
  const ApiserverMount& mount = *found.mount;
  if (found.volume == nullptr)
    return manifest_.error_at(mount.mark,
                              "the mount names a volume that is not there: " + mount.name,
                              "add the volume, or remove the mount");
  plan_.log_host_path = found.host_path;
  if (found.host_path.empty())
    plan_.warnings.push_back("the log's folder is the volume " + mount.name + " (" +
                             found.volume->kind + "), not a folder of the host: the log goes " +
                             "with the Pod");
  if (mount.path == plan_.log_path) return widen_log_mount(found);
  if (!mount.read_only) return {};
  if (mount.path != folder_of(plan_.log_path))
    return manifest_.error_at(
        mount.mark,
        "the log " + plan_.log_path + " is below " + mount.path + ", which is mounted read-only",
        "give another: --log-path " + std::string(kAuditLogPath));
  set(mount.place, "readOnly", formats::yaml_plain("false"));
  plan_.changes.push_back("mount " + mount.path + " writable: the log is there");
  return {};
}

// The log is mounted as a single file, so it can't be renamed: at its first rotation auditing would
// stop for good.
Status Planner::widen_log_mount(const MountedPath& found) {
  const ApiserverMount& mount = *found.mount;
  const std::string folder = folder_of(mount.path);
  const std::string host_folder = folder_of(found.host_path);
  const auto uses = std::count_if(manifest_.mounts.begin(), manifest_.mounts.end(),
                                  [&](const auto& other) { return other.name == mount.name; });
  const bool crowded = std::any_of(
      manifest_.mounts.begin(), manifest_.mounts.end(), [&](const ApiserverMount& other) {
        return &other != &mount && (is_within(other.path, folder) || is_within(folder, other.path));
      });
  const bool can = uses == 1 && !crowded && mount.sub_path.empty() && !found.host_path.empty() &&
                   !is_system_folder(folder) && !is_system_folder(host_folder);
  if (!can)
    return manifest_.error_at(
        mount.mark,
        "the log " + mount.path +
            " is mounted as a single file: it can't be rotated, and auditing stops at its first "
            "rotation",
        "mount its folder, or put it elsewhere: --log-path " + std::string(kAuditLogPath));
  YamlPath source = found.volume->place;
  source.push_back({.key = "hostPath"});
  set(mount.place, "mountPath", formats::yaml_text(folder));
  if (mount.read_only) set(mount.place, "readOnly", formats::yaml_plain("false"));
  set(source, "path", formats::yaml_text(host_folder));
  set(source, "type", formats::yaml_text("DirectoryOrCreate"));
  plan_.changes.push_back("mount " + folder + " instead of the single file " + mount.path +
                          ": a log mounted alone can't be rotated");
  return {};
}

void Planner::set(const YamlPath& place, const std::string& key, const YamlNode& value) {
  YamlPath path = place;
  path.push_back({.key = key});
  if (formats::find_node(manifest_.pod, path) != nullptr) {
    changes_.push_back({.kind = YamlChange::Kind::set, .path = path, .values = {value}});
  } else {
    changes_.push_back(
        {.kind = YamlChange::Kind::put, .path = place, .key = key, .values = {value}});
  }
}

std::string Planner::free_name(std::string name) const {
  if (manifest_.find_volume(name) == nullptr) return name;
  name = "saker-" + name;
  for (int i = 2; manifest_.find_volume(name) != nullptr; ++i)
    name = "saker-audit-" + std::to_string(i);
  return name;
}

void Planner::mount(std::string_view name, const std::string& folder, bool read_only) {
  using formats::yaml_map;
  using formats::yaml_text;
  std::string volume_name;
  for (const ApiserverVolume& volume : manifest_.volumes)
    if (volume.host_path == folder && (volume.type.empty() || volume.type.starts_with("Dir")))
      volume_name = volume.name;
  if (volume_name.empty()) {
    volume_name = free_name(std::string(name));
    const YamlNode source = yaml_map({{yaml_text("path"), yaml_text(folder)},
                                      {yaml_text("type"), yaml_text("DirectoryOrCreate")}});
    new_volumes_.push_back(
        yaml_map({{yaml_text("hostPath"), source}, {yaml_text("name"), yaml_text(volume_name)}}));
    plan_.changes.push_back("volume " + volume_name + ": the host's " + folder +
                            " (DirectoryOrCreate)");
  }
  std::vector<formats::YamlEntry> entries = {
      {yaml_text("mountPath"), yaml_text(folder)},
      {yaml_text("name"), yaml_text(volume_name)},
      {yaml_text("readOnly"), formats::yaml_plain(read_only ? "true" : "false")}};
  new_mounts_.push_back(yaml_map(std::move(entries)));
  if (read_only) new_folders_.push_back(folder);
  plan_.changes.push_back("mount " + folder + (read_only ? ", read-only" : ", writable"));
}

void Planner::add_list(const YamlPath& path, std::vector<YamlNode> values) {
  if (values.empty()) return;
  if (formats::find_node(manifest_.pod, path) != nullptr) {
    changes_.push_back(
        {.kind = YamlChange::Kind::append, .path = path, .values = std::move(values)});
    return;
  }
  YamlPath parent = path;
  parent.pop_back();
  changes_.push_back({.kind = YamlChange::Kind::put,
                      .path = parent,
                      .key = path.back().key,
                      .values = {formats::yaml_sequence(std::move(values))}});
}

void Planner::annotate() {
  using formats::yaml_text;
  const YamlPath metadata = {{.key = "metadata"}};
  const YamlPath annotations = {{.key = "metadata"}, {.key = "annotations"}};
  const YamlNode sum = yaml_text(wishes_.policy_sum);
  const YamlNode* old = formats::find_node(manifest_.pod, annotations);
  if (old != nullptr) {
    const YamlNode* present = old->find(kPolicyAnnotation);
    if (present != nullptr && present->text == wishes_.policy_sum) return;
    set(annotations, std::string(kPolicyAnnotation), sum);
  } else if (formats::find_node(manifest_.pod, metadata) != nullptr) {
    changes_.push_back({.kind = YamlChange::Kind::put,
                        .path = metadata,
                        .key = "annotations",
                        .values = {formats::yaml_map({{yaml_text(kPolicyAnnotation), sum}})}});
  } else {
    plan_.warnings.push_back(
        "the server reads its policy only when it starts: move the manifest out of its folder "
        "and back");
    return;
  }
  plan_.changes.push_back("annotation " + std::string(kPolicyAnnotation) +
                          ": kubelet starts the server anew, which then reads the new policy");
}

Result<InstallPlan> Planner::plan() {
  plan_.policy_path = flag("audit-policy-file", kAuditPolicyPath, false);
  plan_.log_path = flag("audit-log-path", wishes_.log_path.value_or(std::string(kAuditLogPath)),
                        wishes_.log_path.has_value());
  if (plan_.log_path != "-") {
    number_flag("audit-log-maxage", wishes_.max_age, 30);
    number_flag("audit-log-maxbackup", wishes_.max_backups, 10, &plan_.max_backups);
    number_flag("audit-log-maxsize", wishes_.max_size, 100, &plan_.max_size);
  }
  if (wishes_.webhook) {
    plan_.webhook_path = flag("audit-webhook-config-file", kAuditWebhookPath, false);
    flag("audit-webhook-batch-max-wait", "5s", false);
    flag("audit-webhook-truncate-enabled", "true", false);
  }
  SAKER_CHECK(read_only_place("policy", plan_.policy_path, plan_.policy_host_path));
  if (wishes_.webhook)
    SAKER_CHECK(read_only_place("webhook kubeconfig", plan_.webhook_path, plan_.webhook_host_path));
  SAKER_CHECK(log_place());
  // A sum that is there already must not become untrue.
  const bool has_sum = formats::find_node(
      manifest_.pod,
      {{.key = "metadata"}, {.key = "annotations"}, {.key = std::string(kPolicyAnnotation)}});
  if (!wishes_.policy_sum.empty() && (plan_.changes.empty() || has_sum)) annotate();
  // In this order, since two of them may be added at the same place: the deeper one first.
  add_list(manifest_.flag_list, new_flags_);
  YamlPath mounts = manifest_.container;
  mounts.push_back({.key = "volumeMounts"});
  add_list(mounts, new_mounts_);
  add_list({{.key = "spec"}, {.key = "volumes"}}, new_volumes_);
  plan_.text = SAKER_TRY(formats::edit_yaml(manifest_.text, manifest_.file, changes_));
  return std::move(plan_);
}

}  // namespace

Result<InstallPlan> plan_install(const ApiserverManifest& manifest, const InstallWishes& wishes) {
  return Planner(manifest, wishes).plan();
}

}  // namespace saker::audit
