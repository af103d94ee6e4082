#include "base/units.h"

#include <array>
#include <limits>

#include "base/strings.h"

namespace saker {

namespace {

struct Unit {
  std::string_view name;
  uint64_t value;
};

// Largest first; "ms" is looked for before "m" and "s".
constexpr std::array<Unit, 6> kDurations = {{{"w", 604'800'000},
                                             {"d", 86'400'000},
                                             {"h", 3'600'000},
                                             {"m", 60'000},
                                             {"s", 1'000},
                                             {"ms", 1}}};
constexpr std::array<Unit, 4> kSizes = {
    {{"T", uint64_t{1} << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}}};
constexpr uint64_t kLongest = std::numeric_limits<int64_t>::max() / 1'000'000;  // in ns, too

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes leading digits off `text`.
std::optional<uint64_t> take_number(std::string_view& text) {
  size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  if (length == 0 || length > 18) return std::nullopt;
  const auto number = parse_uint(text.substr(0, length));
  text.remove_prefix(length);
  return number;
}

std::string_view take_letters(std::string_view& text) {
  size_t length = 0;
  while (length < text.size() && !is_digit(text[length])) ++length;
  const std::string_view letters = text.substr(0, length);
  text.remove_prefix(length);
  return letters;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                        std::chrono::milliseconds bare) {
  uint64_t total = 0;
  text = trim(text);
  if (text.empty()) return std::nullopt;
  const bool only_number = text.find_first_not_of("0123456789") == std::string_view::npos;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    const std::string_view name = take_letters(text);
    uint64_t value = 0;
    if (only_number) value = static_cast<uint64_t>(bare.count());
    for (const Unit& unit : kDurations)
      if (unit.name == name) value = unit.value;
    if (value == 0 || *number > (kLongest - total) / value) return std::nullopt;
    total += *number * value;
  }
  return std::chrono::milliseconds(total);
}

std::optional<uint64_t> parse_size(std::string_view text) {
  text = trim(text);
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  std::string unit = to_upper(trim(text));
  if (unit.ends_with("IB") && unit.size() == 3) {
    unit.resize(1);
  } else if (unit.ends_with('B')) {
    unit.pop_back();
  }
  uint64_t value = unit.empty() ? 1 : 0;
  for (const Unit& candidate : kSizes)
    if (candidate.name == unit) value = candidate.value;
  if (value == 0 || *number > std::numeric_limits<uint64_t>::max() / value) return std::nullopt;
  return *number * value;
}

std::string format_duration(std::chrono::milliseconds duration) {
  auto rest = static_cast<uint64_t>(duration.count());
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kDurations) {
    if (rest < unit.value) continue;
    text += std::to_string(rest / unit.value);
    text += unit.name;
    rest %= unit.value;
  }
  return text;
}

std::string format_size(uint64_t size) {
  for (const Unit& unit : kSizes)
    if (size != 0 && size % unit.value == 0)
      return std::to_string(size / unit.value) + std::string(unit.name) + "iB";
  return std::to_string(size);
}

}  // namespace saker
