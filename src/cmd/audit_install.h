// Carrying out what `audit install` and `audit uninstall` have planned: show it, ask, write, watch
// the server come back, and put everything back when it does not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/audit_host.h"
#include "cmd/command.h"

namespace saker::cmd {

// Files of one node, all with the node's root in front.
struct HostEdit {
  struct File {
    std::string path;
    std::optional<std::string> before, after;  // nothing: not there
    std::string what;                          // "the policy"
    bool secret = false;                       // its text is not shown
  };
  std::string manifest, manifest_before, manifest_after;
  std::vector<File> files;
  std::vector<std::string> folders;  // to make, the topmost first, or to remove when empty
  std::string log_folder;            // of those the one that the server writes into
  bool removes_folders = false;
  std::optional<uint32_t> user, group;  // of new files: whom the server runs as
  bool files_first = true;  // the server needs them when it starts; else they go when it has left

  [[nodiscard]] bool empty() const { return manifest_before == manifest_after && files.empty(); }
  [[nodiscard]] HostEdit reversed() const;
};

// The manifest's difference, then the other files': with the difference where text is replaced.
std::string describe(const HostEdit& edit);

// Options that both commands have.
struct HostOptions {
  std::string root, manifest, backup;
  uint64_t wait = 240;
  bool yes = false, dry_run = false;

  // Paths as the record has them: the same from every working folder.
  void settle();
  [[nodiscard]] std::string manifest_path() const;
  [[nodiscard]] std::string backup_path() const;  // of this manifest's copies
};
void add_host_options(HostOptions& options, std::vector<Option>& out);

// True: go on. False on a terminal: the answer was no. An error when there is no terminal to ask.
Result<bool> confirmed(const HostOptions& options, std::string_view question);

// Writes. After a failure, and when the server does not come back, everything is put back as it was
// before, and `applied` is false; a server that nobody started anew is an error that leaves it.
struct EditOutcome {
  Status status;
  bool applied = true;
  bool restarted = false;  // the server went and came back
};
EditOutcome carry_out(const HostEdit& edit, HealthWatch& watch);

}  // namespace saker::cmd
