// Versions in rules files: "0.57.0", and what a required one asks of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace saker::rules {

struct Version {
  uint64_t major = 0, minor = 0, patch = 0;
};

// The engine version whose rules Saker understands.
inline constexpr Version kEngineVersion{0, 63, 0};

// "x.y.z", with an optional "-pre" or "+build" part that does not count.
std::optional<Version> parse_version(std::string_view text);
std::string to_text(const Version& version);

// Same major version, and ours is at least what is required.
bool is_compatible(const Version& ours, const Version& required);

}  // namespace saker::rules
