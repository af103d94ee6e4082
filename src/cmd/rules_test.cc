// What the rule commands print, from rules with the real fields.
#include "cmd/rules.h"

#include <gtest/gtest.h>

#include "cmd/listing.h"
#include "fields/catalog.h"
#include "formats/json.h"

namespace saker::cmd {
namespace {

rules::Rule rule_of(const std::string& text) {
  const std::vector<rules::RulesText> files = {{"test.yaml", text}};
  rules::LoadResult loaded = rules::load(files, {.catalog = &fields::catalog()});
  EXPECT_TRUE(loaded.ok()) << rules::to_text(loaded.reports[0], true);
  return loaded.set.rules.empty() ? rules::Rule{} : std::move(loaded.set.rules[0]);
}

constexpr const char* kRule =
    "- list: names\n  items: [a, b, c, d, e, f, g, h, i, j, k, l, m, n]\n"
    "- macro: named\n  condition: proc.name in (names)\n"
    "- rule: Some rule\n  desc: What it says.\n"
    "  condition: >\n"
    "    evt.type in (open, openat) and evt.is_open_write = true and\n"
    "    ((named or fd.name startswith /etc/) and not proc.pname = x)\n"
    "  output: file %fd.name\n  priority: WARNING\n  tags: [b, a]\n";

TEST(Table, AlignsAndCuts) {
  Table table({"A", "LONGER"});
  table.add({"one", "some \xc3\xa4 text"});
  table.add({"\xc3\xa4", "x"});
  EXPECT_EQ(table.to_text(), "A    LONGER\none  some \xc3\xa4 text\n\xc3\xa4    x\n");
  EXPECT_EQ(table.to_markdown(),
            "| A | LONGER |\n| --- | --- |\n| one | some \xc3\xa4 text |\n| \xc3\xa4 | x |\n");
  Table wide({"A"});
  wide.add({std::string(50, 'x')});
  EXPECT_EQ(wide.to_text(20), "A\n" + std::string(19, 'x') + "\xe2\x80\xa6\n");
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object().key("a").begin_array().number(1).text("x:").text("{").end_array();
  json.key("b").boolean(true).key("c").begin_object().end_object().key("d").texts({"p", "q"});
  EXPECT_EQ(json.end_object().result(),
            "{\"a\":[1,\"x:\",\"{\"],\"b\":true,\"c\":{},\"d\":[\"p\",\"q\"]}");
}

TEST(Explain, ShowsTheConditionAsATree) {
  const std::string text = explain_text(rule_of(kRule));
  EXPECT_NE(
      text.find("Condition:\n"
                "  all of\n"
                "    evt.type in (open, openat)\n"
                "    evt.is_open_write = true\n"
                "    any of\n"
                "      proc.name in (a, b, c, d, e, f, g, h, i, j, k, l, … 14 values in all)\n"
                "      fd.name startswith /etc/\n"
                "    not proc.pname = x\n"),
      std::string::npos)
      << text;
  for (const char* line :
       {"Priority: Warning\n", "Tags:     a, b\n", "Events:   open, openat\n", "Macros:   named\n",
        "Lists:    names\n", "Defined:  test.yaml:5\n",
        "Fields:   evt.is_open_write, evt.type, fd.name, proc.name, proc.pname\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_NE(text.find("only opened for writing"), std::string::npos) << text;
}

TEST(Explain, CountsChecksOnceAndByKind) {
  const auto json = formats::parse_json(explain_json(rule_of(kRule)));
  ASSERT_TRUE(json.ok()) << json.error().to_text();
  EXPECT_EQ(json->text_of("name"), "Some rule");
  EXPECT_EQ(json->text_of("condition"),
            "(evt.type in (open, openat) and evt.is_open_write = true and ((proc.name in (a, b, c, "
            "d, e, f, g, h, i, j, k, l, m, n) or fd.name startswith /etc/) and not proc.pname = "
            "x))");
  int64_t checks = 0;
  for (const formats::JsonNode& part : json->find("cost")->find("checks")->items)
    checks += part.int_of("per_event") + part.int_of("per_process");
  EXPECT_EQ(checks, 5);
  ASSERT_NE(json->find("kernel"), nullptr);
  EXPECT_NE(json->find("kernel")->find("openat"), nullptr);
  EXPECT_EQ(json->find("kernel")->find("connect"), nullptr);
}

TEST(Explain, RulesOfOtherSourcesNeedNoKernel) {
  const rules::Rule rule = rule_of(
      "- rule: r\n  desc: d\n  condition: ka.verb = get\n  output: o\n  priority: INFO\n"
      "  source: k8s_audit\n");
  EXPECT_EQ(explain_text(rule).find("In the kernel"), std::string::npos);
  const auto json = formats::parse_json(explain_json(rule));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->find("kernel"), nullptr);
}

}  // namespace
}  // namespace saker::cmd
