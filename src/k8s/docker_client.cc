#include "k8s/docker_client.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/fd.h"
#include "base/strings.h"
#include "base/time.h"
#include "k8s/container_json.h"
#include "k8s/runtime_spec.h"
#include "k8s/unix_socket.h"

namespace saker::k8s {
namespace {

using formats::JsonNode;
using Clock = std::chrono::steady_clock;

constexpr size_t kMaxAnswer = 16U << 20U;

// What an API of docker gives is told by the part after the algorithm: "sha256:<id>".
std::string image_id_of(std::string_view text) {
  return std::string(text.starts_with("sha256:") ? text.substr(text.find(':') + 1) : text);
}

Mount mount_of(const JsonNode& node) {
  return {.source = node.text_of("Source"),
          .destination = node.text_of("Destination"),
          .mode = node.text_of("Mode"),
          .propagation = node.text_of("Propagation"),
          .read_write = node.bool_of("RW")};
}

// "Config", in the API as in the files.
void apply_config(const JsonNode& config, ContainerInfo& info) {
  info.image = config.text_of("Image");
  split_image_reference(info.image, info);
  info.labels = text_members(config.find("Labels"));
  info.user = config.text_of("User");
  if (const JsonNode* env = config.find("Env")) {
    for (const JsonNode& item : env->items) {
      if (item.is_text()) info.env.push_back(item.text);
    }
  }
}

void apply_host_config(const JsonNode& config, ContainerInfo& info) {
  info.privileged = config.bool_of("Privileged");
  info.host_network = config.text_of("NetworkMode") == "host";
  info.host_pid = config.text_of("PidMode") == "host";
  info.host_ipc = config.text_of("IpcMode") == "host";
}

void apply_network(const JsonNode& network, ContainerInfo& info) {
  info.ip = network.text_of("IPAddress");
  const JsonNode* networks = network.find("Networks");
  if (!info.ip.empty() || !networks) return;
  for (const auto& [name, item] : networks->members) {
    if (info.ip.empty()) info.ip = item.text_of("IPAddress");
  }
}

Result<ContainerInfo> named(std::string id, std::string_view name, ContainerType type) {
  if (id.empty()) return Error{Code::corrupt, "docker's container has no id"};
  ContainerInfo info;
  info.type = type;
  info.full_id = std::move(id);
  info.id = short_id(type, info.full_id);
  info.name = name.starts_with('/') ? name.substr(1) : name;
  info.is_pod_sandbox = info.name.starts_with("k8s_POD_");
  return info;
}

// The body of a whole HTTP/1.0 answer; an error by its status.
Result<std::string_view> body_of(std::string_view answer, std::string_view path) {
  const size_t end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || answer.size() < 12 || end == std::string_view::npos) {
    return Error{Code::corrupt, "no HTTP answer"};
  }
  const auto status = parse_uint(answer.substr(9, 3)).value_or(0);
  if (status == 200) return answer.substr(end + 4);
  const Code code = status == 404                    ? Code::not_found
                    : status == 401 || status == 403 ? Code::denied
                                                     : Code::busy;
  return Error{code, fmt::format("GET {}: HTTP status {}", path, status)};
}

}  // namespace

DockerClient::DockerClient(std::string socket_path, ContainerType type,
                           std::chrono::milliseconds timeout)
    : socket_path_(std::move(socket_path)), type_(type), timeout_(timeout) {}

// By HTTP/1.0: one connection, one answer in one piece, then the end.
Result<JsonNode> DockerClient::get(std::string_view path) {
  const Clock::time_point deadline = Clock::now() + timeout_;
  const UniqueFd fd = SAKER_TRY(connect_unix(socket_path_));
  const std::string request = fmt::format("GET {} HTTP/1.0\r\nHost: docker\r\n\r\n", path);
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Error{Code::io, fmt::format("{}: request not taken", socket_path_)};
  }
  std::string answer;
  std::array<char, 16384> buffer;
  while (true) {
    SAKER_CHECK(wait_readable(fd.get(), deadline));
    const ssize_t count = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (count == 0) break;
    if (count < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      return Error{Code::io, fmt::format("{}: connection broke", socket_path_)};
    }
    answer.append(buffer.data(), static_cast<size_t>(count));
    if (answer.size() > kMaxAnswer) return Error{Code::unsupported, "answer is too large"};
  }
  return formats::parse_json(SAKER_TRY(body_of(answer, path)));
}

