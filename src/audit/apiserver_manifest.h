// The static-pod manifest of a kube-apiserver: its flags, mounts and volumes, with the place of
// each in the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/yaml.h"
#include "formats/yaml_edit.h"

namespace saker::audit {

struct ApiserverFlag {
  std::string name;   // "audit-log-path"; '_' is read as '-', as the server does
  std::string value;  // empty: none
  formats::YamlPath path;
  bool own_item = false;  // the value is a list entry of its own, which `path` names
  formats::YamlMark mark;
};

struct ApiserverMount {
  std::string name, path, sub_path;  // path is clean: no slash at its end
  bool read_only = false;
  formats::YamlPath place;
  formats::YamlMark mark;
};

struct ApiserverVolume {
  std::string name, kind;       // "hostPath", "configMap", …
  std::string host_path, type;  // of a hostPath
  formats::YamlPath place;
  formats::YamlMark mark;
};

// Where a path of the container is.
struct MountedPath {
  const ApiserverMount* mount = nullptr;
  const ApiserverVolume* volume = nullptr;  // null: the mount names none
  std::string host_path;                    // empty: not on the host
  bool operator==(const MountedPath&) const = default;
};

struct ApiserverManifest {
  std::string text, file;
  formats::YamlNode pod;
  formats::YamlPath container;
  formats::YamlPath flag_list;  // where flags are added: args when flags stand there, else command
  std::vector<ApiserverFlag> flags;
  std::vector<ApiserverMount> mounts;
  std::vector<ApiserverVolume> volumes;
  std::string health_url;               // from the liveness probe
  std::optional<uint32_t> user, group;  // that the server runs as

  // The one that counts: the last.
  [[nodiscard]] const ApiserverFlag* find_flag(std::string_view name) const;
  [[nodiscard]] const ApiserverVolume* find_volume(std::string_view name) const;
  // By the deepest mount at or above it.
  [[nodiscard]] std::optional<MountedPath> resolve(std::string_view path) const;
  [[nodiscard]] Error error_at(const formats::YamlMark& mark, std::string message,
                               std::string hint = {}) const;
};

// Refuses what is not one Pod with one kube-apiserver whose flags are entries of a list.
Result<ApiserverManifest> read_apiserver_manifest(std::string_view text, std::string_view file);

// "/a//b/../c/" is "/a/c".
std::string clean_path(std::string_view path);
std::string folder_of(std::string_view path);
bool is_within(std::string_view path, std::string_view folder);

}  // namespace saker::audit
