// The table of who touched which secrets and config maps, as people and programs read it.
#pragma once

#include <string>
#include <vector>

#include "audit/access_table.h"
#include "cmd/audit_shown.h"
#include "cmd/listing.h"

namespace saker::cmd {

// A row as it is shown: of one actor, or of all nodes, all accounts of kube-system, all parts of
// the control plane together, whose daily work it is.
struct AccessLine {
  std::string actor, resource;
  uint64_t reads = 0, lists = 0, writes = 0, refused = 0;
  std::string namespaces, objects;
};

// The first `most` lines, and how many rows are not in them. Texts are as in the log.
struct AccessLines {
  std::vector<AccessLine> lines;
  size_t left_out = 0;
};
AccessLines access_lines(const std::vector<audit::ObjectAccess>& accesses, size_t most);

// For a screen or markdown, with its heading; empty when there is no access.
std::string access_report(const std::vector<audit::ObjectAccess>& accesses, Medium medium);

// The rows, unfolded: an array.
void append_accesses(const std::vector<audit::ObjectAccess>& accesses, JsonWriter& json);

}  // namespace saker::cmd
