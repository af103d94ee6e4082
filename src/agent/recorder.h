// Records live events as a capture.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace saker::agent {

struct RecordOptions {
  std::string path;
  std::string filter;             // only events that satisfy this condition
  uint64_t duration_seconds = 0;  // 0: until the command ends or a signal comes
  uint32_t snaplen = 80;
  std::vector<std::string> command;  // record it and its descendants only
};

struct RecordSummary {
  uint64_t events = 0, skipped = 0, file_bytes = 0;
  std::map<std::string, uint64_t> lost;
  int command_exit = 0;  // of the command, when there was one
};

Status record(const RecordOptions& options, RecordSummary& summary);

}  // namespace saker::agent
