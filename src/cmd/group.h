// Words that only group commands, as `saker audit policy`: what is below them, and where to begin.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace saker::cmd {

// The table of the commands below `path`, then the guide, on stdout.
Result<int> print_group(std::string_view path, std::string_view guide);

// Whether commands stand below the path.
bool is_group(std::string_view path);

}  // namespace saker::cmd
