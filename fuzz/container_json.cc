// Any bytes as a capture's container metadata: what is read can be written and read again as the
// same.
// parser: src/k8s/container_json.cc
#include "k8s/container_json.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace saker;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  k8s::ContainerInfo parts;
  k8s::split_image_reference(text, parts);
  if (parts.image_repository.size() + parts.image_tag.size() + parts.image_digest.size() > size)
    std::abort();
  const std::string_view word = text.substr(0, text.find(' '));
  k8s::from_container_event(word, static_cast<uint32_t>(size), word, text);
  const Result<k8s::ContainerInfo> info = k8s::parse_container_json(text);
  if (!info.ok()) return info.error().message.empty() ? std::abort(), 0 : 0;
  const std::string written = k8s::to_container_json(*info);
  const Result<k8s::ContainerInfo> again = k8s::parse_container_json(written);
  if (!again.ok() || k8s::to_container_json(*again) != written) std::abort();
  return 0;
}
