// Parsing: places and messages of errors, bounds, and text again.
#include <gtest/gtest.h>

#include <ctime>

#include "filter/ast.h"
#include "filter/escape.h"

namespace saker::filter {
namespace {

Error parse_error(std::string_view text, uint32_t depth = kRuleDepth) {
  Result<Node> node = parse(text, depth);
  EXPECT_FALSE(node.ok()) << text;
  return node.ok() ? Error{} : std::move(node).error();
}

std::string round_trip(std::string_view text) {
  const Result<Node> node = parse(text);
  EXPECT_TRUE(node.ok()) << text << ": " << (node.ok() ? "" : node.error().to_text());
  return node ? to_text(*node) : "";
}

TEST(Parser, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string_view text, message;
    uint32_t line, column;
  };
  const Case cases[] = {
      {"", "expected a '(' token, a field check, or an identifier", 1, 1},
      {"a andb", "expected blank or '(' after 'and'", 1, 6},
      {"a b", "unexpected token after 'a', expecting 'or', 'and'", 1, 3},
      {"(proc.name = x", "expected a ')' token", 1, 15},
      {"proc.name", "expected a valid check operator", 1, 10},
      {"proc.name = ", "expected a valid string value", 1, 13},
      {"proc.name =\n  (", "expected a valid string value", 2, 3},
      {"proc.pid > x", "expected a valid number value", 1, 12},
      {"proc.name contains\"x\"", "expected blank after 'contains'", 1, 19},
      {"a or\n\n  proc.name in (a,\n b c)", "expected a ')' token", 4, 4},
      {"evt.arg[] = x", "expected a valid field argument", 1, 9},
      {"evt.arg[x = x", "expected a ']' token", 1, 10},
      {"proc.name = \"a\\qb\"", "invalid escape sequence '\\q'", 1, 15},
      {"proc.name = \"a\\x1\"", "invalid \\x escape", 1, 15},
      {"join() = x", "expected an argument of 'join'", 1, 6},
      {"a and x.y = val(tolower(x.z))", "expected a field within 'val'", 1, 17},
  };
  for (const Case& row : cases) {
    const Error error = parse_error(row.text);
    EXPECT_TRUE(error.message.contains(row.message)) << row.text << ": " << error.message;
    EXPECT_EQ(error.position.line, row.line) << row.text;
    EXPECT_EQ(error.position.column, row.column) << row.text;
  }
}

TEST(Parser, CountsDepthAsTheReferenceDoes) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '(') + "a" + std::string(levels, ')');
  };
  EXPECT_TRUE(parse(nested(19), kDefaultDepth).ok());
  EXPECT_TRUE(
      parse_error(nested(20), kDefaultDepth).message.contains("exceeded max depth limit of 100"));
  EXPECT_TRUE(parse(nested(199), kRuleDepth).ok());
  EXPECT_TRUE(parse_error(nested(200)).message.contains("exceeded max depth limit of 1000"));
  EXPECT_TRUE(parse_error(nested(5000)).message.contains("exceeded max depth limit of 1000"));
  EXPECT_FALSE(parse(std::string(1'000'000, '(')).ok());
  std::string nots;
  for (int i = 0; i < 100'001; ++i) nots += "not ";
  EXPECT_EQ(round_trip(nots + "a"), "not a");
  std::string calls;
  for (int i = 0; i < 5000; ++i) calls += "tolower(";
  EXPECT_TRUE(parse_error(calls + "a.b").message.contains("exceeded max depth"));
  calls.clear();
  for (int i = 0; i < 5000; ++i) calls += "not(";
  EXPECT_TRUE(parse_error(calls).message.contains("exceeded max depth"));
}

