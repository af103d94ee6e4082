// The text form of data-driven tests: cases of one file, split by lines of "----", each a list of
// steps.
//
//   # name: rules/exec_from_tmp
//   # requires: root
//   rules file rules/base.yaml
//   event execve pid=10 ppid=1 comm=sh exepath=/tmp/x args="-c id"
//   expect finding "Execution from writable folder" WARNING
//     output.contains /tmp/x
//
// A step is a line that starts in the first column; indented lines below it are its block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::cases {

struct Step {
  std::string verb;
  std::vector<std::string> words;  // after the verb; quotes removed
  std::string rest;                // the line after the verb, as written
  std::vector<std::string> block;  // indented lines, common indentation removed
  uint32_t line = 0;               // from 1
  uint32_t end_line = 0;           // last line of its block
};

struct Case {
  std::string name;  // "# name:", or file:line
  std::vector<std::string> requirements;
  std::vector<Step> steps;
  uint32_t line = 0;
};

struct CaseFile {
  std::string path;
  std::vector<Case> cases;
};

Result<CaseFile> parse_cases(std::string_view text, std::string_view path);

// Splits a line into words; "..." and '...' keep blanks together, a backslash keeps the next
// character.
std::vector<std::string> split_words(std::string_view line);

}  // namespace saker::cases
