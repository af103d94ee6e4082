#include "audit/apiserver_manifest.h"

#include <algorithm>

#include "base/strings.h"

namespace saker::audit {

namespace {

using formats::YamlNode;
using formats::YamlPath;

YamlPath joined(YamlPath path, std::string key) {
  path.push_back({.key = std::move(key)});
  return path;
}

YamlPath joined(YamlPath path, size_t index) {
  path.push_back({.index = index});
  return path;
}

std::string text_at(const YamlNode& map, std::string_view key) {
  const YamlNode* node = map.find(key);
  return node != nullptr && node->is_scalar() ? node->text : std::string();
}

bool names_apiserver(std::string_view word) {
  return word.substr(word.rfind('/') + 1) == "kube-apiserver";
}

// Flags of the audit options that stand without a value.
bool is_switch(std::string_view name) {
  return name == "audit-log-compress" || name.ends_with("-truncate-enabled") ||
         name.ends_with("-throttle-enable");
}

class Reader {
 public:
  explicit Reader(ApiserverManifest& manifest) : manifest_(manifest) {}
  Status read();

 private:
  Status read_document();
  Status check_keys(const YamlNode& map);
  Status find_container(const YamlNode& spec);
  Status read_flags(const YamlNode& container);
  Status read_list(const YamlNode& list, const YamlPath& path, bool& has_flags);
  Status read_mounts(const YamlNode& container);
  Status read_volumes(const YamlNode& spec);
  void read_probe(const YamlNode& container);
  void read_user(const YamlNode& owner);

