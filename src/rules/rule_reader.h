// Reads one rule item: a definition, an append, an override or a switch of an existing rule; and
// the parts that lists and macros have in common with it.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "rules/collector.h"
#include "rules/decode.h"

namespace saker::rules {

inline constexpr const char* kAppendWithOverride =
    "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. "
    "'condition: append') under 'override' instead.";

// What an item's `override` map says.
struct Overrides {
  std::set<std::string, std::less<>> append;
  std::set<std::string, std::less<>> replace;

  [[nodiscard]] bool empty() const { return append.empty() && replace.empty(); }
};

void warn_unknown_keys(const formats::YamlNode& item, std::span<const std::string_view> known,
                       const Trail& trail, const Decoder& decode, Reporter& reporter);
Result<bool> read_append_flag(const formats::YamlNode& item, const Trail& trail, Decoder& decode,
                              Reporter& reporter);
Result<Overrides> read_overrides(const formats::YamlNode& item,
                                 std::span<const std::string_view> appendable,
                                 std::span<const std::string_view> replaceable, const Trail& trail,
                                 const Decoder& decode, Reporter& reporter);

Status read_rule(const formats::YamlNode& item, const Trail& parent, Decoder& decode,
                 Reporter& reporter, Collector& collector);

}  // namespace saker::rules
