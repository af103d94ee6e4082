// A log and the files that it was rotated into, in the order in which they were written.
//
// Rotated names that are known: NAME-2006-01-02T15-04-05.000.EXT (kube-apiserver; UTC, the time of
// the rotation), NAME.EXT.1 and NAME.EXT-20060102 (logrotate); each also with .gz or .zst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::capture {

struct RotatedName {
  std::string live;      // the name before rotation, without folder
  uint64_t time_ns = 0;  // of the rotation, when the name says it
  bool compressed = false;
};
// Nothing when the name, without folder, is of no rotated file.
std::optional<RotatedName> parse_rotated_name(std::string_view name);

struct RotatedLog {
  std::string path;
  uint64_t time_ns = 0;  // of the rotation; of the last write, when the name does not say it
  bool compressed = false;
};
// What a log was rotated into, oldest first. A file that is being compressed is there once.
std::vector<RotatedLog> rotated_logs(const std::string& live_path);

// The files that paths mean to somebody who wants to read it all: those of a folder with audit
// logs, set by set, each in its order; else the path itself.
Result<std::vector<std::string>> expand_logs(const std::vector<std::string>& paths);

}  // namespace saker::capture
