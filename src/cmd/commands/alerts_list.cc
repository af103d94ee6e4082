// saker alerts list: stored alerts.
#include "cmd/alerts_options.h"

namespace saker::cmd {

namespace {
Invocation prepare() {
  auto options = std::make_shared<AlertsOptions>();
  Invocation invocation{.options = filter_options(*options),
                        .run = [options] { return alerts_list(*options); }};
  invocation.options.push_back({.names = "-n,--limit",
                                .value_name = "N",
                                .help = "The newest so many",
                                .number = &options->limit});
  invocation.options.push_back(
      {.names = "-f,--follow", .help = "Go on with what comes", .flag = &options->follow});
  invocation.options.push_back(
      {.names = "--iso-time", .help = "ISO 8601 times in UTC", .flag = &options->iso_time});
  return invocation;
}
}  // namespace

extern const Command alerts_list_descriptor;
const Command alerts_list_descriptor = {.path = "alerts list",
                                        .summary = "List stored alerts",
                                        .description =
                                            "Stored alerts, oldest first.\n\n"
                                            "  saker alerts list --since 1h --json\n"
                                            "  saker alerts list --rule 'Shell*' --follow",
                                        .prepare = prepare};

}  // namespace saker::cmd
