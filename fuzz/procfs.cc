// A made-up /proc of two threads and some fds, every text of it any bytes, and the files of users.
// parser: src/procfs/threads.cc src/procfs/open_files.cc src/procfs/users.cc
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "parts.h"
#include "procfs/threads.h"
#include "procfs/users.h"
#include "reading_sink.h"
#include "scratch_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace saker;
  static const fuzz::ScratchFolder folder;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto parts = fuzz::parts_of(input, 13);
  // Thread 12 of process 11 has the texts of its main thread.
  for (const char* thread : {"11/", "11/task/11/", "11/task/12/", "12/"}) {
    const std::string base = std::string("proc/") + thread;
    folder.put(base + "status", parts[0]);
    folder.put(base + "stat", parts[1]);
    folder.put(base + "comm", parts[2]);
    folder.put(base + "cmdline", parts[3]);
    folder.put(base + "environ", parts[2]);
    folder.put(base + "cgroup", parts[4]);
    folder.put(base + "limits", parts[5]);
    folder.put(base + "loginuid", parts[6]);
    folder.link(base + "exe", parts[7]);
  }
  std::string_view targets = parts[8];  // a target a line
  for (int fd = 0; fd < 8; ++fd) {
    const std::string_view target = targets.substr(0, targets.find('\n'));
    targets.remove_prefix(std::min(target.size() + 1, targets.size()));
    folder.link("proc/11/fd/" + std::to_string(fd), target);
    folder.put("proc/11/fdinfo/" + std::to_string(fd), parts[5]);
  }
  for (const char* table : {"tcp", "udp6"})
    folder.put(std::string("proc/11/net/") + table, parts[9]);
  folder.put("proc/11/net/unix", parts[10]);
  folder.put("etc/passwd", parts[11]);
  folder.put("etc/group", parts[12]);
  fuzz::ReadingSink sink;
  const std::string proc = folder.path() + "/proc";
  procfs::look_up_thread(proc, 12, sink);
  (void)procfs::send_all_threads(proc, sink);
  procfs::send_users(folder.path(), sink);
  return sink.sum == 1 ? 1 : 0;
}
