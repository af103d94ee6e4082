// saker rules check: are these rule files right?
#include <memory>

#include "cmd/command.h"
#include "cmd/rules.h"

namespace saker::cmd {

namespace {
struct Arguments {
  std::vector<std::string> paths;
  bool json = false;
};

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options = {{.names = "--json",
                       .help = "The report as JSON, in the shape of falco --validate",
                       .flag = &arguments->json}},
          .positional = {.name = "FILE",
                         .help = "Rule files and folders; none: Saker's own rules",
                         .values = &arguments->paths},
          .run = [arguments] { return rules_check(arguments->paths, arguments->json); }};
}
}  // namespace

extern const Command rules_check_descriptor;
const Command rules_check_descriptor = {
    .path = "rules check",
    .summary = "Check rule files; says what is wrong and where",
    .description =
        "Loads rule files in order, as `saker run` would, and reports errors and warnings with "
        "file, line and\n"
        "column. Exit code 1 when a file has an error.",
    .prepare = prepare,
};

}  // namespace saker::cmd
