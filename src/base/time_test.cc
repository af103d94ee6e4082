#include "base/time.h"

#include <gtest/gtest.h>

namespace saker {
namespace {

TEST(Rfc3339, ReadsTimesOfTheEpoch) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01Z"), 1'000'000'000u);
  EXPECT_EQ(parse_rfc3339("2024-02-29T23:59:59.5Z"), 1709251199500000000u);
  EXPECT_EQ(parse_rfc3339("2024-03-01T01:59:59.000000001+02:00"), 1709251199000000001u);
  EXPECT_EQ(parse_rfc3339("1970-01-01t00:00:01z"), 1'000'000'000u);
  EXPECT_EQ(parse_rfc3339("2024-05-06T02:08:09.1234567891234-05:00"), 1714979289123456789u);
}

TEST(Rfc3339, RefusesTheRest) {
  for (const char* text :
       {"", "null", "2024-02-29", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
        "2024-02-29T25:00:00Z", "2024-02-29T00:00:00", "2024-02-29 00:00:00Z",
        "2024-02-29T00:00:00.Z", "2024-02-29T00:00:00Z.", "1969-01-01T00:00:00Z",
        "1970-01-01T00:00:00+01:00", "2262-01-01T00:00:00Z", "2024-02-29T00:00:00+2"})
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

}  // namespace
}  // namespace saker
