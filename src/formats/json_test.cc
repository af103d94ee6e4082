#include "formats/json.h"

#include <gtest/gtest.h>

#include <climits>

namespace saker::formats {
namespace {

using Kind = JsonNode::Kind;

TEST(Json, ReadsEveryKind) {
  auto node = parse_json(
      R"( {"n":null,"t":true,"f":false,"i":-5,"max":9223372036854775807,"u":18446744073709551615,)"
      R"("r":1.5e3,"s":"a\"\u00e9\ud83d\ude00\n","a":[1,[],{}],"o":{"k":{"deep":"x"}}} )");
  ASSERT_TRUE(node.ok()) << node.error().to_text();
  ASSERT_TRUE(node->is_object());
  EXPECT_EQ(node->find("n")->kind, Kind::null);
  EXPECT_TRUE(node->bool_of("t"));
  EXPECT_FALSE(node->bool_of("f", true));
  EXPECT_EQ(node->int_of("i"), -5);
  EXPECT_EQ(node->int_of("max"), INT64_MAX);
  EXPECT_EQ(node->find("u")->kind, Kind::unsigned_integer);
  EXPECT_EQ(node->find("u")->unsigned_integer, UINT64_MAX);
  EXPECT_DOUBLE_EQ(node->find("r")->real, 1500.0);
  EXPECT_EQ(node->text_of("s"), "a\"\xc3\xa9\xf0\x9f\x98\x80\n");
  ASSERT_EQ(node->find("a")->items.size(), 3U);
  EXPECT_TRUE(node->find("a")->items[1].is_array());
  EXPECT_TRUE(node->find("a")->items[2].is_object());
  EXPECT_EQ(node->find("o")->find("k")->text_of("deep"), "x");
}

TEST(Json, FallsBackWhenAMemberIsMissingOrOfAnotherKind) {
  auto node = parse_json(R"({"s":"x","i":1})");
  ASSERT_TRUE(node.ok());
  EXPECT_EQ(node->find("none"), nullptr);
  EXPECT_EQ(node->text_of("none", "d"), "d");
  EXPECT_EQ(node->text_of("i", "d"), "d");
  EXPECT_EQ(node->int_of("s", 7), 7);
  EXPECT_TRUE(node->bool_of("s", true));
  EXPECT_EQ(parse_json("3")->find("x"), nullptr);
}

TEST(Json, KeepsMemberOrderAndGivesTheFirstOfTwins) {
  auto node = parse_json(R"({"b":1,"a":2,"b":3})");
  ASSERT_TRUE(node.ok());
  ASSERT_EQ(node->members.size(), 3U);
  EXPECT_EQ(node->members[0].first, "b");
  EXPECT_EQ(node->members[1].first, "a");
  EXPECT_EQ(node->int_of("b"), 1);
}

TEST(Json, ReadsScalarsAtTheTop) {
  EXPECT_EQ(parse_json("\"x\"")->text, "x");
  EXPECT_EQ(parse_json("12")->integer, 12);
  EXPECT_TRUE(parse_json("true")->boolean);
  EXPECT_EQ(parse_json("null")->kind, Kind::null);
}

struct BadText {
  std::string_view text;
  uint64_t offset;
};

TEST(Json, SaysWhereAMistakeIs) {
  for (const BadText& bad : {
           BadText{R"({"a":1,"b":tru})", 11},
           BadText{R"({"a":01})", 5},
           BadText{R"({"a" 1})", 5},
           BadText{R"([1,2,])", 5},
           BadText{R"([1 2])", 3},
           BadText{R"({"a":1} x)", 8},
           BadText{R"({"a":nul})", 5},
           BadText{"[\"ok\",\"\xff\"]", 7},
           BadText{"[\"\xc3\xa9\",\"\xc3\"]", 7},
       }) {
    auto node = parse_json(bad.text);
    ASSERT_FALSE(node.ok()) << bad.text;
    EXPECT_EQ(node.error().code, Code::invalid);
    EXPECT_EQ(node.error().position.offset, bad.offset)
        << bad.text << ": " << node.error().to_text();
  }
}

TEST(Json, RefusesWhatIsNoJson) {
  for (std::string_view text : {"",
                                " ",
                                "{",
                                "[",
                                "\"",
                                "{\"a\"}",
                                "'a'",
                                "[1}",
                                "\"\x01\"",
                                "nan",
                                "1.",
                                "+1",
                                "{a:1}",
                                "{\"a\":1,}",
                                "\"\\x\"",
                                "\"\\ud800\"",
                                "[1]]",
                                "1 2",
                                "99999999999999999999999999",
                                "1e999"}) {
    EXPECT_FALSE(parse_json(text).ok()) << text;
  }
}

TEST(Json, WritesATreeAgain) {
  constexpr std::string_view kText =
      R"({"a":[1,-2,18446744073709551615,1.5,true,false,null,"x\"y",[],{}],"b":{"c":"d"}})";
  EXPECT_EQ(to_json(parse_json(kText).value()), kText);
}

TEST(Json, AWholeRealStaysReal) {
  EXPECT_EQ(to_json(parse_json("[-0e00,1.0,1e300,0.5]").value()), "[-0.0,1.0,1e+300,0.5]");
}

TEST(Json, WritesTextThatItReads) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "\xc3\xa9\xf0\x9f\x98\x80";
  std::string json;
  append_json_text(all, json);
  auto back = parse_json(json);
  ASSERT_TRUE(back.ok()) << back.error().to_text();
  EXPECT_EQ(back->text, all);
  json.clear();
  append_json_text("a\xff\"", json);
  EXPECT_EQ(json, "\"a\xef\xbf\xbd\\\"\"");
}

TEST(Json, BoundsDepth) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(256)).ok());
  auto deep = parse_json(nested(257));
  ASSERT_FALSE(deep.ok());
  EXPECT_NE(deep.error().message.find("256 levels"), std::string::npos) << deep.error().to_text();
  EXPECT_FALSE(parse_json(nested(1'000'000)).ok());
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')).ok());
}

TEST(Json, BoundsTheNumberOfValues) {
  std::string text = "[0";
  for (int i = 0; i < 1'000'000; ++i) text += ",0";
  text += "]";
  auto many = parse_json(text);
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(many.error().code, Code::unsupported);
}

}  // namespace
}  // namespace saker::formats
