// Starting the program under test: no shell, output captured, a bound on time.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace saker::cases {

struct ProcessResult {
  int exit_code = 0;  // 128 + signal when it was killed
  std::string output;
  std::string errors;
};

// `input` is its standard input. An error when it runs longer than a minute or can't be started.
Result<ProcessResult> run_process(const std::vector<std::string>& arguments,
                                  const std::string& input);

Result<std::string> make_scratch_folder();

}  // namespace saker::cases
