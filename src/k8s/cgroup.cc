// Which container a cgroup path belongs to.
//
// A path is read segment by segment from the right, and the first segment that names a container
// wins: of nested containers (docker in docker, kind) that is the innermost, and what a container
// made below its own cgroup (init.scope, system.slice/...) still counts as the container. The
// layouts, with <64> an id of 64 lower-case hexadecimal digits:
//
//   /docker/<64>  /kubepods/burstable/pod<uid>/<64>  /default/<64>  cgroupfs driver
//   docker-<64>.scope  nerdctl-<64>.scope  cri-containerd-<64>.scope  systemd driver
//   crio-<64>[.scope]  libpod-<64>[.scope]  libpod-payload-<64>
//   ...slice:cri-containerd:<64>                   systemd's names given to the cgroupfs driver
//   lxc/<name>  lxc.payload/<name>  lxc.payload.<name>
//   <name>.libvirt-lxc  machine-lxc\x2d<name>.scope  libvirt/lxc/<name>
//   mesos/<uuid>  [runc-]bpm-<name>[.scope]
//   /<namespace>/<id>                               containerd's own containers (ctr)
#include <algorithm>
#include <array>

#include "k8s/container.h"

namespace saker::k8s {
namespace {

constexpr size_t kIdLength = 64;
constexpr size_t kMaxContainerdId = 64;

constexpr bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
constexpr bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_id(std::string_view text) {
  return text.size() == kIdLength && std::ranges::all_of(text, is_hex);
}

bool cut_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool cut_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

// Walks the segments of a path from the right.
class Segments {
 public:
  explicit Segments(std::string_view path) : path_(path) {}

  bool next() {
    while (path_.ends_with('/')) path_.remove_suffix(1);
    if (path_.empty()) return false;
    const size_t slash = path_.rfind('/');
    const size_t start = slash == std::string_view::npos ? 0 : slash + 1;
    segment_ = path_.substr(start);
    path_ = path_.substr(0, start);
    return true;
  }
  [[nodiscard]] std::string_view segment() const { return segment_; }
  // What stands left of the segment.
  [[nodiscard]] Segments before() const { return Segments(path_); }

