// Container metadata in the JSON form that captures carry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "k8s/container.h"

namespace saker::k8s {

// {"container": {"id": ..., "full_id": ..., "type": 0, ...}}. What is missing or null is empty;
// without an id it is an error.
Result<ContainerInfo> parse_container_json(std::string_view json);

// The inverse, in the shape that today's Falco reads from a container event.
std::string to_container_json(const ContainerInfo& info);

// The oldest form of a container event: four parameters instead of JSON.
ContainerInfo from_container_event(std::string_view id, uint32_t type, std::string_view name,
                                   std::string_view image);

// The type that a capture's number stands for.
ContainerType to_container_type(int64_t number);

// "repository[:tag][@digest]" into the three parts of `info`; only those that the reference has are
// set. A port in the registry's name is no tag.
void split_image_reference(std::string_view reference, ContainerInfo& info);

}  // namespace saker::k8s
