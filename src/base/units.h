// Durations and sizes as people write them: "90s", "1h30m", "2d"; "512MiB", "64k".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace saker {

// A number with ms, s, m, h, d or w behind it, several of them, or a bare number, which counts
// `bare` units. Nothing when it is no duration or does not fit.
std::optional<std::chrono::milliseconds> parse_duration(
    std::string_view text, std::chrono::milliseconds bare = std::chrono::seconds(1));

// A number with nothing, B, K, M, G, T (powers of 1024; KiB and kB are the same) behind it.
std::optional<uint64_t> parse_size(std::string_view text);

// The shortest text that parses back to the same value: "1m30s", "512MiB".
std::string format_duration(std::chrono::milliseconds duration);
std::string format_size(uint64_t size);

}  // namespace saker
