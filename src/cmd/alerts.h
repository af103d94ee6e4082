// saker alerts: what the store holds, for people and for programs.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace saker::cmd {

struct AlertsOptions {
  std::string data_dir;  // empty: $SAKER_DATA_DIR, or /var/lib/saker
  std::string since, until, rule, priority, source, container, tag;  // empty: any
  uint64_t limit = 0;                                                // the newest so many; 0: all
  bool json = false;
  bool iso_time = false;
  bool follow = false;  // list: go on with what comes, until SIGINT, SIGTERM or a closed pipe
  uint64_t id = 0;      // show: which one
};

// Each prints to standard output and gives the exit code.
//   list   a line an alert, oldest first; JSON lines with "id" in front
//   show   one alert with all its fields; exit code 1 when there is none of that id
//   stats  how many, of which priorities, rules, sources and containers
Result<int> alerts_list(const AlertsOptions& options);
Result<int> alerts_show(const AlertsOptions& options);
Result<int> alerts_stats(const AlertsOptions& options);

}  // namespace saker::cmd
