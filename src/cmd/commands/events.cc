// saker events: the event types and their parameters.
#include <memory>

#include "cmd/command.h"
#include "cmd/rules.h"

namespace saker::cmd {

namespace {
struct Arguments {
  bool json = false, markdown = false;
};

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options = {{.names = "--json", .help = "JSON", .flag = &arguments->json},
                      {.names = "--markdown",
                       .help = "A markdown table",
                       .flag = &arguments->markdown}},
          .run = [arguments] { return events_list(arguments->json, arguments->markdown); }};
}
}  // namespace

extern const Command events_descriptor;
const Command events_descriptor = {.path = "events",
                                   .summary = "List the event types and their parameters",
                                   .description = "",
                                   .prepare = prepare};

}  // namespace saker::cmd
