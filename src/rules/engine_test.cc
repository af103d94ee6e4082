// The fast evaluator against the plain one: random rule sets over a handful of fields, random
// events, processes that change under way.
#include "rules/engine.h"

#include <gtest/gtest.h>

#include <random>

#include "rules/demand.h"

namespace saker::rules {
namespace {

using filter::EvalContext;
using filter::FieldArg;
using filter::FieldInfo;
using filter::Value;
using filter::Values;

// What the fake fields read; -1 and "" of `present` flags mean no value.
struct World {
  std::string process_name = "cat";
  bool has_process_name = true;
  int64_t uid = 0;
  std::string path = "/etc/passwd";
  bool has_path = true;
  bool writes = false;
  std::vector<std::string> ancestors = {"sh", "init"};
};
World world;

const FieldInfo kFields[] = {
    {.name = "p.name",
     .scope = filter::Scope::process,
     .extract =
         +[](const EvalContext&, const FieldArg&, Values& out) {
           if (world.has_process_name) out.add(Value::of_text(world.process_name));
           return world.has_process_name;
         }},
    {.name = "p.uid",
     .type = filter::Type::int64,
     .scope = filter::Scope::process,
     .extract =
         +[](const EvalContext&, const FieldArg&, Values& out) {
           out.add(Value::of_int(world.uid));
           return true;
         }},
    {.name = "p.aname",
     .many = filter::Many::any,
     .scope = filter::Scope::process,
     .extract =
         +[](const EvalContext&, const FieldArg&, Values& out) {
           for (const std::string& name : world.ancestors) out.add(Value::of_text(name));
           return !world.ancestors.empty();
         }},
    {.name = "e.path",
     .extract =
         +[](const EvalContext&, const FieldArg&, Values& out) {
           if (world.has_path) out.add(Value::of_text(world.path));
           return world.has_path;
         }},
    {.name = "e.writes",
     .type = filter::Type::boolean,
     .extract =
         +[](const EvalContext&, const FieldArg&, Values& out) {
           out.add(Value::of_bool(world.writes));
           return true;
         }},
    {.name = "evt.type",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           out.add(Value::of_text(context.event->info().name));
           return true;
         }},
};

const filter::FieldCatalog& catalog() {
  static const filter::FieldCatalog instance(
      {{.name = "fake", .source = "", .summary = "", .fields = kFields}});
  return instance;
}

class ConditionMaker {
 public:
  explicit ConditionMaker(std::mt19937& random) : random_(random) {}

  std::string make(int depth) {
    switch (depth <= 0 ? 0 : pick(5)) {
      case 0:
      case 1: return leaf();
      case 2: return "not (" + make(depth - 1) + ")";
      case 3: return "(" + make(depth - 1) + " and " + make(depth - 1) + ")";
      default: return "(" + make(depth - 1) + " or " + make(depth - 1) + ")";
    }
  }

 private:
  std::string leaf() {
    static const std::vector<std::string> kLeaves = {"p.name = cat",
                                                     "p.name in (cat, sh)",
                                                     "p.name != sh",
                                                     "p.name startswith c",
                                                     "p.name exists",
                                                     "p.uid = 0",
                                                     "p.uid > 0",
                                                     "p.uid in (1, 2)",
                                                     "p.aname = sh",
                                                     "p.aname in (init, x)",
                                                     "p.aname != init",
                                                     "p.aname contains s",
                                                     "e.path = /etc/passwd",
                                                     "e.path in (/etc/shadow, /tmp/x)",
                                                     "e.path startswith /etc",
                                                     "e.path startswith /e",
                                                     "e.path endswith .so",
                                                     "e.path contains tmp",
                                                     "e.path startswith ''",
                                                     "e.path pmatch (/etc, /lib)",
                                                     "e.path glob '/tmp/*'",
                                                     "e.path exists",
                                                     "e.writes = true",
                                                     "e.writes = false",
                                                     "evt.type = openat",
                                                     "evt.type in (openat, close)",
                                                     "evt.type != close",
                                                     "e.path != /etc/passwd",
                                                     "e.path = val(p.name)"};
    return kLeaves[static_cast<size_t>(pick(static_cast<int>(kLeaves.size())))];
  }
  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

