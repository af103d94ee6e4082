// saker rules list: the rules of files as a table.
#include <memory>

#include "cmd/command.h"
#include "cmd/rules.h"

namespace saker::cmd {

namespace {
struct Arguments {
  std::vector<std::string> paths;
  RuleListOptions options;
};

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  RuleListOptions& options = arguments->options;
  return {.options = {{.names = "--tag",
                       .value_name = "TAG",
                       .help = "Only rules with this tag",
                       .text = &options.tag},
                      {.names = "--source",
                       .value_name = "SOURCE",
                       .help = "Only rules of this event source",
                       .text = &options.source},
                      {.names = "--priority",
                       .value_name = "LEVEL",
                       .help = "Only rules at least this severe",
                       .text = &options.priority},
                      {.names = "--json", .help = "JSON", .flag = &options.json}},
          .positional = {.name = "FILE",
                         .help = "Rule files and folders; none: Saker's own rules",
                         .values = &arguments->paths},
          .run = [arguments] { return rules_list(arguments->paths, arguments->options); }};
}
}  // namespace

extern const Command rules_list_descriptor;
const Command rules_list_descriptor = {.path = "rules list",
                                       .summary = "List the rules of files",
                                       .description = "",
                                       .prepare = prepare};

}  // namespace saker::cmd
