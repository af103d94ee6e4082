// Single changes to YAML of every style: what they make of the bytes, and what is refused.
#include "formats/yaml_edit.h"

#include <gtest/gtest.h>

namespace saker::formats {
namespace {

using Kind = YamlChange::Kind;

std::string edited(std::string_view text, const std::vector<YamlChange>& changes) {
  auto result = edit_yaml(text, "t.yaml", changes);
  return result.ok() ? *result : "refused: " + result.error().to_text();
}

YamlChange append(YamlPath path, std::vector<YamlNode> values) {
  return {.kind = Kind::append, .path = std::move(path), .values = std::move(values)};
}
YamlChange put(YamlPath path, std::string key, YamlNode value) {
  return {.kind = Kind::put,
          .path = std::move(path),
          .key = std::move(key),
          .values = {std::move(value)}};
}
YamlChange set(YamlPath path, YamlNode value) {
  return {.kind = Kind::set, .path = std::move(path), .values = {std::move(value)}};
}
YamlChange removal(YamlPath path) {
  return {.kind = Kind::remove, .path = std::move(path)};
}

const YamlPath kA = {{.key = "a"}};
const YamlPath kFirst = {{.key = "a"}, {.index = 0}};

TEST(YamlEdit, AppendsInTheMannerOfTheList) {
  const auto added = [](std::string_view text) {
    return edited(text, {append(kA, {yaml_text("new")})});
  };
  EXPECT_EQ(added("a:\n- x\nb: 1\n"), "a:\n- x\n- new\nb: 1\n");
  EXPECT_EQ(added("a:\n  -   x # c\n  # d\nb: 1\n"), "a:\n  -   x # c\n  -   new\n  # d\nb: 1\n");
  EXPECT_EQ(added("a:\n- 'x'"), "a:\n- 'x'\n- 'new'");
  EXPECT_EQ(added("a:\r\n- \"x\"\r\n"), "a:\r\n- \"x\"\r\n- \"new\"\r\n");
  EXPECT_EQ(added("a:\n- |\n  x\n\n\nb: 1\n"), "a:\n- |\n  x\n\n\n- new\nb: 1\n");
  EXPECT_EQ(added("a:\n- - x\n  - y\n"), "a:\n- - x\n  - y\n- new\n");
  EXPECT_EQ(added("a: [x]\n"), "a: [x, new]\n");
  EXPECT_EQ(added("a: [x, ]\n"), "a: [x, new, ]\n");
  EXPECT_EQ(added("a: [\n  x, # c\n  y # d\n]\n"), "a: [\n  x, # c\n  y, # d\n  new\n]\n");
  EXPECT_EQ(added("{\"a\": [\"x\"]}"), "{\"a\": [\"x\", \"new\"]}");
  EXPECT_EQ(added("a: []\nb:\n  - 1\n"), "a:\n  - new\nb:\n  - 1\n");
  EXPECT_EQ(added("a: # c\nb: 1\n"), "a: # c\n- new\nb: 1\n");
  EXPECT_EQ(added("a: ~\n"), "a:\n- new\n");
}

TEST(YamlEdit, TextsThatWouldBeSomethingElseGetQuotes) {
  const auto added = [](std::string_view value) {
    return edited("a:\n- x\n", {append(kA, {yaml_text(value)})});
  };
  EXPECT_EQ(added("yes"), "a:\n- x\n- \"yes\"\n");
  EXPECT_EQ(added("12"), "a:\n- x\n- \"12\"\n");
  EXPECT_EQ(added("a: b"), "a:\n- x\n- \"a: b\"\n");
  EXPECT_EQ(added("a #b"), "a:\n- x\n- \"a #b\"\n");
  EXPECT_EQ(added("- x"), "a:\n- x\n- \"- x\"\n");
  EXPECT_EQ(added("--flag=v"), "a:\n- x\n- --flag=v\n");
  EXPECT_EQ(added("q\"\n"), "a:\n- x\n- \"q\\\"\\n\"\n");
}

TEST(YamlEdit, PutsKeysBehindTheLast) {
  const YamlNode map = yaml_map({{yaml_text("k"), yaml_sequence({yaml_text("v")})}});
  EXPECT_EQ(edited("a:\n    x: 1 # c\nb: 2\n", {put(kA, "key", map)}),
            "a:\n    x: 1 # c\n    key:\n        k:\n        - v\nb: 2\n");
  EXPECT_EQ(edited("a: {x: 1}\n", {put(kA, "key", map)}), "a: {x: 1, key: {k: [v]}}\n");
  EXPECT_EQ(edited("a: {}\n", {put(kA, "key", yaml_text("v"))}), "a:\n  key: v\n");
  EXPECT_EQ(edited("a:\n", {put(kA, "key", yaml_text("v"))}), "a:\n  key: v\n");
  EXPECT_EQ(edited("a: {x: 1}\n", {put(kA, "x", map)}),
            "refused: t.yaml:1:4: x is here already (change this place by hand)");
}

TEST(YamlEdit, SetsOneValueAndNothingAroundIt) {
  EXPECT_EQ(edited("a:  'x'  # c\nb: 1\n", {set(kA, yaml_text("v"))}), "a:  'v'  # c\nb: 1\n");
  EXPECT_EQ(edited("a: true\n", {set(kA, yaml_plain("false"))}), "a: false\n");
  EXPECT_EQ(edited("a:\nb: 1\n", {set(kA, yaml_text("v"))}), "a: v\nb: 1\n");
  EXPECT_EQ(edited("a: >-\n  x\n  y\nb: 1\n", {set(kA, yaml_text("z"))}), "a: z\nb: 1\n");
  EXPECT_EQ(edited("é: ü\na: x\n", {set(kA, yaml_text("v"))}), "é: ü\na: v\n");
}

TEST(YamlEdit, RemovesWholeLines) {
  EXPECT_EQ(edited("a:\n- x # c\n- y\n", {removal(kFirst)}), "a:\n- y\n");
  EXPECT_EQ(edited("a:\n- x: 1\n  y:\n  - 2\n- z\n", {removal(kFirst)}), "a:\n- z\n");
  EXPECT_EQ(edited("b: 1\na:\n  c: 2", {removal(kA)}), "b: 1");
  EXPECT_EQ(edited("a: [x, y, z]\n", {removal({{.key = "a"}, {.index = 1}})}), "a: [x, z]\n");
  EXPECT_EQ(edited("a: [x, # c\n  y]\n", {removal({{.key = "a"}, {.index = 1}})}),
            "refused: t.yaml: the file is written in a way that can't be changed safely (change it "
            "by hand)");
  const YamlChange cleared = {.kind = Kind::clear, .path = kA, .values = {yaml_sequence({})}};
  EXPECT_EQ(edited("a: # c\n- x\n- y\nb: 1\n", {cleared}), "a: [] # c\nb: 1\n");
}

TEST(YamlEdit, SeveralChangesAtOnce) {
  EXPECT_EQ(edited("a:\n- x\n- y\n- z\n",
                   {removal(kFirst), removal({{.key = "a"}, {.index = 2}}),
                    append(kA, {yaml_text("new")}), put({}, "b", yaml_plain("1"))}),
            "a:\n- y\n- new\nb: 1\n");
}

TEST(YamlEdit, WhatStandsElsewhereIsRefused) {
  EXPECT_TRUE(
      edited("b: &x [1]\na: *x\n", {append(kA, {yaml_text("new")})}).contains("2:4: this is"));
  EXPECT_TRUE(edited("a: !!seq [1]\n", {append(kA, {yaml_text("new")})}).contains("a tag"));
  EXPECT_TRUE(edited("a: x\n", {append(kA, {yaml_text("new")})}).contains("a list was expected"));
  EXPECT_TRUE(
      edited("a: {x: 1}\n", {append(kA, {yaml_text("new")})}).contains("a list was expected"));
  EXPECT_TRUE(edited("b: 1\n", {set(kA, yaml_text("new"))}).contains("is not here"));
  EXPECT_TRUE(edited("", {set(kA, yaml_text("new"))}).contains("no document"));
  EXPECT_TRUE(edited("a: [", {set(kA, yaml_text("new"))}).contains("t.yaml:"));
}

}  // namespace
}  // namespace saker::formats
