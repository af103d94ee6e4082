// Looking into JSON text.
#include "formats/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace saker::formats::json_text {
namespace {

std::string at(std::string_view text, std::string_view pointer) {
  Arena arena;
  const auto found = find(text, pointer);
  return found ? std::string(to_text(*found, arena)) : "(none)";
}

TEST(JsonText, Pointers) {
  const std::string_view text = R"( {"a": {"b": [1, "x", {"c/d": true, "e~f": null}]}, "g": "h"} )";
  EXPECT_EQ(at(text, "/a/b/0"), "1");
  EXPECT_EQ(at(text, "a/b/1"), "x");
  EXPECT_EQ(at(text, "/a/b/2/c~1d"), "true");
  EXPECT_EQ(at(text, "/a/b/2/e~0f"), "null");
  EXPECT_EQ(at(text, "/a/b"), R"([1,"x",{"c/d":true,"e~f":null}])");
  EXPECT_EQ(at(text, "/g"), "h");
  EXPECT_EQ(at(text, "/a/b/3"), "(none)");
  EXPECT_EQ(at(text, "/a/b/-1"), "(none)");
  EXPECT_EQ(at(text, "/a/b/1x"), "(none)");
  EXPECT_EQ(at(text, "/g/h"), "(none)");
  EXPECT_EQ(at(text, "/nope"), "(none)");
}

TEST(JsonText, Strings) {
  EXPECT_EQ(at(R"({"a":"\"\\\/\b\f\n\r\t"})", "/a"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(at(R"({"a":"\u00e4\u20ac\ud83d\ude00"})", "/a"), "ä€😀");
  EXPECT_EQ(at(R"({"a":"\ud83dx"})", "/a"), "\xef\xbf\xbdx");
  EXPECT_EQ(at(R"({"\u0061":"b"})", "/a"), "b");
}

TEST(JsonText, Malformed) {
  for (std::string_view text :
       {"", "{", "{\"a\"", "{\"a\":", "{\"a\":[", "{\"a\":\"x", "{\"a\":\"x\\", "{\"a\" 1}",
        "{a:1}", "}", "]", "{\"b\":1,}", "{\"b\":1 \"a\":2}"})
    EXPECT_EQ(at(text, "/a"), "(none)") << text;
  const std::string deep(100000, '[');
  EXPECT_EQ(at(deep, "/0"), "(none)");
  EXPECT_EQ(at(deep + std::string(100000, ']'), "/0/0/0/1"), "(none)");
}

TEST(JsonText, Pretty) {
  Arena arena;
  EXPECT_EQ(to_pretty_text(R"({"a":[1,{}],"b":"x y"})", arena),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": \"x y\"\n}");
}

}  // namespace
}  // namespace saker::formats::json_text