  std::mt19937& random_;
};

Rule make_rule(const std::string& name, const std::string& condition) {
  Rule rule;
  rule.name = name;
  Result<filter::Node> node = filter::parse(condition);
  EXPECT_TRUE(node.ok()) << condition;
  rule.condition = *node;
  Result<filter::CompiledFilter> compiled =
      filter::compile(*node, catalog(), {.source = "", .in_rule = false});
  EXPECT_TRUE(compiled.ok()) << condition << ": "
                             << (compiled.ok() ? "" : compiled.error().message);
  rule.expr = std::move(compiled->root);
  rule.event_codes = {event::SYSCALL_OPENAT_2_X, event::SYSCALL_CLOSE_X, event::SYSCALL_READ_X};
  return rule;
}

void change_world(std::mt19937& random, event::RuleSlot& slot) {
  static const std::vector<std::string> kNames = {"cat", "sh", "curl", ""};
  static const std::vector<std::string> kPaths = {
      "/etc/passwd", "/etc/shadow", "/tmp/x", "/lib/a.so", "", "/e"};
  const auto pick = [&](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  world.path = pick(kPaths);
  world.has_path = random() % 8 != 0;
  world.writes = random() % 2 == 0;
  if (random() % 4 != 0) return;
  world.process_name = pick(kNames);
  world.has_process_name = random() % 8 != 0;
  world.uid = static_cast<int64_t>(random() % 3);
  world.ancestors.clear();
  for (size_t i = random() % 6; i > 0; --i)
    world.ancestors.push_back(pick({"sh", "init", "x", "systemd"}));
  ++slot.epoch;
}

void compare(std::mt19937& random, int rule_count) {
  ConditionMaker maker(random);
  RuleSet set;
  for (int i = 0; i < rule_count; ++i)
    set.rules.push_back(make_rule("r" + std::to_string(i), maker.make(4)));
  Engine engine(std::move(set), Matching::all);
  event::RuleSlot slot;
  event::Encoder encoder;
  Arena scratch;
  for (uint64_t i = 0; i < 300; ++i) {
    change_world(random, slot);
    constexpr event::EventCode kCodes[] = {event::SYSCALL_OPENAT_2_X, event::SYSCALL_CLOSE_X,
                                           event::SYSCALL_READ_X, event::SYSCALL_MMAP_X};
    encoder.begin(i, 1, kCodes[random() % 4]);
    Result<event::Event> event = event::Event::decode(encoder.finish(), 0);
    ASSERT_TRUE(event.ok());
    const EvalContext context{.event = &*event, .scratch = &scratch};
    event::RuleSlot* used = random() % 5 == 0 ? nullptr : &slot;
    const std::span<const uint32_t> hits = engine.match(context, used);
    const std::vector<uint32_t> fast(hits.begin(), hits.end());
    EXPECT_EQ(fast, engine.match_oracle(context)) << "event " << i;
  }
}

TEST(EngineTest, AgreesWithTheOracleOnRandomRules) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) compare(random, 1 + static_cast<int>(random() % 20));
}

TEST(EngineTest, AgreesWithTheOracleOnManyRules) {
  std::mt19937 random(11);
  compare(random, 400);
}

TEST(EngineTest, FirstMatchingStopsAtTheFirst) {
  RuleSet set;
  set.rules.push_back(make_rule("a", "evt.type = openat"));
  set.rules.push_back(make_rule("b", "evt.type = openat"));
  Engine engine(std::move(set), Matching::first);
  event::Encoder encoder;
  encoder.begin(1, 1, event::SYSCALL_OPENAT_2_X);
  Result<event::Event> event = event::Event::decode(encoder.finish(), 0);
  Arena scratch;
  EXPECT_EQ(engine.match({.event = &*event, .scratch = &scratch}, nullptr).size(), 1u);
  EXPECT_TRUE(engine.wants(event::SYSCALL_OPENAT_2_X));
  EXPECT_FALSE(engine.wants(event::SYSCALL_CLOSE_X));
  EXPECT_FALSE(engine.demand().events[event::SYSCALL_CLOSE_X]);
}

TEST(EngineTest, ARuleSetThatIsExchangedForgetsWhatTheOldOneKnew) {
  event::RuleSlot slot;
  event::Encoder encoder;
  encoder.begin(1, 1, event::SYSCALL_OPENAT_2_X);
  Result<event::Event> event = event::Event::decode(encoder.finish(), 0);
  Arena scratch;
  const EvalContext context{.event = &*event, .scratch = &scratch};
  world = World{};
  for (const char* condition : {"p.name = cat", "p.name = dog", "p.name = cat"}) {
    RuleSet set;
    set.rules.push_back(make_rule("r", condition));
    Engine engine(std::move(set), Matching::all);
    EXPECT_EQ(engine.match(context, &slot).size(),
              std::string_view(condition).ends_with("cat") ? 1u : 0u);
  }
}

}  // namespace
}  // namespace saker::rules
