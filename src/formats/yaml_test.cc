// YAML as rules files use it: places, nulls, duplicate keys, aliases, errors, limits and speed.
#include "formats/yaml.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

namespace saker::formats {
namespace {

std::vector<YamlNode> parsed(std::string_view text) {
  auto documents = parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.ok()) << (documents.ok() ? "" : documents.error().to_text());
  return documents.ok() ? std::move(*documents) : std::vector<YamlNode>{};
}

std::string error_of(std::string_view text) {
  auto documents = parse_yaml(text, "test.yaml");
  return documents.ok() ? "no error" : documents.error().to_text();
}

TEST(Yaml, NothingGivesNoDocument) {
  EXPECT_TRUE(parsed("").empty());
  EXPECT_TRUE(parse_yaml({}, "no text at all").value().empty());
  EXPECT_TRUE(parsed("# only a comment\n\n").empty());
}

TEST(Yaml, DocumentsAreKeptApart) {
  const auto documents = parsed("---\n- a\n---\n- b\n- c\n---\n");
  ASSERT_EQ(documents.size(), 3u);
  EXPECT_EQ(documents[0].items.size(), 1u);
  EXPECT_EQ(documents[1].items.size(), 2u);
  EXPECT_TRUE(documents[2].is_null());
}

TEST(Yaml, PlainNullsAreNull) {
  const auto documents = parsed("[~, null, Null, NULL, '', \"null\", nUll, !!str null]");
  ASSERT_EQ(documents.size(), 1u);
  const auto& items = documents[0].items;
  ASSERT_EQ(items.size(), 8u);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(items[i].is_null()) << i;
  for (size_t i = 4; i < 8; ++i) EXPECT_TRUE(items[i].is_scalar()) << i;
  EXPECT_TRUE(items[4].text.empty());
}

TEST(Yaml, MarksCountFromZeroAndOffsetsAreBytes) {
  const auto documents = parsed("- rule: \xc3\xa4\xc3\xb6\n  output: x\n");
  ASSERT_EQ(documents.size(), 1u);
  const YamlNode& item = documents[0].items.at(0);
  EXPECT_EQ(item.mark.line, 0u);
  EXPECT_EQ(item.mark.column, 2u);
  const YamlNode* output = item.find("output");
  ASSERT_NE(output, nullptr);
  EXPECT_EQ(output->mark.line, 1u);
  EXPECT_EQ(output->mark.column, 10u);
  EXPECT_EQ(output->mark.offset, 23u);
}

TEST(Yaml, ByteOrderMarkIsPassedOver) {
  const auto documents = parsed("\xef\xbb\xbf- a\n- b\n");
  ASSERT_EQ(documents.size(), 1u);
  ASSERT_EQ(documents[0].items.size(), 2u);
  EXPECT_EQ(documents[0].items[1].mark.offset, 9u);
}

TEST(Yaml, DuplicateKeysAreKeptAndTheFirstIsFound) {
  const auto documents = parsed("a: 1\nb: 2\na: 3\n");
  ASSERT_EQ(documents[0].entries.size(), 3u);
  EXPECT_EQ(documents[0].find("a")->text, "1");
  EXPECT_EQ(documents[0].find("c"), nullptr);
}

TEST(Yaml, MergeKeysArePlainKeys) {
  const auto documents = parsed("a: &x {k: v}\nb:\n  <<: *x\n");
  const YamlNode* b = documents[0].find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->find("k"), nullptr);
  ASSERT_NE(b->find("<<"), nullptr);
  EXPECT_EQ(b->find("<<")->find("k")->text, "v");
}

TEST(Yaml, ScalarStyles) {
  const auto documents = parsed(
      "a: >\n  one\n  two\nb: |\n  one\n  two\nc: 'it''s'\nd: \"\\x41\\n\"\ne: plain\n  on\n");
  EXPECT_EQ(documents[0].find("a")->text, "one two\n");
  EXPECT_EQ(documents[0].find("b")->text, "one\ntwo\n");
  EXPECT_EQ(documents[0].find("c")->text, "it's");
  EXPECT_EQ(documents[0].find("d")->text, "A\n");
  EXPECT_EQ(documents[0].find("e")->text, "plain on");
  EXPECT_TRUE(documents[0].find("a")->quoted);
  EXPECT_FALSE(documents[0].find("e")->quoted);
}

TEST(Yaml, ErrorsSayWhere) {
  EXPECT_EQ(
      error_of("- a\n- [b\n"),
      "test.yaml:3:1: did not find expected ',' or ']' while parsing a flow sequence of line 2");
  EXPECT_TRUE(error_of("- a: b\n c: d\n").starts_with("test.yaml:2:"))
      << error_of("- a: b\n c: d\n");
  EXPECT_TRUE(error_of("a: \"x").starts_with("test.yaml:1:")) << error_of("a: \"x");
  EXPECT_NE(error_of("a: \xff\xff"), "no error");
  EXPECT_NE(error_of(std::string_view("a: \0b", 5)), "no error");
  EXPECT_NE(error_of("- *nobody\n").find("unknown alias 'nobody'"), std::string::npos);
  EXPECT_NE(error_of("&a [*a]\n").find("contains itself"), std::string::npos);
}

TEST(Yaml, DepthIsLimited) {
  EXPECT_NE(error_of(std::string(5000, '[')).find("nested too deeply"), std::string::npos);
  std::string maps;
  for (int i = 0; i < 5000; ++i) maps += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_NE(error_of(maps).find("nested too deeply"), std::string::npos);
  EXPECT_EQ(error_of(std::string(60, '[') + std::string(60, ']')), "no error");
}

TEST(Yaml, AliasesCanNotExplode) {
  std::string bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 8; ++k) bomb += ", " + last;
    bomb += "]\n";
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(error_of(bomb).find("aliases expand to too much"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  std::string text = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
  for (int i = 0; i < 1000; ++i) text += "*a, ";
  EXPECT_NE(error_of(text + "]\n").find("aliases expand to too much"), std::string::npos);
}

TEST(Yaml, NodesAreLimited) {
  const auto documents = parse_yaml("[a, b, c, d]", "x", {.max_depth = 8, .max_nodes = 4});
  ASSERT_FALSE(documents.ok());
  EXPECT_EQ(documents.error().message, "too many nodes");
}

TEST(Yaml, ReadsTheStockRules) {
  std::ifstream file(SAKER_SOURCE_DIR "/../shared/conformance/falco/rules/falco_rules.yaml");
  if (!file) GTEST_SKIP() << "skipped: no conformance folder";
  std::stringstream stream;
  stream << file.rdbuf();
  const std::string text = stream.str();
  auto best = std::chrono::nanoseconds::max();
  size_t items = 0;
  for (int i = 0; i < 10; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto documents = parse_yaml(text, "falco_rules.yaml");
    best = std::min(best, std::chrono::nanoseconds(std::chrono::steady_clock::now() - start));
    ASSERT_TRUE(documents.ok()) << documents.error().to_text();
    ASSERT_EQ(documents->size(), 1u);
    items = documents->front().items.size();
  }
  EXPECT_GT(items, 100u);
  RecordProperty("microseconds", static_cast<int>(best.count() / 1000));
  std::printf("stock rules: %.2f ms\n", static_cast<double>(best.count()) / 1e6);
}

}  // namespace
}  // namespace saker::formats
