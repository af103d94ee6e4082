// Connecting to a runtime's unix socket, and waiting on it with a deadline.
#pragma once

#include <chrono>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace saker::k8s {

// Non-blocking. `busy` when the server's backlog is full, `denied` without the right, else `io`.
Result<UniqueFd> connect_unix(const std::string& path);

// Ok when there is something to read (or the end), `busy` at the deadline.
Status wait_readable(int fd, std::chrono::steady_clock::time_point deadline);

}  // namespace saker::k8s
