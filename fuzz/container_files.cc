// What runtimes leave on disk, every file of it any bytes: bundles, the store of podman and CRI-O,
// docker's files.
// parser: src/k8s/on_disk.cc src/k8s/runtime_spec.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "k8s/container_json.h"
#include "k8s/on_disk.h"
#include "parts.h"
#include "scratch_folder.h"

namespace {

using namespace saker;

void check(const Result<k8s::ContainerInfo>& info) {
  const bool sound =
      info.ok() ? !k8s::to_container_json(*info).empty() : !info.error().message.empty();
  if (!sound) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFolder folder;
  const auto parts = fuzz::parts_of({reinterpret_cast<const char*>(data), size}, 6);
  const std::string& root = folder.path();
  folder.put("bundles/n/ab/config.json", parts[0]);
  folder.put("overlay-containers/ab/userdata/config.json", parts[0]);
  folder.put("overlay-containers/containers.json", parts[1]);
  folder.put("overlay-images/images.json", parts[2]);
  folder.put("containers/ab/config.v2.json", parts[3]);
  folder.put("containers/ab/hostconfig.json", parts[4]);
  folder.put("proc/7/stat", parts[5]);
  folder.link("proc/1000/cwd", root + "/bundles/n/ab");
  check(k8s::look_up_bundle(root + "/bundles", "", "ab"));
  check(k8s::look_up_bundle(root + "/bundles", "n", "ab"));
  check(k8s::look_up_bundle_of_process(root + "/proc", 7, "ab"));
  check(k8s::look_up_storage(root, "ab", k8s::ContainerType::podman));
  check(k8s::look_up_docker_files(root, "ab"));
  return 0;
}
