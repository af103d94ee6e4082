// The options that the alerts commands share.
#pragma once

#include <memory>
#include <vector>

#include "cmd/alerts.h"
#include "cmd/command.h"

namespace saker::cmd {

inline std::vector<Option> filter_options(AlertsOptions& options) {
  return {
      {.names = "--since",
       .value_name = "TIME",
       .help = "From this time on: 90s, 1h, 2d ago, or RFC 3339",
       .text = &options.since},
      {.names = "--until",
       .value_name = "TIME",
       .help = "Before this time",
       .text = &options.until},
      {.names = "--rule",
       .value_name = "GLOB",
       .help = "Only alerts of these rules",
       .text = &options.rule},
      {.names = "--priority",
       .value_name = "LEVEL",
       .help = "At least this severe",
       .text = &options.priority},
      {.names = "--source",
       .value_name = "SOURCE",
       .help = "Of this event source",
       .text = &options.source},
      {.names = "--container",
       .value_name = "ID",
       .help = "Of the container whose id starts so",
       .text = &options.container},
      {.names = "--tag", .value_name = "GLOB", .help = "With such a tag", .text = &options.tag},
      {.names = "--data-dir",
       .value_name = "DIR",
       .help = "Where the alerts are kept ($SAKER_DATA_DIR, /var/lib/saker)",
       .text = &options.data_dir},
      {.names = "--json", .help = "JSON", .flag = &options.json},
  };
}

}  // namespace saker::cmd