TEST(Parser, TakesLargeConditionsInTime) {
  const std::clock_t start = std::clock();  // of the processor: the machine may be busy
  std::string list = "proc.name in (";
  for (int i = 0; i < 100'000; ++i) list += "item" + std::to_string(i) + ", ";
  Result<Node> node = parse(list + "last)");
  ASSERT_TRUE(node.ok());
  EXPECT_EQ(node->values.size(), 100'001u);

  std::string chain = "a";
  while (chain.size() < 10'000'000) chain += " or a";
  EXPECT_EQ(parse_error(chain).message, "condition has too many checks");
  EXPECT_EQ(parse_error(std::string(40'000'000, ' ')).message, "condition is too long");
  node = parse("a" + std::string(10'000'000, '\n') + "and b");
  ASSERT_TRUE(node.ok());
  EXPECT_EQ(node->children[1].place.line, 10'000'001u);
  EXPECT_LT(std::clock() - start, 10 * CLOCKS_PER_SEC);
}

TEST(Parser, WritesTheTextAgain) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a", "a"},
      {"((a))", "a"},
      {"a and b or not c", "((a and b) or not c)"},
      {"a and (b or c)", "(a and (b or c))"},
      {"(a and b) and c", "((a and b) and c)"},
      {"not (not a)", "not (not a)"},
      {"not not not a", "not a"},
      {"proc.name==x", "proc.name = x"},
      {"proc.name in(a,\"b c\",'')", "proc.name in (a, \"b c\", \"\")"},
      {"proc.name in list", "proc.name in list"},
      {"proc.name = oneof (a,b)", "proc.name = oneof (a, b)"},
      {"proc.name = oneof and b", "(proc.name = oneof and b)"},
      {"proc.name = anyof x", "proc.name = anyof x"},
      {"fd.num>=-1.5e+3", "fd.num >= -1.5e+3"},
      {"evt.arg[0] exists", "evt.arg[0] exists"},
      {"proc.env[\"A B\"] = x", "proc.env[\"A B\"] = x"},
      {"tolower( proc.name ) = val( proc.pname )", "tolower(proc.name) = val(proc.pname)"},
      {"join('-', (a.b,3)) in ()", "join(\"-\", (a.b, \"3\")) in ()"},
      {"getopt(a.b,'x:')[x] exists", "getopt(a.b, \"x:\")[\"x\"] exists"},
      {"a.b = 'it\\'s \"x\"'", "a.b = \"it's \\\"x\\\"\""},
      {"a.b regex a\\.b", "a.b regex a\\.b"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(round_trip(text), expected) << text;
    EXPECT_EQ(round_trip(expected), expected);
  }
}

TEST(Parser, EveryValueSurvivesQuoting) {
  const char alphabet[] = {'a', '\\', '"', '\'', ' ', '\0', '\n', 'x', '\x7f', '\xff', '(', '/'};
  for (char a : alphabet) {
    for (char b : alphabet) {
      for (char c : alphabet) {
        const std::string value = {a, b, c};
        std::string quoted;
        append_quoted(value, quoted);
        const Result<std::string> back = unescape(quoted);
        ASSERT_TRUE(back.ok()) << quoted;
        EXPECT_EQ(*back, value) << quoted;
        std::string text = "a.b = ";
        append_value(value, text);
        const Result<Node> node = parse(text + " and c");
        ASSERT_TRUE(node.ok()) << text << ": " << node.error().to_text();
        EXPECT_EQ(node->children[0].values[0], value) << text;
      }
    }
  }
}

TEST(Parser, ReadsEscapes) {
  EXPECT_EQ(*unescape(R"("\b\f\n\r\t\\\/\"\x00\xfF")"),
            std::string_view("\b\f\n\r\t\\/\"\0\xff", 10));
  EXPECT_EQ(*unescape(R"('\'')"), "'");
  EXPECT_EQ(*unescape(R"("a\ b")"), "a\\b");
  EXPECT_FALSE(unescape(R"("\'")").ok());
  EXPECT_FALSE(unescape(R"('\"')").ok());
  EXPECT_FALSE(unescape(R"("\u0041")").ok());
  EXPECT_FALSE(unescape("\"").ok());
  EXPECT_FALSE(unescape("\"a'").ok());
  EXPECT_FALSE(unescape("\"a\"b\"").ok());
  EXPECT_FALSE(unescape("").ok());
}

TEST(Parser, ParsesAnOperandAtTheFront) {
  const std::pair<std::string_view, size_t> cases[] = {
      {"proc.name, x", 9},          {"proc.name.", 9},           {"proc.aname[2] is", 13},
      {"tolower(proc.name))", 18},  {"evt.arg.flags)", 13},      {"val(a.b)", 8},
      {"proc.env[\"a ] b\"]x", 17}, {"getopt(a.b,\"x\")[x]", 18}};
  for (const auto& [text, length] : cases) {
    const Result<ParsedOperand> parsed = parse_operand(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->length, length) << text;
  }
  EXPECT_FALSE(parse_operand("proc").ok());
  EXPECT_FALSE(parse_operand("").ok());
  EXPECT_FALSE(parse_operand("tolower(proc.name").ok());
}

TEST(Parser, CopiesATree) {
  const Result<Node> node = parse("a and not x.y = tolower(z.w) or x.y in (a, b)");
  ASSERT_TRUE(node.ok());
  Node copy = *node;
  EXPECT_EQ(to_text(copy), to_text(*node));
  copy = copy.children[0];
  EXPECT_EQ(to_text(copy), "(a and not x.y = tolower(z.w))");
}

}  // namespace
}  // namespace saker::filter