Result<ContainerInfo> DockerClient::look_up(std::string_view full_id) {
  // The id becomes part of a path.
  if (full_id.empty() || full_id.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return Error{Code::not_found, "no id of a docker container"};
  }
  const JsonNode container = SAKER_TRY(get(fmt::format("/containers/{}/json", full_id)));
  ContainerInfo info = SAKER_TRY(from_docker_container(container, type_));
  if (info.full_id != full_id) return Error{Code::not_found, "another container's id"};
  if (info.image_id.find_first_not_of("0123456789abcdef") == std::string::npos) {
    auto image = get(fmt::format("/images/{}/json", info.image_id));
    if (image.ok()) apply_docker_image(*image, info);
  }
  return info;
}

Result<ContainerInfo> from_docker_container(const JsonNode& container, ContainerType type) {
  ContainerInfo info = SAKER_TRY(named(container.text_of("Id"), container.text_of("Name"), type));
  info.image_id = image_id_of(container.text_of("Image"));
  info.created_time = parse_rfc3339(container.text_of("Created"));
  if (const JsonNode* config = container.find("Config")) apply_config(*config, info);
  if (const JsonNode* config = container.find("HostConfig")) apply_host_config(*config, info);
  if (const JsonNode* network = container.find("NetworkSettings")) apply_network(*network, info);
  if (const JsonNode* mounts = container.find("Mounts")) {
    for (const JsonNode& item : mounts->items) info.mounts.push_back(mount_of(item));
  }
  return info;
}

void apply_docker_image(const JsonNode& image, ContainerInfo& info) {
  const JsonNode* digests = image.find("RepoDigests");
  if (digests && info.image_digest.empty()) {
    // That of the repository by which the container was asked for, else any.
    for (const bool any : {false, true}) {
      for (const JsonNode& item : digests->items) {
        ContainerInfo part;
        split_image_reference(item.text, part);
        const bool fits = any || part.image_repository == info.image_repository;
        if (info.image_digest.empty() && fits) info.image_digest = part.image_digest;
      }
    }
  }
  // A container made from a bare id: the image's own first name.
  const bool is_bare = info.image.empty() || info.image.starts_with("sha256:") ||
                       info.image_id.starts_with(info.image);
  const JsonNode* tags = image.find("RepoTags");
  if (is_bare && tags && !tags->items.empty() && tags->items[0].is_text()) {
    split_image_reference(tags->items[0].text, info);
  }
}

Result<ContainerInfo> from_docker_files(const JsonNode& config, const JsonNode& host_config) {
  ContainerInfo info =
      SAKER_TRY(named(config.text_of("ID"), config.text_of("Name"), ContainerType::docker));
  info.image_id = image_id_of(config.text_of("Image"));
  info.created_time = parse_rfc3339(config.text_of("Created"));
  if (const JsonNode* inner = config.find("Config")) apply_config(*inner, info);
  if (const JsonNode* network = config.find("NetworkSettings")) apply_network(*network, info);
  if (const JsonNode* mounts = config.find("MountPoints")) {
    for (const auto& [destination, item] : mounts->members) {
      info.mounts.push_back(mount_of(item));
      info.mounts.back().mode = item.text_of("Relabel");
    }
  }
  apply_host_config(host_config, info);
  return info;
}

int64_t parse_rfc3339(std::string_view text) {
  return static_cast<int64_t>(saker::parse_rfc3339(text).value_or(0));
}

}  // namespace saker::k8s
