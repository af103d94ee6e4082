// Every condition of up to a few nodes: text and tree say the same, and evaluation is the truth
// table.
#include <functional>

#include "filter/testing.h"

namespace saker::filter {
namespace {

// What a generated condition means: a function of which fields have which value.
struct World {
  // 0: absent, 1: "a", 2: "b"
  std::array<int, 3> values{};
};

struct Generated {
  std::string text;
  std::function<bool(const World&)> meaning;
};

// All checks on one field.
std::vector<Generated> leaves() {
  static constexpr std::array<const char*, 3> kFields = {"proc.name", "proc.pname", "fd.name"};
  std::vector<Generated> all;
  for (size_t f = 0; f < kFields.size(); ++f) {
    const std::string field = kFields[f];
    const auto add = [&](const std::string& rest, std::function<bool(int)> test) {
      all.push_back({field + rest, [f, test](const World& world) {
                       return world.values[f] != 0 && test(world.values[f]);
                     }});
    };
    add(" exists", [](int) { return true; });
    add("=a", [](int v) { return v == 1; });
    add(" != a", [](int v) { return v != 1; });
    add(" in (a, \"b\")", [](int v) { return v == 1 || v == 2; });
    add(" in ()", [](int) { return false; });
    add(" = oneof (a, a, b)", [](int v) { return v == 2; });
    add(" != allof (b, c)", [](int v) { return v != 2; });
  }
  all.push_back({"proc.name = val(proc.pname)", [](const World& world) {
                   return world.values[0] != 0 && world.values[0] == world.values[1];
                 }});
  return all;
}

FakeEvent event_of(const World& world) {
  static constexpr std::array<const char*, 3> kFields = {"proc.name", "proc.pname", "fd.name"};
  FakeEvent event;
  for (size_t f = 0; f < kFields.size(); ++f)
    if (world.values[f] != 0) event.set_text(kFields[f], {world.values[f] == 1 ? "a" : "b"});
  return event;
}

std::vector<World> worlds() {
  std::vector<World> all;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 3; ++c) all.push_back({{a, b, c}});
  return all;
}

Generated negation_of(const Generated& inner, bool with_blank) {
  return {(with_blank ? "not (" : "not(") + inner.text + ")",
          [test = inner.meaning](const World& world) { return !test(world); }};
}

Generated joined(const Generated& a, const Generated& b, bool conjunction) {
  return {a.text + (conjunction ? " and " : " or ") + b.text,
          [x = a.meaning, y = b.meaning, conjunction](const World& world) {
            return conjunction ? x(world) && y(world) : x(world) || y(world);
          }};
}

Generated in_parentheses(const Generated& inner) {
  return {"(" + inner.text + ")", inner.meaning};
}

class Grammar : public testing::Test {
 protected:
  Grammar() {
    for (const World& world : worlds()) events_.push_back({world, event_of(world)});
  }

  void check(const Generated& condition) {
    ++count_;
    const Result<Node> node = parse(condition.text);
    ASSERT_TRUE(node.ok()) << condition.text << ": " << node.error().to_text();
    const std::string text = to_text(*node);
    const Result<Node> again = parse(text);
    ASSERT_TRUE(again.ok()) << text << ": " << again.error().to_text();
    ASSERT_EQ(to_text(*again), text) << condition.text;
    ASSERT_TRUE(same(*node, *again)) << condition.text << " / " << text;
    const Result<CompiledFilter> filter =
        compile(*again, small_catalog(), {.source = "", .in_rule = false});
    ASSERT_TRUE(filter.ok()) << text << ": " << filter.error().to_text();
    for (const auto& [world, event] : events_) {
      scratch_.reset();
      ASSERT_EQ(matches(filter->root, event.context(scratch_)), condition.meaning(world))
          << condition.text << " / " << text;
    }
  }

  static bool same_operand(const OperandAst& a, const OperandAst& b) {
    return a.kind == b.kind && a.text == b.text && a.transformer == b.transformer &&
           a.selector == b.selector && a.args.size() == b.args.size() &&
           std::equal(a.args.begin(), a.args.end(), b.args.begin(), same_operand);
  }

  static bool same(const Node& a, const Node& b) {
    return a.kind == b.kind && a.macro == b.macro && a.op == b.op && a.modifier == b.modifier &&
           a.values == b.values && a.is_list == b.is_list && same_operand(a.left, b.left) &&
           (a.right == nullptr) == (b.right == nullptr) &&
           (a.right == nullptr || same_operand(*a.right, *b.right)) &&
           a.children.size() == b.children.size() &&
           std::equal(a.children.begin(), a.children.end(), b.children.begin(), same);
  }

  Arena scratch_;
  std::vector<std::pair<World, FakeEvent>> events_;
  size_t count_ = 0;
};

TEST_F(Grammar, OneAndTwoChecksInEveryShape) {
  const std::vector<Generated> all = leaves();
  std::vector<Generated> units = all;
  for (const Generated& leaf : all) {
    units.push_back(
        {"not " + leaf.text, [test = leaf.meaning](const World& world) { return !test(world); }});
    units.push_back(negation_of(negation_of(leaf, true), false));
  }
  for (const Generated& a : units) {
    check(a);
    for (const Generated& b : units) {
      for (bool conjunction : {true, false}) {
        check(joined(a, b, conjunction));
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_EQ(count_, 66u + 66u * 66 * 2);
}

// Three and four checks: precedence, and parentheses around any part.
TEST_F(Grammar, ThreeAndFourChecksInEveryShape) {
  const std::vector<Generated> all = leaves();
  const std::array<Generated, 4> few = {
      all[1], {"not " + all[9].text, negation_of(all[9], true).meaning}, all[17], all.back()};
  // `and` binds closer than `or`: build the meaning by hand for each pair of words.
  const auto three = [](const Generated& a, const Generated& b, const Generated& c, bool first,
                        bool second) {
    if (!first && second) {
      const Generated right = joined(b, c, true);
      Generated whole = joined(a, right, false);
      return whole;
    }
    return joined(joined(a, b, first), c, second);
  };
  for (const Generated& a : few) {
    for (const Generated& b : few) {
      for (const Generated& c : few) {
        for (unsigned shape = 0; shape < 4; ++shape) {
          const bool first = shape & 1, second = shape & 2;
          const Generated flat = three(a, b, c, first, second);
          check(flat);
          check(joined(in_parentheses(joined(a, b, first)), c, second));
          check(joined(a, in_parentheses(joined(b, c, second)), first));
          check(negation_of(flat, true));
          for (const Generated& d : few) {
            for (bool last : {true, false}) {
              check(joined(in_parentheses(flat), d, last));
              check(joined(d, negation_of(flat, false), last));
            }
          }
          if (HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_EQ(count_, 64u * 4 * (4 + 16));
}

}  // namespace
}  // namespace saker::filter
