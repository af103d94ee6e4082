// The configuration with nothing set, and its documentation, both from the table of keys.
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "agent/config_keys.h"
#include "base/strings.h"

namespace saker::agent {

static constexpr const char* kDefaultFile = "/etc/saker/saker.yaml";

finding::JsonOptions Config::json_options() const {
  return {.include_output = json_include_output_property,
          .include_message = json_include_message_property,
          .include_fields = json_include_output_fields_property,
          .include_tags = json_include_tags_property,
          .iso_time = time_format_iso_8601};
}

SinkConfig* Config::sink(std::string_view name) {
  for (SinkConfig& sink : outputs)
    if (sink.info->name == name) return &sink;
  return nullptr;
}

const SinkConfig* Config::sink(std::string_view name) const {
  return const_cast<Config*>(this)->sink(name);
}

Config default_config() {
  Config config;
  for (const output::SinkInfo* info : output::all_sinks())
    config.outputs.push_back(
        {.info = info, .enabled = info->enabled, .settings = output::default_settings(*info)});
  return config;
}

std::vector<std::string> default_config_files() {
  struct stat info{};
  if (::stat(kDefaultFile, &info) != 0) return {};
  return {kDefaultFile};
}

std::vector<ConfigKey> config_keys() {
  static constexpr std::string_view kTypes[] = {
      "text", "boolean", "number", "size", "duration", "choice", "priority", "list", "structure"};
  const Config defaults = default_config();
  std::vector<ConfigKey> keys;
  for (const KeyRow& row : key_rows()) {
    keys.push_back({.path = row.path,
                    .type = row.kind == KeyKind::choice
                                ? row.choices
                                : std::string(kTypes[static_cast<size_t>(row.kind)]),
                    .default_value = render_value(defaults, row),
                    .summary = row.summary});
  }
  return keys;
}

static bool needs_restart(std::string_view path) {
  if (path == "containers.metadata_wait") return false;
  constexpr std::string_view kPrefixes[] = {"data_dir",    "drop_privileges", "store.",
                                            "server.",     "live.",           "audit.",
                                            "containers.", "static_fields"};
  return std::ranges::any_of(kPrefixes,
                             [&](std::string_view prefix) { return path.starts_with(prefix); });
}

std::vector<std::string> keys_for_restart(const Config& running, const Config& changed) {
  std::vector<std::string> keys;
  for (const KeyRow& row : key_rows())
    if (needs_restart(row.path) && render_value(running, row) != render_value(changed, row))
      keys.push_back(row.path);
  if (running.static_fields != changed.static_fields) keys.emplace_back("static_fields");
  return keys;
}

std::string explain_config() {
  std::string out = "# Every key of saker.yaml with its default.\n";
  std::vector<std::string_view> open;
  const std::vector<ConfigKey> keys = config_keys();
  for (const ConfigKey& key : keys) {
    const std::vector<std::string_view> parts = split(key.path, '.');
    size_t common = 0;
    while (common < open.size() && common + 1 < parts.size() && open[common] == parts[common])
      ++common;
    open.resize(common);
    for (; open.size() + 1 < parts.size(); open.push_back(parts[open.size()]))
      out += fmt::format("{:{}}{}:\n", "", open.size() * 2, parts[open.size()]);
    const std::string indent(open.size() * 2, ' ');
    out += fmt::format("{}# {} ({})\n{}{}: {}\n", indent, key.summary, key.type, indent,
                       parts.back(), key.default_value);
  }
  return out;
}

}  // namespace saker::agent
