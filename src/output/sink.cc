#include "output/sink.h"

#include "base/assert.h"
#include "base/strings.h"
#include "base/units.h"

namespace saker::output {

std::string_view SinkSettings::text(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::string_view() : std::string_view(found->second);
}

uint64_t SinkSettings::number(std::string_view name) const {
  return parse_uint(text(name)).value_or(0);
}

std::span<const std::string> SinkSettings::list(std::string_view name) const {
  const auto found = lists.find(name);
  if (found == lists.end()) return {};
  return found->second;
}

const SinkInfo* find_sink(std::string_view name) {
  for (const SinkInfo* info : all_sinks())
    if (info->name == name) return info;
  return nullptr;
}

SinkSettings default_settings(const SinkInfo& info) {
  SinkSettings settings;
  for (const SinkOption& option : info.options) {
    if (option.kind == OptionKind::list) {
      settings.lists.emplace(option.name, std::vector<std::string>());
    } else if (option.kind == OptionKind::duration) {
      const auto duration = parse_duration(option.default_value);
      SAKER_ASSERT(duration.has_value());
      settings.values.emplace(option.name, std::to_string(duration->count()));
    } else {
      settings.values.emplace(option.name, option.default_value);
    }
  }
  return settings;
}

}  // namespace saker::output
