// Reads the items of one rules file into the collector, checking keys and values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/collector.h"

namespace saker::rules {

// A plugin that some file asks for, or one of several.
struct PluginRequirement {
  FilePlace place;
  std::vector<std::string> names;  // any of these will do
  std::string text;                // "cloudtrail (>= 0.1.0)"
};

// Whether one of the plugins is a part of Saker; those count as present in whatever version.
bool is_satisfied(const PluginRequirement& requirement);

// What a file says besides lists, macros and rules.
struct Requirements {
  std::string engine_version;
  std::vector<PluginRequirement> plugins;
};

// Reads file number `file`. A failure has been reported; what stood before it is collected.
Status read_rules(uint32_t file, Reporter& reporter, Collector& collector,
                  Requirements& requirements);

}  // namespace saker::rules