  ApiserverManifest& manifest_;
};

Status Reader::read_document() {
  auto documents = SAKER_TRY(formats::parse_yaml(manifest_.text, manifest_.file));
  if (documents.empty())
    return manifest_.error_at({}, "the file is empty: a Pod was expected",
                              "name kube-apiserver's static-pod manifest with --manifest");
  if (documents.size() > 1)
    return manifest_.error_at(documents[1].mark, "a second document: kubelet reads only the first",
                              "leave one Pod in the file");
  manifest_.pod = std::move(documents[0]);
  const YamlNode& pod = manifest_.pod;
  if (!pod.is_map() || text_at(pod, "kind") != "Pod")
    return manifest_.error_at(pod.mark, "not a Pod",
                              "name kube-apiserver's static-pod manifest with --manifest");
  return check_keys(pod);
}

// kubelet takes one of two equal keys; which one must not be our guess.
Status Reader::check_keys(const YamlNode& map) {
  for (size_t i = 0; i < map.entries.size(); ++i) {
    const YamlNode& key = map.entries[i].first;
    if (key.text == "<<" && !key.quoted)
      return manifest_.error_at(key.mark, "a merge key: what belongs here stands elsewhere",
                                "write the keys out");
    for (size_t k = 0; k < i; ++k)
      if (map.entries[k].first.text == key.text)
        return manifest_.error_at(key.mark, "the key " + key.text + " is here twice",
                                  "remove one of them");
  }
  return {};
}

Status Reader::find_container(const YamlNode& spec) {
  const YamlNode* containers = spec.find("containers");
  if (containers == nullptr || !containers->is_sequence() || containers->items.empty())
    return manifest_.error_at(spec.mark, "no containers in the Pod's spec");
  size_t found = containers->items.size();
  for (size_t i = 0; i < containers->items.size(); ++i) {
    const YamlNode& item = containers->items[i];
    bool is_it = text_at(item, "name") == "kube-apiserver";
    for (const std::string_view key : {"command", "args"})
      if (const YamlNode* list = item.find(key))
        for (const YamlNode& word : list->items) is_it |= names_apiserver(word.text);
    if (!is_it) continue;
    if (found < containers->items.size())
      return manifest_.error_at(item.mark, "a second kube-apiserver in this Pod");
    found = i;
  }
  if (found == containers->items.size())
    return manifest_.error_at(containers->mark, "no container here runs kube-apiserver",
                              "name kube-apiserver's static-pod manifest with --manifest");
  manifest_.container = {{.key = "spec"}, {.key = "containers"}, {.index = found}};
  return check_keys(containers->items[found]);
}

Status Reader::read_list(const YamlNode& list, const YamlPath& path, bool& has_flags) {
  if (!list.is_sequence() && !list.is_null())
    return manifest_.error_at(list.mark, "a list was expected here");
  for (size_t i = 0; i < list.items.size(); ++i) {
    const YamlNode& item = list.items[i];
    const std::string_view word = item.text;
    if (!item.is_scalar()) return manifest_.error_at(item.mark, "a text was expected here");
    if (word.contains("kube-apiserver ") || word == "-c")
      return manifest_.error_at(item.mark, "the flags stand in a line for a shell",
                                "write command as a list: one entry a flag");
    if (!word.starts_with("--")) continue;
    if (word == "--")
      return manifest_.error_at(item.mark, "-- ends the flags: none can be added behind it");
    has_flags = true;
    const size_t equals = std::min(word.find('='), word.size());
    ApiserverFlag flag{.name = std::string(word.substr(2, equals - 2)),
                       .value = std::string(word.substr(std::min(equals + 1, word.size()))),
                       .path = joined(path, i),
                       .mark = item.mark};
    std::replace(flag.name.begin(), flag.name.end(), '_', '-');
    const bool takes_next =
        equals == word.size() && flag.name.starts_with("audit-") && !is_switch(flag.name);
    if (takes_next && i + 1 == list.items.size())
      return manifest_.error_at(item.mark, "--" + flag.name + " has no value",
                                "the server would not start: give it one, or remove it");
    if (takes_next) {
      flag.own_item = true;
      flag.value = list.items[i + 1].text;
      flag.path.back().index = ++i;
    }
    manifest_.flags.push_back(std::move(flag));
  }
  return {};
}

Status Reader::read_flags(const YamlNode& container) {
  const YamlNode* command = container.find("command");
  const YamlNode* args = container.find("args");
  if (command == nullptr && args == nullptr)
    return manifest_.error_at(container.mark, "kube-apiserver has neither command nor args here");
  bool in_command = false, in_args = false;
  const YamlPath command_path = joined(manifest_.container, "command");
  const YamlPath args_path = joined(manifest_.container, "args");
  if (command != nullptr) SAKER_CHECK(read_list(*command, command_path, in_command));
  if (args != nullptr) SAKER_CHECK(read_list(*args, args_path, in_args));
  const bool use_args = command == nullptr || in_args || (args != nullptr && !in_command);
  manifest_.flag_list = use_args ? args_path : command_path;
  return {};
}

Status Reader::read_mounts(const YamlNode& container) {
  const YamlNode* list = container.find("volumeMounts");
  if (list == nullptr || list->is_null()) return {};
  if (!list->is_sequence()) return manifest_.error_at(list->mark, "a list was expected here");
  const YamlPath path = joined(manifest_.container, "volumeMounts");
  for (size_t i = 0; i < list->items.size(); ++i) {
    const YamlNode& item = list->items[i];
    SAKER_CHECK(check_keys(item));
    manifest_.mounts.push_back({.name = text_at(item, "name"),
                                .path = clean_path(text_at(item, "mountPath")),
                                .sub_path = text_at(item, "subPath"),
                                .read_only = text_at(item, "readOnly") == "true",
                                .place = joined(path, i),
                                .mark = item.mark});
  }
  return {};
}

Status Reader::read_volumes(const YamlNode& spec) {
  const YamlNode* list = spec.find("volumes");
  if (list == nullptr || list->is_null()) return {};
  if (!list->is_sequence()) return manifest_.error_at(list->mark, "a list was expected here");
  for (size_t i = 0; i < list->items.size(); ++i) {
    const YamlNode& item = list->items[i];
    SAKER_CHECK(check_keys(item));
    ApiserverVolume volume{.name = text_at(item, "name"),
                           .place = {{.key = "spec"}, {.key = "volumes"}, {.index = i}},
                           .mark = item.mark};
    for (const auto& [key, value] : item.entries) {
      if (key.text == "name") continue;
      volume.kind = key.text;
      if (key.text != "hostPath") continue;
      SAKER_CHECK(check_keys(value));
      volume.host_path = clean_path(text_at(value, "path"));
      volume.type = text_at(value, "type");
    }
    manifest_.volumes.push_back(std::move(volume));
  }
  return {};
}

void Reader::read_probe(const YamlNode& container) {
  for (const std::string_view name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const YamlNode* probe = container.find(name);
    const YamlNode* get = probe == nullptr ? nullptr : probe->find("httpGet");
    if (get == nullptr) continue;
    std::string port = text_at(*get, "port");
    // A port's name: newer kubeadm calls it "probe-port".
    if (const YamlNode* ports = container.find("ports"))
      for (const YamlNode& entry : ports->items)
        if (text_at(entry, "name") == port) port = text_at(entry, "containerPort");
    if (!parse_uint(port)) continue;
    std::string host = text_at(*get, "host");
    if (host.empty()) host = "127.0.0.1";
    if (host.contains(':')) host.insert(0, "[").append("]");
    const bool plain = text_at(*get, "scheme") == "HTTP" || text_at(*get, "scheme").empty();
    manifest_.health_url = plain ? "http://" : "https://";
    manifest_.health_url.append(host).append(":").append(port).append(text_at(*get, "path"));
    return;
  }
  const ApiserverFlag* port = manifest_.find_flag("secure-port");
  manifest_.health_url =
      "https://127.0.0.1:" + (port == nullptr ? std::string("6443") : port->value) + "/livez";
}

void Reader::read_user(const YamlNode& owner) {
  const YamlNode* context = owner.find("securityContext");
  if (context == nullptr) return;
  if (const auto user = parse_uint(text_at(*context, "runAsUser")))
    manifest_.user = static_cast<uint32_t>(*user);
  if (const auto group = parse_uint(text_at(*context, "runAsGroup")))
    manifest_.group = static_cast<uint32_t>(*group);
}

Status Reader::read() {
  SAKER_CHECK(read_document());
  const YamlNode* spec = manifest_.pod.find("spec");
  if (spec == nullptr || !spec->is_map())
    return manifest_.error_at(manifest_.pod.mark, "the Pod has no spec");
  SAKER_CHECK(check_keys(*spec));
  SAKER_CHECK(find_container(*spec));
  const YamlNode& container = *formats::find_node(manifest_.pod, manifest_.container);
  SAKER_CHECK(read_flags(container));
  SAKER_CHECK(read_mounts(container));
  SAKER_CHECK(read_volumes(*spec));
  read_probe(container);
  read_user(*spec);
  read_user(container);
  return {};
}

}  // namespace

const ApiserverFlag* ApiserverManifest::find_flag(std::string_view name) const {
  for (auto flag = flags.rbegin(); flag != flags.rend(); ++flag)
    if (flag->name == name) return &*flag;
  return nullptr;
}

const ApiserverVolume* ApiserverManifest::find_volume(std::string_view name) const {
  for (const ApiserverVolume& volume : volumes)
    if (volume.name == name) return &volume;
  return nullptr;
}

std::optional<MountedPath> ApiserverManifest::resolve(std::string_view path) const {
  const ApiserverMount* best = nullptr;
  for (const ApiserverMount& mount : mounts)
    if (!mount.path.empty() && is_within(path, mount.path) &&
        (best == nullptr || mount.path.size() >= best->path.size()))
      best = &mount;
  if (best == nullptr) return std::nullopt;
  MountedPath found{.mount = best, .volume = find_volume(best->name)};
  if (found.volume != nullptr && !found.volume->host_path.empty()) {
    std::string host = found.volume->host_path;
    if (!best->sub_path.empty()) host += "/" + best->sub_path;
    const size_t inside = best->path == "/" ? 0 : best->path.size();
    found.host_path = clean_path(host + std::string(path.substr(inside)));
  }
  return found;
}

Error ApiserverManifest::error_at(const formats::YamlMark& mark, std::string message,
                                  std::string hint) const {
  return Error{.message = std::move(message),
               .position = {.file = file,
                            .line = mark.line + 1,
                            .column = mark.column + 1,
                            .offset = mark.offset},
               .hint = std::move(hint)};
}

Result<ApiserverManifest> read_apiserver_manifest(std::string_view text, std::string_view file) {
  ApiserverManifest manifest;
  manifest.text = text;
  manifest.file = file;
  SAKER_CHECK(Reader(manifest).read());
  return manifest;
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string out;
  for (const std::string_view part : parts) out += "/" + std::string(part);
  if (path.empty()) return {};
  return out.empty() ? "/" : out;
}

std::string folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

bool is_within(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace saker::audit
