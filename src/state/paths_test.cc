#include <gtest/gtest.h>

#include "state/state.h"

namespace saker::state {
namespace {

TEST(ConcatenatePaths, JoinsAndNormalises) {
  struct Case {
    std::string_view base, path, want;
  };
  const Case cases[] = {
      {"/a/b/", "c", "/a/b/c"},
      {"/a/b", "c", "/a/b/c"},
      {"/a/b/", "/c", "/c"},
      {"/a/b/", "../c", "/a/c"},
      {"/a/b/", "../../../c", "/c"},
      {"/a/b/", "./c//d/.", "/a/b/c/d"},
      {"/a/b/", "c/", "/a/b/c"},
      {"/a/b/", "..", "/a"},
      {"/a/", "..", "/"},
      {"/", "..", "/"},
      {"/", ".", "/"},
      {"/", "", "/"},
      {"/a/", "", "/a"},
      {"", "a/./b", "a/b"},
      {"", "../a", "../a"},
      {"", "a/../../b", "../b"},
      {"", "", ""},
      {"", "//x", "/x"},
      {"/a/", ".hidden", "/a/.hidden"},
      {"/a/", "..x/...", "/a/..x/..."},
      {"/a/", "b/..c", "/a/b/..c"},
      {"<UNKNOWN>", "busybox", "<UNKNOWN>busybox"},
      {"<UNKNOWN>", "/x", "/x"},
      {"<UNKNOWN>", "", "<UNKNOWN>"},
      {"./", "x", "x"},
  };
  for (const Case& one : cases)
    EXPECT_EQ(concatenate_paths(one.base, one.path), one.want) << one.base << " + " << one.path;
}

TEST(ConcatenatePaths, RefusesWhatNoPathCanBe) {
  const std::string kTooLong = "/DIR_TOO_LONG/FILENAME_TOO_LONG";
  EXPECT_EQ(concatenate_paths("/", std::string(2000, 'a')), kTooLong);
  EXPECT_EQ(concatenate_paths(std::string(2000, 'a'), "/b"), "/b");
  const std::string fits = "/" + std::string(1000, 'a');
  EXPECT_EQ(concatenate_paths("/x/", fits), fits);
  EXPECT_EQ(concatenate_paths("", std::string(1023, 'a')).size(), 1023u);
  EXPECT_EQ(concatenate_paths("", std::string(1024, 'a')), kTooLong);
}

TEST(ConcatenatePaths, NeverLeavesOddComponents) {
  // Every path of up to eight of these characters: the result has no "//", "." or "..", but for
  // leading ".." of a relative one, and normalising again changes nothing.
  constexpr std::string_view kAlphabet = "/.a";
  for (int length = 0; length <= 8; ++length) {
    int count = 1;
    for (int i = 0; i < length; ++i) count *= 3;
    for (int number = 0; number < count; ++number) {
      std::string path;
      for (int i = 0, rest = number; i < length; ++i, rest /= 3)
        path += kAlphabet[static_cast<size_t>(rest % 3)];
      const std::string joined = concatenate_paths("/b/", path);
      ASSERT_TRUE(joined.starts_with('/')) << path;
      ASSERT_EQ(joined.find("//"), std::string::npos) << path;
      ASSERT_EQ((joined + "/").find("/./"), std::string::npos) << path;
      ASSERT_EQ((joined + "/").find("/../"), std::string::npos) << path;
      ASSERT_EQ(concatenate_paths("", joined), joined) << path;
      const std::string relative = concatenate_paths("", path);
      ASSERT_EQ(concatenate_paths("", relative), relative) << path;
    }
  }
}

}  // namespace
}  // namespace saker::state
