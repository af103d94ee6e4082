#include "base/units.h"

#include <gtest/gtest.h>

namespace saker {
namespace {

using namespace std::chrono_literals;

TEST(Units, Durations) {
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("2d"), 48h);
  EXPECT_EQ(parse_duration("1w"), 168h);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("5"), 5s);
  EXPECT_EQ(parse_duration("5", 1ms), 5ms);
  EXPECT_EQ(parse_duration("0"), 0ms);
  for (const char* bad : {"", "s", "1x", "-1s", "1.5h", "1h 30m", "1h30", "99999999999999999999s",
                          "999999999999999999w", "1S"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Units, Sizes) {
  EXPECT_EQ(parse_size("512MiB"), 512u << 20);
  EXPECT_EQ(parse_size("512 MB"), 512u << 20);
  EXPECT_EQ(parse_size("64k"), 64u << 10);
  EXPECT_EQ(parse_size("7"), 7u);
  EXPECT_EQ(parse_size("7B"), 7u);
  EXPECT_EQ(parse_size("2TiB"), uint64_t{2} << 40);
  for (const char* bad : {"", "M", "1X", "-1", "99999999999T", "1iB", "1MM"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Units, PrintsWhatItParses) {
  for (auto duration : {0ms, 1ms, 999ms, 1000ms, 90061001ms, 604800000ms})
    EXPECT_EQ(parse_duration(format_duration(duration)), duration);
  for (uint64_t size : {0ul, 1ul, 1023ul, 1024ul, 1536ul, 512ul << 20, 1ul << 40})
    EXPECT_EQ(parse_size(format_size(size)), size);
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_size(512 << 20), "512MiB");
}

}  // namespace
}  // namespace saker
