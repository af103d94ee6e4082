// Users and groups of a root folder, from its etc/passwd and etc/group.
#pragma once

#include <string>

#include "event/snapshot.h"

namespace saker::procfs {

// Sends each entry to the sink; missing files are no error, broken lines are skipped.
void send_users(const std::string& root, event::SnapshotSink& sink);

}  // namespace saker::procfs
