// See group.h.
#include "cmd/group.h"

#include <algorithm>

#include "cmd/command.h"
#include "cmd/listing.h"

namespace saker::cmd {

static bool is_below(const Command* command, std::string_view path) {
  return command->path.starts_with(path) && command->path.size() > path.size() &&
         command->path[path.size()] == ' ' && !is_group(command->path);
}

Result<int> print_group(std::string_view path, std::string_view guide) {
  Table table({"COMMAND", "WHAT IT DOES"});
  for (const Command* command : all_commands())
    if (is_below(command, path))
      table.add({"saker " + std::string(command->path), std::string(command->summary)});
  print(table.to_text() + "\n" + std::string(guide) + "\n");
  return kExitOk;
}

bool is_group(std::string_view path) {
  return std::ranges::any_of(all_commands(), [&](const Command* command) {
    return command->path.starts_with(std::string(path) + " ");
  });
}

}  // namespace saker::cmd
