#include "k8s/container_json.h"

#include <utility>

#include "formats/json.h"

namespace saker::k8s {
namespace {

using formats::JsonNode;

constexpr int64_t kSecond = 1'000'000'000;
// Today's captures number the host beyond a byte.
constexpr int64_t kHostNumber = 0xfffe;

std::map<std::string, std::string> text_map(const JsonNode* node) {
  std::map<std::string, std::string> map;
  if (!node) return map;
  for (const auto& [key, value] : node->members) {
    if (value.is_text()) map.emplace(key, value.text);
  }
  return map;
}

std::vector<std::string> text_list(const JsonNode* node) {
  std::vector<std::string> list;
  if (!node) return list;
  for (const JsonNode& item : node->items) {
    if (item.is_text()) list.push_back(item.text);
  }
  return list;
}

std::vector<Mount> mounts_of(const JsonNode* node) {
  std::vector<Mount> mounts;
  if (!node) return mounts;
  for (const JsonNode& item : node->items) {
    if (!item.is_object()) continue;
    mounts.push_back({.source = item.text_of("Source"),
                      .destination = item.text_of("Destination"),
                      .mode = item.text_of("Mode"),
                      .propagation = item.text_of("Propagation"),
                      .read_write = item.bool_of("RW")});
  }
  return mounts;
}

int64_t seconds_to_ns(int64_t seconds) {
  int64_t ns = 0;
  return __builtin_mul_overflow(seconds, kSecond, &ns) || ns < 0 ? 0 : ns;
}

// Writes an object's members one after the other.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }

  std::string& key(std::string_view name) {
    if (!std::exchange(first_, false)) out_ += ',';
    formats::append_json_text(name, out_);
    out_ += ':';
    return out_;
  }
  void text(std::string_view name, std::string_view value) {
    formats::append_json_text(value, key(name));
  }
  void number(std::string_view name, int64_t value) { key(name) += std::to_string(value); }
  void boolean(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  void map(std::string_view name, const std::map<std::string, std::string>& values) {
    ObjectWriter inner(key(name));
    for (const auto& [label, value] : values) inner.text(label, value);
    inner.close();
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void write_mounts(const std::vector<Mount>& mounts, std::string& out) {
  out += '[';
  for (const Mount& mount : mounts) {
    if (&mount != &mounts.front()) out += ',';
    ObjectWriter object(out);
    object.text("Destination", mount.destination);
    object.text("Mode", mount.mode);
    object.text("Propagation", mount.propagation);
    object.boolean("RW", mount.read_write);
    object.text("Source", mount.source);
    object.close();
  }
  out += ']';
}

void write_list(const std::vector<std::string>& list, std::string& out) {
  out += '[';
  for (const std::string& item : list) {
    if (&item != &list.front()) out += ',';
    formats::append_json_text(item, out);
  }
  out += ']';
}

int64_t to_number(ContainerType type) {
  return type == ContainerType::host ? kHostNumber : std::to_underlying(type);
}

}  // namespace

ContainerType to_container_type(int64_t number) {
  if (number == kHostNumber) return ContainerType::host;
  const bool is_known = (number >= 0 && number <= std::to_underlying(ContainerType::bpm)) ||
                        number == std::to_underlying(ContainerType::podman);
  return is_known ? static_cast<ContainerType>(number) : ContainerType::unknown;
}

Result<ContainerInfo> parse_container_json(std::string_view json) {
  const JsonNode root = SAKER_TRY(formats::parse_json(json));
  const JsonNode* node = root.find("container");
  if (!node || !node->is_object()) {
    return Error{Code::invalid, "container JSON has no object \"container\""};
  }
  ContainerInfo info;
  info.type = to_container_type(node->int_of("type", -1));
  info.id = node->text_of("id");
  info.full_id = node->text_of("full_id");
  if (info.id.empty()) info.id = short_id(info.type, info.full_id);
  if (info.id.empty()) return Error{Code::invalid, "container JSON has no id"};
  info.name = node->text_of("name");
  info.image = node->text_of("image");
  info.image_id = node->text_of("imageid");
  info.image_repository = node->text_of("imagerepo");
  info.image_tag = node->text_of("imagetag");
  info.image_digest = node->text_of("imagedigest");
  info.labels = text_map(node->find("labels"));
  info.mounts = mounts_of(node->find("Mounts"));
  info.env = text_list(node->find("env"));
  info.privileged = node->bool_of("privileged");
  info.host_pid = node->bool_of("host_pid");
  info.host_network = node->bool_of("host_network");
  info.host_ipc = node->bool_of("host_ipc");
  info.is_pod_sandbox = node->bool_of("is_pod_sandbox");
  info.ip = node->text_of("ip");
  info.cni_json = node->text_of("cni_json");
  info.pod_sandbox_id = node->text_of("pod_sandbox_id");
  info.pod_sandbox_labels = text_map(node->find("pod_sandbox_labels"));
  info.created_time = seconds_to_ns(node->int_of("created_time"));
  info.user = node->text_of("User");
  return info;
}

std::string to_container_json(const ContainerInfo& info) {
  std::string out;
  ObjectWriter root(out);
  ObjectWriter object(root.key("container"));
  write_mounts(info.mounts, object.key("Mounts"));
  object.text("User", info.user);
  object.text("cni_json", info.cni_json);
  object.number("created_time", info.created_time / kSecond);
  write_list(info.env, object.key("env"));
  object.text("full_id", info.full_id);
  object.boolean("host_ipc", info.host_ipc);
  object.boolean("host_network", info.host_network);
  object.boolean("host_pid", info.host_pid);
  object.text("id", info.id);
  object.text("image", info.image);
  object.text("imagedigest", info.image_digest);
  object.text("imageid", info.image_id);
  object.text("imagerepo", info.image_repository);
  object.text("imagetag", info.image_tag);
  object.text("ip", info.ip);
  object.boolean("is_pod_sandbox", info.is_pod_sandbox);
  object.map("labels", info.labels);
  object.text("name", info.name);
  object.text("pod_sandbox_id", info.pod_sandbox_id);
  object.map("pod_sandbox_labels", info.pod_sandbox_labels);
  object.boolean("privileged", info.privileged);
  object.number("type", to_number(info.type));
  object.close();
  root.close();
  return out;
}

ContainerInfo from_container_event(std::string_view id, uint32_t type, std::string_view name,
                                   std::string_view image) {
  ContainerInfo info;
  info.type = to_container_type(type);
  info.full_id = id;
  info.id = short_id(info.type, id);
  info.name = name;
  info.image = image;
  return info;
}

void split_image_reference(std::string_view reference, ContainerInfo& info) {
  if (const size_t at = reference.find('@'); at != std::string_view::npos) {
    info.image_digest = reference.substr(at + 1);
    reference = reference.substr(0, at);
  }
  const size_t colon = reference.rfind(':');
  const size_t slash = reference.rfind('/');
  const bool has_tag =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  if (has_tag) info.image_tag = reference.substr(colon + 1);
  const std::string_view repository = has_tag ? reference.substr(0, colon) : reference;
  if (!repository.empty()) info.image_repository = repository;
}

}  // namespace saker::k8s
