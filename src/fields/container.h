// The container that an event belongs to, for the fields of containers and pods.
#pragma once

#include <map>
#include <string>

#include "base/text_builder.h"
#include "fields/extract.h"
#include "fields/users.h"

namespace saker::fields {

// What the runtime said of the container that the event is about, or else of the thread's; null on
// the host and when nobody knows.
inline const k8s::ContainerInfo* container_info(const EvalContext& context) {
  if (context.event != nullptr && context.state != nullptr &&
      context.state->applied().container != nullptr)
    return context.state->applied().container;
  if (context.thread == nullptr || context.state == nullptr || !context.thread->in_container())
    return nullptr;
  return context.state->container(context.thread->cgroups->container_id);
}

inline bool on_host(const EvalContext& context) {
  return context.thread != nullptr && !context.thread->in_container();
}

using Labels = std::map<std::string, std::string>;

// "key:value, key2:value2", without those that the runtime keeps for itself.
bool give_labels(const EvalContext& context, const Labels& labels, Values& out);
bool give_label(const Labels& labels, const std::string& key, Values& out);

}  // namespace saker::fields
