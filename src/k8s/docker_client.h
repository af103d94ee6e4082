// What docker tells of a container by its HTTP API over a unix socket; podman's service speaks it
// too.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/json.h"
#include "k8s/container.h"

namespace saker::k8s {

class DockerClient {
 public:
  // `type` is docker or podman: the answers don't say.
  DockerClient(std::string socket_path, ContainerType type, std::chrono::milliseconds timeout);

  Result<ContainerInfo> look_up(std::string_view full_id);

 private:
  Result<formats::JsonNode> get(std::string_view path);

  std::string socket_path_;
  ContainerType type_;
  std::chrono::milliseconds timeout_;
};

// From the answer to GET /containers/<id>/json.
Result<ContainerInfo> from_docker_container(const formats::JsonNode& container, ContainerType type);

// Adds what the answer to GET /images/<id>/json tells.
void apply_docker_image(const formats::JsonNode& image, ContainerInfo& info);

// From docker's own files of a container: config.v2.json and hostconfig.json.
Result<ContainerInfo> from_docker_files(const formats::JsonNode& config,
                                        const formats::JsonNode& host_config);

// "2024-05-06T07:08:09.123456789+02:00" as nanoseconds since the epoch, 0 when it is no such time.
int64_t parse_rfc3339(std::string_view text);

}  // namespace saker::k8s
