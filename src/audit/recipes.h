// How auditing is switched on where there is no manifest to edit: the right file, or the commands,
// by platform. Each recipe is a file as it stands (YAML or a shell script), explained by comments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::audit {

struct RecipeValues {
  std::string policy = "policy.yaml";  // the user's file
  std::string log_path;                // empty: as is usual there
  uint64_t max_age = 30, max_backups = 10, max_size = 100;
};

std::vector<std::string> recipe_platforms();
Result<std::string> recipe_for(std::string_view platform, const RecipeValues& values);

}  // namespace saker::audit
