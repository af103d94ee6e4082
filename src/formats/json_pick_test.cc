// Picking values out of JSON objects.
#include "formats/json_pick.h"

#include <gtest/gtest.h>

#include <string>

namespace saker::formats {

namespace {

constexpr std::string_view kPaths[] = {"verb", "user.username", "user.groups", "body", "code.n"};

std::string padded(std::string text) {
  text.reserve(text.size() + kJsonPadding);
  return text;
}

TEST(JsonPicker, PicksWhatIsThere) {
  JsonPicker picker(kPaths);
  const std::string text = padded(
      R"({"x":{"verb":"no"},"verb":"g\u0065t","user":{"extra":[1],"username":"ana","groups":["a",1,"b"]},)"
      R"("body":{"k": [1, 2]},"code":{"n":"403"}})");
  ASSERT_TRUE(picker.read(text).ok());
  EXPECT_EQ(picker[0].text, "get");
  EXPECT_EQ(picker[1].text, "ana");
  EXPECT_EQ(picker[2].items, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(picker.size_of(3), 11U);  // compact
  EXPECT_EQ(picker.size_of(0), 5U);
  EXPECT_EQ(picker[4].text, "403");
}

TEST(JsonPicker, ForgetsTheLastObject) {
  JsonPicker picker(kPaths);
  ASSERT_TRUE(picker.read(padded(R"({"verb":"get","user":{"groups":["a"]}})")).ok());
  const std::string text = padded(R"({"verb":null,"user":"none","code":7})");
  ASSERT_TRUE(picker.read(text).ok());
  EXPECT_FALSE(picker[0].present);
  EXPECT_TRUE(picker[0].text.empty());
  EXPECT_FALSE(picker[2].present);
  EXPECT_TRUE(picker[2].items.empty());
  EXPECT_FALSE(picker[4].present);
  EXPECT_EQ(picker.size_of(4), 0U);
}

TEST(JsonPicker, RefusesWhatIsNoObject) {
  JsonPicker picker(kPaths);
  for (const char* text :
       {"", "[]", "{", R"({"verb":"x)", R"({"verb":"x"} {})", R"({"verb" 1})", "1"})
    EXPECT_FALSE(picker.read(padded(text)).ok()) << text;
  EXPECT_TRUE(picker.read(padded("{}")).ok());
}

}  // namespace

}  // namespace saker::formats
