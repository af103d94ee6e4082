// saker alerts stats: how many alerts of what.
#include "cmd/alerts_options.h"

namespace saker::cmd {

namespace {
Invocation prepare() {
  auto options = std::make_shared<AlertsOptions>();
  return {.options = filter_options(*options), .run = [options] { return alerts_stats(*options); }};
}
}  // namespace

extern const Command alerts_stats_descriptor;
const Command alerts_stats_descriptor = {
    .path = "alerts stats",
    .summary = "Count stored alerts by priority, rule, source and container",
    .description = "",
    .prepare = prepare};

}  // namespace saker::cmd
