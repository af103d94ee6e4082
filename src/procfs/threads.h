// Threads and their open files as /proc shows them. The folder is a parameter, so that tests use a
// tree of their own.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "event/snapshot.h"

namespace saker::procfs {

// Sends the thread, its main thread before it, and the main thread's fds. False when it is gone.
bool look_up_thread(const std::string& proc, int64_t tid, event::SnapshotSink& sink);

// Every thread of every process, then the fds of each process. Kernel threads are left out.
Status send_all_threads(const std::string& proc, event::SnapshotSink& sink);

}  // namespace saker::procfs
