// The index must say what a search through the text says.
#include "formats/json_index.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "formats/json_text.h"

namespace saker::formats {
namespace {

constexpr std::string_view kWanted[] = {"/a",
                                        "/a/b",
                                        "/a/b/c",
                                        "/user",
                                        "/user/name",
                                        "/annotations",
                                        "/annotations/authorization.k8s.io~1decision",
                                        "/b",
                                        "/b/a",
                                        "/requestObject",
                                        "/z",
                                        "/last"};

class Indexed {
 public:
  explicit Indexed(const std::string& text) : padded_(text + std::string(kJsonPadding, ' ')) {
    loaded = index.load(std::string_view(padded_).substr(0, text.size()));
  }
  std::string at(std::string_view pointer) const {
    return std::string(index.find(pointer).value_or("(none)"));
  }
  bool loaded = false;

 private:
  static inline const JsonPaths kPaths{kWanted};

 public:
  JsonIndex index{kPaths};

 private:
  std::string padded_;
};

TEST(JsonIndex, FindsMembersOfTwoLevelsAndBelow) {
  const Indexed json(
      R"({"a" : "x", "n": 12 , "user":{"name":"ann","groups":["g","h"],"extra":{"k":[1]}},
    "annotations": {"authorization.k8s.io/decision" : "allow", "t~k": true},
    "requestObject":{"spec":{"containers":[{"image":"i:1"}]}}, "z":null})");
  ASSERT_TRUE(json.loaded);
  EXPECT_EQ(json.at("/a"), "\"x\"");
  EXPECT_EQ(json.at("n"), "12");
  EXPECT_EQ(json.at("/user/name"), "\"ann\"");
  EXPECT_EQ(json.at("/user/groups/1"), "\"h\"");
  EXPECT_EQ(json.at("/user/extra/k/0"), "1");
  EXPECT_EQ(json.at("/annotations/authorization.k8s.io~1decision"), "\"allow\"");
  EXPECT_EQ(json.at("/annotations/t~0k"), "true");
  EXPECT_EQ(json.at("/requestObject/spec/containers/0/image"), "\"i:1\"");
  EXPECT_EQ(json.at("/z"), "null");
  for (const char* missing : {"/b", "/user/none", "/user/name/x", "/user/groups/2", "/z/0",
                              "/a/b/c", "/requestObject/none", "/annotations/t~k"})
    EXPECT_EQ(json.at(missing), "(none)") << missing;
}

TEST(JsonIndex, KeysWithEscapesAndManyMembers) {
  const Indexed escaped(R"({"a\u0062":1,"c":{"q\"r":2}})");
  ASSERT_TRUE(escaped.loaded);
  EXPECT_EQ(escaped.at("/c"), R"({"q\"r":2})");
  std::string text = "{";
  for (int i = 0; i < 200; ++i) text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  const Indexed many(text + "\"last\":{}}");
  ASSERT_TRUE(many.loaded);
  EXPECT_EQ(many.at("/k199"), "199");
  EXPECT_EQ(many.at("/last"), "{}");
}

TEST(JsonIndex, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "1", "\"a\"", "{", "{\"a\"", "{\"a\":}", "{\"a\":1",
                           "{\"a\":1} x", "{\"a\":{\"b\":}}", "{a:1}", "\xff{}"})
    EXPECT_FALSE(Indexed(text).loaded) << text;
}

// Random objects of few keys: index and search agree on every pointer.
TEST(JsonIndex, AgreesWithTheSearch) {
  std::mt19937 random(1);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const auto value = [&](auto&& self, int depth) -> std::string {
    const unsigned kind = pick(depth > 3 ? 3 : 5);
    if (kind == 0) return std::to_string(pick(100));
    if (kind == 1) return "\"s" + std::to_string(pick(9)) + "\"";
    if (kind == 2) return pick(2) == 0 ? "null" : " true ";
    std::string out = kind == 3 ? "{" : "[";
    const unsigned count = pick(4);
    for (unsigned i = 0; i < count; ++i) {
      if (i != 0) out += ",";
      if (kind == 3) out += "\"" + std::string(1, static_cast<char>('a' + pick(3))) + "\" : ";
      out += self(self, depth + 1);
    }
    return out + (kind == 3 ? "}" : "]");
  };
  for (int round = 0; round < 2000; ++round) {
    const std::string text = "{\"a\":" + value(value, 0) + ",\"b\":" + value(value, 0) +
                             ",\"requestObject\":" + value(value, 0) + "}";
    const Indexed json(text);
    ASSERT_TRUE(json.loaded) << text;
    for (int probe = 0; probe < 8; ++probe) {
      std::string pointer;
      for (unsigned parts = 1 + pick(4); parts > 0; --parts)
        pointer += "/" + (pick(4) == 0 ? std::to_string(pick(3))
                                       : std::string(1, static_cast<char>('a' + pick(3))));
      EXPECT_EQ(json.index.find(pointer), json_text::find(text, pointer)) << text << " " << pointer;
    }
  }
}

TEST(JsonIndex, PartsOfABlockAreReadAsThemselves) {
  const JsonPaths paths(kWanted);
  const std::string texts[] = {R"({"a":{"b":{"c":"}"}},"z":[{},[]]})",
                               "{}",
                               R"({"a":1}})",
                               "[1]",
                               R"({"a")",
                               R"({"b":)",
                               R"({"z":"\"x","user":{"name":"ann"}} )",
                               R"({"a":{"b":2)",
                               R"({"last":{"x":1}})"};
  std::string block;
  for (const std::string& text : texts) block += text + "\n";
  const std::string padded = block + std::string(kJsonPadding, ' ');
  JsonIndex whole(paths);
  ASSERT_TRUE(whole.scan(std::string_view(padded).substr(0, block.size())));
  size_t at = 0;
  for (const std::string& text : texts) {
    const Indexed alone(text);
    EXPECT_EQ(whole.load_part(std::string_view(padded).substr(at, text.size())), alone.loaded);
    for (size_t i = 0; i < std::size(kWanted); ++i)
      EXPECT_EQ(whole.value(i), alone.index.value(i)) << text << kWanted[i];
    at += text.size() + 1;
  }
  EXPECT_FALSE(whole.scan(std::string_view("{\"a\n").substr(0, 4)));
}

}  // namespace
}  // namespace saker::formats
