// Runs data-driven cases. The same runner serves Saker's own suite and `saker rules test`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace saker::cases {

struct RunOptions {
  std::vector<std::string> paths;  // .test files and folders (searched for .test files)
  std::string only;                // run cases whose name contains this
  std::vector<std::string>
      rules;            // rule files that every case starts with, unless it names its own
  std::string saker;    // the binary that `run` steps start; empty: this one
  std::string shared;   // the folder that @shared/ in paths stands for
  bool update = false;  // rewrite golden files
  bool list = false;    // print names only
  bool verbose = false;
};

struct RunSummary {
  uint32_t passed = 0, failed = 0, skipped = 0;
};

// Prints failures (file:line, expected, actual), skipped cases with their reason, and the closing
// line "N passed, N failed, N skipped". An Error only when nothing could be run at all.
Result<RunSummary> run_cases(const RunOptions& options);

}  // namespace saker::cases
