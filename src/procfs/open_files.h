// The open files of a process as /proc shows them, sockets with their addresses.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "event/snapshot.h"

namespace saker::procfs {

// Sockets by inode number, read from net/tcp and its like once a network namespace.
class SocketTable {
 public:
  // The socket as an FdEntry without owner; null when no table names it.
  const event::FdEntry* find(const std::string& process_folder, uint64_t inode);

 private:
  void read_namespace(const std::string& process_folder);
  void read_inet(const std::string& path, event::L4Proto l4, bool is_ipv6);
  void read_unix(const std::string& path);

  std::unordered_set<std::string> seen_;  // namespaces
  std::unordered_map<uint64_t, event::FdEntry> sockets_;
  std::unordered_map<uint64_t, std::string> unix_paths_;
};

void send_open_files(const std::string& proc, int64_t pid, SocketTable& sockets,
                     event::SnapshotSink& sink);

}  // namespace saker::procfs
