#include "k8s/on_disk.h"

#include <fmt/core.h>

#include <filesystem>

#include "base/fd.h"
#include "base/strings.h"
#include "formats/json.h"
#include "k8s/container_json.h"
#include "k8s/docker_client.h"
#include "k8s/runtime_spec.h"

namespace saker::k8s {
namespace {

using formats::JsonNode;
namespace fs = std::filesystem;

constexpr size_t kMaxFile = 16U << 20U;

// Ids and namespaces come from a cgroup's name, which whoever made it chose.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && !name.contains('/') &&
         !name.contains('\0');
}

Result<JsonNode> read_json(const std::string& path) {
  return formats::parse_json(SAKER_TRY(read_file(path, kMaxFile)));
}

Error no_such(std::string_view full_id) {
  return Error{Code::not_found, fmt::format("nothing on disk of container {}", full_id)};
}

ContainerInfo named(std::string_view full_id, ContainerType type) {
  ContainerInfo info;
  info.full_id = full_id;
  info.type = type;
  info.id = short_id(type, full_id);
  return info;
}

const JsonNode* find_by_id(const JsonNode& list, std::string_view id) {
  for (const JsonNode& item : list.items) {
    const JsonNode* node = item.find("id");
    if (node && node->is_text() && node->text == id) return &item;
  }
  return nullptr;
}

void apply_stored_image(const std::string& root, ContainerInfo& info) {
  auto images = read_json(root + "/overlay-images/images.json");
  if (!images.ok()) return;
  const JsonNode* image = find_by_id(*images, info.image_id);
  if (!image) return;
  info.image_digest = image->text_of("digest");
  const JsonNode* names = image->find("names");
  if (info.image.empty() && names && !names->items.empty()) {
    info.image = names->items[0].text;
    split_image_reference(info.image, info);
  }
}

// The note that podman or CRI-O attaches to a stored container, JSON in a JSON text.
void apply_stored_metadata(const JsonNode& note, ContainerInfo& info) {
  info.name = note.text_of("metadata-name", note.text_of("name"));
  info.image = note.text_of("image-name");
  split_image_reference(info.image, info);
  if (const std::string id = note.text_of("image-id"); !id.empty()) info.image_id = id;
  if (const JsonNode* created = note.find("created-at")) {
    constexpr int64_t kSecond = 1'000'000'000;
    info.created_time = created->is_text() ? parse_rfc3339(created->text)
                        : created->integer > 0 && created->integer < INT64_MAX / kSecond
                            ? created->integer * kSecond
                            : 0;
  }
}

Result<ContainerInfo> read_bundle(const std::string& folder, std::string_view full_id) {
  const JsonNode spec = SAKER_TRY(read_json(folder + "/config.json"));
  ContainerInfo info = named(full_id, ContainerType::containerd);
  apply_runtime_spec(spec, info);
  apply_annotations(spec, info);
  if (info.name.empty()) info.name = info.id;
  return info;
}

// From "pid (comm) state ppid ...", 0 when the process is gone. A comm may hold anything.
int64_t parent_of(const std::string& proc, int64_t pid) {
  constexpr size_t kMaxStat = 4096;
  auto stat = read_file(fmt::format("{}/{}/stat", proc, pid), kMaxStat);
  if (!stat.ok()) return 0;
  const size_t comm_end = stat->rfind(") ");
  if (comm_end == std::string::npos) return 0;
  const auto words = split(std::string_view(*stat).substr(comm_end + 2), ' ');
  return words.size() < 2 ? 0 : parse_int(words[1]).value_or(0);
}

}  // namespace

Result<ContainerInfo> look_up_bundle(const std::string& root, std::string_view name_space,
                                     std::string_view full_id) {
  if (!is_plain_name(full_id)) return no_such(full_id);
  if (is_plain_name(name_space)) {
    return read_bundle(fmt::format("{}/{}/{}", root, name_space, full_id), full_id);
  }
  std::error_code error;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    auto info = read_bundle((at->path() / full_id).string(), full_id);
    if (info.ok() || info.error().code != Code::not_found) return info;
  }
  return no_such(full_id);
}

Result<ContainerInfo> look_up_bundle_of_process(const std::string& proc, int64_t pid,
                                                std::string_view full_id) {
  constexpr int kMaxAncestors = 64;
  if (!is_plain_name(full_id)) return no_such(full_id);
  for (int i = 0; i < kMaxAncestors && pid > 1; ++i) {
    std::error_code error;
    const fs::path folder = fs::read_symlink(fmt::format("{}/{}/cwd", proc, pid), error);
    if (!error && folder.filename() == full_id) return read_bundle(folder.string(), full_id);
    pid = parent_of(proc, pid);
  }
  return no_such(full_id);
}

Result<ContainerInfo> look_up_storage(const std::string& root, std::string_view full_id,
                                      ContainerType type) {
  if (!is_plain_name(full_id)) return no_such(full_id);
  const JsonNode containers = SAKER_TRY(read_json(root + "/overlay-containers/containers.json"));
  const JsonNode* container = find_by_id(containers, full_id);
  if (!container) return no_such(full_id);
  ContainerInfo info = named(full_id, type);
  info.image_id = container->text_of("image");
  if (const std::string note = container->text_of("metadata"); !note.empty()) {
    if (auto node = formats::parse_json(note); node.ok()) apply_stored_metadata(*node, info);
  }
  const JsonNode* names = container->find("names");
  if (info.name.empty() && names && !names->items.empty()) info.name = names->items[0].text;
  apply_stored_image(root, info);
  auto spec =
      read_json(fmt::format("{}/overlay-containers/{}/userdata/config.json", root, full_id));
  if (spec.ok()) {
    apply_runtime_spec(*spec, info);
    apply_annotations(*spec, info);
  }
  return info;
}

Result<ContainerInfo> look_up_docker_files(const std::string& root, std::string_view full_id) {
  if (!is_plain_name(full_id)) return no_such(full_id);
  const std::string folder = fmt::format("{}/containers/{}/", root, full_id);
  const JsonNode config = SAKER_TRY(read_json(folder + "config.v2.json"));
  const JsonNode host_config = SAKER_TRY(read_json(folder + "hostconfig.json"));
  return from_docker_files(config, host_config);
}

}  // namespace saker::k8s
