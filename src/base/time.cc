#include "base/time.h"

#include <chrono>

namespace saker {

namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

// Digits of `text` from `at` on, as many as `count`.
std::optional<int> digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// "2024-05-06" as seconds since the epoch.
std::optional<int64_t> parse_date(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = digits(text, 0, 4), month_number = digits(text, 5, 2),
             day_number = digits(text, 8, 2);
  if (!year_number || !month_number || !day_number || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const year_month_day date{year{*year_number}, month{static_cast<unsigned>(*month_number)},
                            day{static_cast<unsigned>(*day_number)}};
  if (!date.ok() || *year_number < 1970 || *year_number > 2261) return std::nullopt;
  return duration_cast<seconds>(sys_days{date}.time_since_epoch()).count();
}

// "07:08:09" in seconds.
std::optional<int64_t> parse_clock(std::string_view text) {
  const auto hour = digits(text, 0, 2), minute = digits(text, 3, 2), second = digits(text, 6, 2);
  if (!hour || !minute || !second || text[2] != ':' || text[5] != ':' || *hour > 23 ||
      *minute > 59 || *second > 60)
    return std::nullopt;
  return *hour * 3600 + *minute * 60 + *second;
}

// Takes ".123" off the front, as nanoseconds.
std::optional<uint64_t> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  uint64_t value = 0;
  uint64_t unit = kNanosecondsPerSecond;
  size_t length = 0;
  while (length < text.size() && text[length] >= '0' && text[length] <= '9') {
    unit /= 10;
    value += unit * static_cast<uint64_t>(text[length++] - '0');
  }
  text.remove_prefix(length);
  if (length == 0) return std::nullopt;
  return value;
}

// "Z" or "+02:00", in seconds east of UTC.
std::optional<int64_t> parse_zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const int64_t seconds = *hours * 3600 + *minutes * 60;
  return text.front() == '-' ? -seconds : seconds;
}

}  // namespace

std::optional<uint64_t> parse_rfc3339(std::string_view text) {
  constexpr size_t kDate = 10, kClock = 9;  // the clock with the T before it
  if (text.size() <= kDate + kClock || (text[kDate] != 'T' && text[kDate] != 't'))
    return std::nullopt;
  const auto date = parse_date(text), clock = parse_clock(text.substr(kDate + 1));
  text.remove_prefix(kDate + kClock);
  const auto fraction = take_fraction(text);
  const auto zone = parse_zone(text);
  if (!date || !clock || !fraction || !zone || *date + *clock < *zone) return std::nullopt;
  return static_cast<uint64_t>(*date + *clock - *zone) * kNanosecondsPerSecond + *fraction;
}

uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace saker
