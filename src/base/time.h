// Points in time as other programs write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace saker {

inline constexpr uint64_t kHourNs = 3'600'000'000'000;

// Since the epoch, by the clock on the wall.
uint64_t now_ns();

// RFC 3339, "2024-05-06T07:08:09.123456789+02:00", in ns since the epoch. Digits beyond the ninth
// are left out. Nothing when it is no such time or lies outside of 1970 to 2261.
std::optional<uint64_t> parse_rfc3339(std::string_view text);

}  // namespace saker