 private:
  std::string_view path_;
  std::string_view segment_;
};

std::string_view last_segment(Segments segments) {
  return segments.next() ? segments.segment() : std::string_view();
}

// The uid in "pod<uid>", "kubepods-burstable-pod<uid>.slice" and the like: 32 hexadecimal digits
// (static pods) or 36 characters with '-' or, in a slice's name, '_' between the groups.
std::string_view pod_uid_in(std::string_view segment) {
  cut_suffix(segment, ".slice");
  const size_t at = segment.rfind("pod");
  if (at == std::string_view::npos || (at > 0 && segment[at - 1] != '-')) return {};
  const std::string_view uid = segment.substr(at + 3);
  if (uid.size() == 32) return std::ranges::all_of(uid, is_hex) ? uid : std::string_view();
  if (uid.size() != 36) return {};
  for (size_t i = 0; i < uid.size(); ++i) {
    const bool separator = i == 8 || i == 13 || i == 18 || i == 23;
    if (separator ? uid[i] != '-' && uid[i] != '_' : !is_hex(uid[i])) return {};
  }
  return uid;
}

std::string canonical_uid(std::string_view uid) {
  std::string text(uid);
  std::ranges::replace(text, '_', '-');
  return text;
}

// The nearest pod left of a container's segment.
std::string_view pod_uid_before(Segments segments) {
  while (segments.next()) {
    if (std::string_view uid = pod_uid_in(segments.segment()); !uid.empty()) return uid;
  }
  return {};
}

struct ScopeLayout {
  std::string_view prefix;
  bool scope_optional;
  ContainerType type;
};
constexpr std::array kScopeLayouts = {
    ScopeLayout{"docker-", false, ContainerType::docker},
    ScopeLayout{"cri-containerd-", false, ContainerType::containerd},
    ScopeLayout{"crio-", true, ContainerType::crio},
    ScopeLayout{"libpod-payload-", true, ContainerType::podman},
    ScopeLayout{"libpod-", true, ContainerType::podman},
    ScopeLayout{"nerdctl-", false, ContainerType::containerd},
};

std::optional<CgroupMatch> match_scope(std::string_view segment) {
  for (const ScopeLayout& layout : kScopeLayouts) {
    std::string_view id = segment;
    if (!cut_prefix(id, layout.prefix)) continue;
    if (!cut_suffix(id, ".scope") && !layout.scope_optional) continue;
    if (is_id(id)) return CgroupMatch{layout.type, id, {}};
  }
  return std::nullopt;
}

// "<slice>:<prefix>:<64>": the name that the systemd driver would have split up.
std::optional<CgroupMatch> match_colons(std::string_view segment) {
  const size_t last = segment.rfind(':');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const std::string_view id = segment.substr(last + 1);
  const size_t first = segment.rfind(':', last - 1);
  if (first == std::string_view::npos || !is_id(id)) return std::nullopt;
  const std::string_view prefix = segment.substr(first + 1, last - first - 1);
  for (const ScopeLayout& layout : kScopeLayouts) {
    if (prefix.size() + 1 != layout.prefix.size() || !layout.prefix.starts_with(prefix)) continue;
    const std::string_view uid = pod_uid_in(segment.substr(0, first));
    return CgroupMatch{layout.type, id, canonical_uid(uid)};
  }
  return std::nullopt;
}

bool is_containerd_namespace(std::string_view name) {
  return name == "default" || name == "k8s.io" || name == "moby" || name == "buildkit";
}

std::optional<CgroupMatch> match_bare_id(std::string_view segment, const Segments& before) {
  if (!is_id(segment)) return std::nullopt;
  const std::string_view parent = last_segment(before);
  ContainerType type = ContainerType::docker;
  if (!pod_uid_in(parent).empty()) {
    type = ContainerType::cri;
  } else if (is_containerd_namespace(parent)) {
    type = ContainerType::containerd;
  } else if (parent.starts_with("libpod")) {
    type = ContainerType::podman;
  }
  return CgroupMatch{type, segment, {}};
}

std::optional<CgroupMatch> match_lxc(std::string_view segment, const Segments& before) {
  Segments left = before;
  const std::string_view parent = left.next() ? left.segment() : std::string_view();
  if (parent == "lxc" && last_segment(left.before()) == "libvirt") {
    return CgroupMatch{ContainerType::libvirt_lxc, segment, {}};
  }
  if (parent == "lxc" || parent == "lxc.payload") {
    return CgroupMatch{ContainerType::lxc, segment, {}};
  }
  std::string_view name = segment;
  if (cut_prefix(name, "lxc.payload.") && !name.empty()) {
    return CgroupMatch{ContainerType::lxc, name, {}};
  }
  if (cut_suffix(name, ".libvirt-lxc") && !name.empty()) {
    return CgroupMatch{ContainerType::libvirt_lxc, name, {}};
  }
  if (cut_suffix(name, ".scope")) {
    constexpr std::string_view kMark = "-lxc\\x2d";
    const size_t at = name.find(kMark);
    if (at != std::string_view::npos && at + kMark.size() < name.size()) {
      return CgroupMatch{ContainerType::libvirt_lxc, name.substr(at + kMark.size()), {}};
    }
  }
  return std::nullopt;
}

std::optional<CgroupMatch> match_bpm(std::string_view segment) {
  cut_prefix(segment, "runc-");
  if (!cut_prefix(segment, "bpm-")) return std::nullopt;
  cut_suffix(segment, ".scope");
  auto allowed = [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  if (segment.empty() || !std::ranges::all_of(segment, allowed)) return std::nullopt;
  return CgroupMatch{ContainerType::bpm, segment, {}};
}

std::optional<CgroupMatch> match_mesos(std::string_view segment, const Segments& before) {
  constexpr size_t kUuidLength = 36;
  if (segment.size() != kUuidLength || last_segment(before) != "mesos") return std::nullopt;
  for (size_t i = 0; i < segment.size(); ++i) {
    const bool separator = i == 8 || i == 13 || i == 18 || i == 23;
    if (separator ? segment[i] != '-' : !is_hex(segment[i])) return std::nullopt;
  }
  return CgroupMatch{ContainerType::mesos, segment, {}};
}

bool is_systemd_unit(std::string_view name) {
  constexpr std::array<std::string_view, 7> kSuffixes = {
      ".service", ".slice", ".scope", ".mount", ".socket", ".swap", ".automount"};
  return std::ranges::any_of(kSuffixes, [&](std::string_view s) { return name.ends_with(s); });
}

// Words of letters and digits, joined by single '.', '_' or '-'.
bool is_identifier(std::string_view text) {
  bool word = false;
  for (char c : text) {
    if (!is_alphanumeric(c) && (!word || (c != '.' && c != '_' && c != '-'))) return false;
    word = is_alphanumeric(c);
  }
  return word;
}

// Folders at the top of a hierarchy that hold something else than containers of a namespace.
bool is_foreign_folder(std::string_view name) {
  constexpr std::array<std::string_view, 13> kFolders = {
      "docker",  "kubepods", "kubelet",   "kube",          "lxc",    "lxc.payload", "lxc.monitor",
      "libvirt", "machine",  "lxc.pivot", "libpod_parent", "system", "user"};
  return std::ranges::find(kFolders, name) != kFolders.end();
}

// The namespace may have any name, so that only the shape tells: two segments, neither of which is
// a systemd unit. Below a namespace that everybody knows a container's own cgroups are accepted.
std::optional<CgroupMatch> match_containerd(std::string_view path) {
  if (!cut_prefix(path, "/")) return std::nullopt;
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view name = path.substr(0, slash);
  std::string_view id = path.substr(slash + 1);
  if (is_containerd_namespace(name)) id = id.substr(0, id.find('/'));
  if (!is_identifier(name) || is_systemd_unit(name) || is_foreign_folder(name)) return std::nullopt;
  if (id.empty() || id.size() > kMaxContainerdId || is_systemd_unit(id) || id.contains('/')) {
    return std::nullopt;
  }
  return CgroupMatch{ContainerType::containerd, id, {}};
}

std::optional<CgroupMatch> match_segment(std::string_view segment, const Segments& before) {
  if (auto match = match_bare_id(segment, before)) return match;
  if (auto match = match_scope(segment)) return match;
  if (auto match = match_colons(segment)) return match;
  if (auto match = match_lxc(segment, before)) return match;
  if (auto match = match_mesos(segment, before)) return match;
  return match_bpm(segment);
}

}  // namespace

std::string_view to_string(ContainerType type) {
  switch (type) {
    case ContainerType::docker: return "docker";
    case ContainerType::lxc: return "lxc";
    case ContainerType::libvirt_lxc: return "libvirt-lxc";
    case ContainerType::mesos: return "mesos";
    case ContainerType::rkt: return "rkt";
    case ContainerType::unknown: break;
    case ContainerType::cri: return "cri";
    case ContainerType::containerd: return "containerd";
    case ContainerType::crio: return "cri-o";
    case ContainerType::bpm: return "bpm";
    case ContainerType::podman: return "podman";
    case ContainerType::host: return "host";
  }
  return "unknown";
}

std::string_view short_id(ContainerType type, std::string_view full_id) {
  constexpr size_t kShortLength = 12;
  const bool is_name = type == ContainerType::lxc || type == ContainerType::libvirt_lxc ||
                       type == ContainerType::bpm;
  return is_name ? full_id : full_id.substr(0, kShortLength);
}

std::optional<CgroupMatch> match_cgroup(std::string_view path) {
  // What /proc shows of a cgroup that is gone while a process of it is still there.
  cut_suffix(path, " (deleted)");
  Segments segments(path);
  while (segments.next()) {
    const Segments before = segments.before();
    std::optional<CgroupMatch> match = match_segment(segments.segment(), before);
    if (!match) continue;
    if (match->pod_uid.empty()) match->pod_uid = canonical_uid(pod_uid_before(before));
    return match;
  }
  return match_containerd(path);
}

}  // namespace saker::k8s
