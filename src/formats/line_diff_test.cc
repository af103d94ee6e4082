// Differences as diff -u prints them.
#include "formats/line_diff.h"

#include <gtest/gtest.h>

namespace saker::formats {
namespace {

std::string lines(int from, int to) {
  std::string out;
  for (int i = from; i <= to; ++i) out += std::to_string(i) + "\n";
  return out;
}

std::string diff(std::string_view before, std::string_view after) {
  const std::string whole = unified_diff(before, after, "a", "b");
  constexpr std::string_view kHead = "--- a\n+++ b\n";
  EXPECT_TRUE(whole.empty() || whole.starts_with(kHead));
  return whole.empty() ? whole : whole.substr(kHead.size());
}

TEST(LineDiff, EqualTextsHaveNone) {
  EXPECT_EQ(diff("", ""), "");
  EXPECT_EQ(diff("a\nb", "a\nb"), "");
}

TEST(LineDiff, AddedAndRemovedLinesHaveThreeLinesAround) {
  EXPECT_EQ(diff(lines(1, 9), lines(1, 5) + "new\n" + lines(6, 9)),
            "@@ -3,6 +3,7 @@\n 3\n 4\n 5\n+new\n 6\n 7\n 8\n");
  EXPECT_EQ(diff(lines(1, 9), lines(1, 8)), "@@ -6,4 +6,3 @@\n 6\n 7\n 8\n-9\n");
  EXPECT_EQ(diff("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
  EXPECT_EQ(diff("a\n", ""), "@@ -1 +0,0 @@\n-a\n");
}

TEST(LineDiff, ChangesFarApartAreHunksOfTheirOwn) {
  EXPECT_EQ(diff(lines(1, 20), "0\n" + lines(1, 20) + "21\n"),
            "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -18,3 +19,4 @@\n 18\n 19\n 20\n+21\n");
  EXPECT_EQ(diff(lines(1, 6), "0\n" + lines(1, 6) + "7\n"),
            "@@ -1,6 +1,8 @@\n+0\n 1\n 2\n 3\n 4\n 5\n 6\n+7\n");
}

TEST(LineDiff, LinesInTheMiddleAreMatched) {
  EXPECT_EQ(diff("a\nb\nc\nd\n", "a\nx\nc\ny\n"), "@@ -1,4 +1,4 @@\n a\n-b\n+x\n c\n-d\n+y\n");
}

TEST(LineDiff, TheEndOfTheLastLineCounts) {
  EXPECT_EQ(diff("a\n", "a"), "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n");
}

}  // namespace
}  // namespace saker::formats
