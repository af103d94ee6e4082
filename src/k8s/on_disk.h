// What the runtimes leave on disk of a running container, for when no socket answers: the runtime
// is down, hangs, or Saker may not speak to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "k8s/container.h"

namespace saker::k8s {

// containerd's bundle: ROOT/<namespace>/<id>/config.json, there while the container runs. In
// whichever namespace has it when `name_space` is empty.
Result<ContainerInfo> look_up_bundle(const std::string& root, std::string_view name_space,
                                     std::string_view full_id);

// The bundle by way of the container's processes, wherever the runtime keeps it: a shim of
// containerd is an ancestor of all of them and has the bundle as its working directory. `proc` is
// "/proc".
Result<ContainerInfo> look_up_bundle_of_process(const std::string& proc, int64_t pid,
                                                std::string_view full_id);

// The store that podman and CRI-O share: ROOT/overlay-containers/containers.json and the
// container's userdata/config.json; names and digests of images from
// ROOT/overlay-images/images.json.
Result<ContainerInfo> look_up_storage(const std::string& root, std::string_view full_id,
                                      ContainerType type);

// docker's files: ROOT/containers/<id>/{config.v2,hostconfig}.json.
Result<ContainerInfo> look_up_docker_files(const std::string& root, std::string_view full_id);

}  // namespace saker::k8s
