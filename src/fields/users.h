// Names of users and groups as threads and parameters show them.
#pragma once

#include <string_view>

#include "state/thread.h"

namespace saker::fields {

// The container whose user table counts for a thread; empty on the host.
inline std::string_view container_of(const state::Thread& thread) {
  return thread.cgroups ? std::string_view(thread.cgroups->container_id) : std::string_view();
}

}  // namespace saker::fields
