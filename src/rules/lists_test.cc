// List substitution: the cases that the language defines, and agreement with the plain algorithm of
// one pass a list, on random lists and texts.
#include "rules/lists.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace saker::rules {
namespace {

ListDef list_of(std::string name, std::vector<std::string> items, size_t order) {
  return {.name = std::move(name),
          .items = std::move(items),
          .place = {},
          .order = {.index = order, .visibility = order}};
}

struct Lists {
  NamedVector<ListDef> defs;
  ListTable table;

  explicit Lists(std::vector<std::pair<std::string, std::vector<std::string>>> lists) {
    size_t order = 0;
    for (auto& [name, items] : lists) defs.add(list_of(name, items, order++));
    ExpansionBudget budget;
    EXPECT_TRUE(table.build(defs, budget));
  }
  std::string expand(std::string_view text) {
    ExpansionBudget budget;
    ExpandedText out;
    EXPECT_TRUE(table.expand(text, budget, out));
    return out.text;
  }
};

// Blanks count for nothing outside of strings.
std::string squeezed(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    if (std::string_view("(),=").contains(c) && out.ends_with(' ')) out.pop_back();
    if (c == ' ' && !out.empty() && std::string_view("(),=").contains(out.back())) continue;
    out += c;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

TEST(Lists, NamesBetweenDelimitersAreReplaced) {
  Lists lists({{"shells", {"sh", "bash"}}, {"dirs", {"/a b", "'/c d'", "/e"}}});
  EXPECT_EQ(squeezed(lists.expand("proc.name in (shells)")), "proc.name in(sh,bash)");
  EXPECT_EQ(squeezed(lists.expand("proc.name in (x,shells , y)")), "proc.name in(x,sh,bash,y)");
  EXPECT_EQ(squeezed(lists.expand("a=shells")), "a=sh,bash");
  EXPECT_EQ(squeezed(lists.expand("shells")), "sh,bash");
  EXPECT_EQ(squeezed(lists.expand("fd.name in (dirs)")), "fd.name in(\"/a b\",'/c d',/e)");
  EXPECT_EQ(lists.expand("p in (shells_x, my-shells, \"shells\")"),
            "p in (shells_x, my-shells, \"shells\")");
  EXPECT_EQ(lists.expand("a = \"x shells y\""), "a = \"x sh, bash y\"");
}

TEST(Lists, EmptyListsTakeACommaWithThem) {
  Lists lists({{"none", {}}, {"nope", {}}, {"only_none", {"none"}}});
  EXPECT_EQ(squeezed(lists.expand("p in (none)")), "p in()");
  EXPECT_EQ(squeezed(lists.expand("p in (a, none)")), "p in(a)");
  EXPECT_EQ(squeezed(lists.expand("p in (none, a)")), "p in(a)");
  EXPECT_EQ(squeezed(lists.expand("p in (a, none, b)")), "p in(a,b)");
  EXPECT_EQ(squeezed(lists.expand("p in (none, nope)")), "p in()");
  EXPECT_EQ(squeezed(lists.expand("p in (none, nope, a)")), "p in(a)");
  EXPECT_EQ(squeezed(lists.expand("p in (only_none, a)")), "p in(a)");
}

TEST(Lists, NestingFollowsTheOrderOfDefinition) {
  // One level is copied when the inner list came first; what is still a name is replaced by lists
  // that come later.
  Lists inner_first({{"a", {"x", "y"}}, {"b", {"a", "z"}}});
  EXPECT_EQ(squeezed(inner_first.expand("(b)")), "(x,y,z)");
  Lists outer_first({{"c", {"b"}}, {"b", {"a"}}, {"a", {"x"}}});
  EXPECT_EQ(squeezed(outer_first.expand("(c)")), "(x)");
  Lists three_inner_first({{"a", {"x"}}, {"b", {"a"}}, {"c", {"b"}}});
  EXPECT_EQ(squeezed(three_inner_first.expand("(c)")), "(a)");
  Lists itself({{"a", {"a", "b"}}});
  EXPECT_EQ(squeezed(itself.expand("(a)")), "(a,b)");
}

TEST(Lists, OddNamesAreMatchedLiterally) {
  Lists lists({{"test list", {"x"}}, {"a.*", {"y"}}, {"test", {"t"}}});
  EXPECT_EQ(squeezed(lists.expand("p in (test list)")), "p in(x)");
  EXPECT_EQ(squeezed(lists.expand("p in (a.*, abc)")), "p in(y,abc)");
  EXPECT_EQ(squeezed(lists.expand("p in (test)")), "p in(t)");
}

TEST(Lists, PlacesLeadBack) {
  Lists lists({{"l", {"aaaaaaaa", "bbbbbbbb"}}});
  ExpansionBudget budget;
  ExpandedText out;
  const std::string text = "p in (l) and q = 1 and r in (l,z) and s";
  ASSERT_TRUE(lists.table.expand(text, budget, out));
  for (std::string_view word : {"and q", "q = 1", "r in", "z)", "and s"})
    EXPECT_EQ(out.source_of(out.text.find(word)), text.find(word)) << word;
  EXPECT_EQ(out.source_of(out.text.find("bbbbbbbb")), text.find('l'));
  EXPECT_EQ(out.source_of(out.text.rfind("bbbbbbbb")), text.rfind('l'));
  EXPECT_EQ(out.lists, std::vector<uint32_t>{0});
}

TEST(Lists, GrowthIsBounded) {
  std::vector<std::pair<std::string, std::vector<std::string>>> many;
  for (int i = 0; i < 64; ++i)
    many.push_back(
        {"l" + std::to_string(i), {"l" + std::to_string(i + 1), "l" + std::to_string(i + 1)}});
  Lists doubling(many);
  ExpansionBudget budget;
  ExpandedText out;
  EXPECT_FALSE(doubling.table.expand("(l0)", budget, out));
  many.push_back({"l64", {}});
  Lists to_nothing(many);
  budget = {};
  EXPECT_FALSE(to_nothing.table.expand("(l0)", budget, out));
  std::vector<std::pair<std::string, std::vector<std::string>>> chain;
  for (int i = 0; i < 50'000; ++i)
    chain.push_back({"l" + std::to_string(i), {"l" + std::to_string(i + 1)}});
  Lists deep(chain);
  budget = {};
  EXPECT_TRUE(deep.table.expand("(l0)", budget, out));
  EXPECT_EQ(squeezed(out.text), "(l50000)");
}

// The language's own definition: one pass over the text for each list.
std::string plain_expand(const NamedVector<ListDef>& lists, std::string text) {
  auto is_blank = [](char c) { return c == ' '; };
  auto is_delimiter = [](char c) { return std::string_view(" (),=").contains(c); };
  for (const ListDef& list : lists.all()) {
    std::vector<std::string> items;
    for (const std::string& item : list.items) {
      const ListDef* inner = lists.find(item);
      if (inner != nullptr && inner->order.index < list.order.visibility)
        items.insert(items.end(), inner->items.begin(), inner->items.end());
      else
        items.push_back(item);
    }
    std::string joined;
    for (const std::string& item : items) joined += (joined.empty() ? "" : ", ") + item;
    size_t at = 0;
    while ((at = text.find(list.name, at)) != std::string::npos) {
      size_t begin = at, end = at + list.name.size();
      if ((begin > 0 && !is_delimiter(text[begin - 1])) ||
          (end < text.size() && !is_delimiter(text[end]))) {
        ++at;
        continue;
      }
      while (begin > 0 && is_blank(text[begin - 1])) --begin;
      while (end < text.size() && is_blank(text[end])) ++end;
      if (joined.empty()) {
        if (begin > 0 && text[begin - 1] == ',')
          --begin;
        else if (end < text.size() && text[end] == ',')
          ++end;
      }
      const std::string before = text.substr(0, begin) + " " + joined;
      text = before + " " + text.substr(end);
      at = before.size();
    }
  }
  return text;
}

TEST(Lists, AgreeWithOnePassAList) {
  std::mt19937 random(7);
  auto below = [&](size_t n) { return static_cast<size_t>(random()) % n; };
  const std::vector<std::string> words = {"la", "lb", "lc", "ld", "le", "x", "y", "lax", "xlb"};
  for (int round = 0; round < 5000; ++round) {
    NamedVector<ListDef> defs;
    std::vector<std::string> names = {"la", "lb", "lc", "ld", "le"};
    std::shuffle(names.begin(), names.end(), random);
    for (size_t i = 0; i < names.size(); ++i) {
      ListDef list = list_of(names[i], {}, i);
      if (below(4) == 0) list.order.visibility = 10 + i;  // defined again later
      for (size_t k = below(4); k > 0; --k) list.items.push_back(words[below(words.size())]);
      defs.add(list);
    }
    std::string text = "p in (";
    for (size_t k = 1 + below(4); k > 0; --k)
      text += words[below(words.size())] + (k > 1 ? (below(2) == 0 ? "," : " , ") : "");
    text += ") and q=" + words[below(words.size())];
    ListTable table;
    ExpansionBudget budget;
    ASSERT_TRUE(table.build(defs, budget));
    ExpandedText out;
    ASSERT_TRUE(table.expand(text, budget, out));
    ASSERT_EQ(squeezed(out.text), squeezed(plain_expand(defs, text))) << text;
  }
}

TEST(Lists, LargeListsAreQuick) {
  std::vector<std::pair<std::string, std::vector<std::string>>> many;
  for (int i = 0; i < 2000; ++i) many.push_back({"list_" + std::to_string(i), {"a", "b"}});
  many.push_back({"large", {}});
  for (int i = 0; i < 100'000; ++i) many.back().second.push_back("item" + std::to_string(i));
  Lists lists(many);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) lists.expand("p in (large) and q in (list_7, list_8)");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

}  // namespace
}  // namespace saker::rules
