// Event code inference, against the reference's vectors and by its own laws.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "rules/ruleset.h"

namespace saker::rules {
namespace {

using CodeSet = std::optional<std::set<event::EventCode>>;

CodeSet codes_of(std::string_view condition) {
  Result<filter::Node> node = filter::parse(condition);
  EXPECT_TRUE(node.ok()) << condition << ": " << node.error().to_text();
  return node ? event_codes_of(*node) : CodeSet();
}

std::set<event::EventCode> named(std::initializer_list<std::string_view> names) {
  std::set<event::EventCode> codes;
  for (std::string_view name : names)
    for (event::EventCode code : event::codes_of_name(name)) codes.insert(code);
  return codes;
}

std::set<event::EventCode> all_but(const std::set<event::EventCode>& without) {
  std::set<event::EventCode> codes;
  for (uint16_t code = 0; code < event::kEventCodeCount; ++code)
    if (!without.contains(static_cast<event::EventCode>(code)))
      codes.insert(static_cast<event::EventCode>(code));
  return codes;
}

TEST(EventCodes, AgreeWithTheReferenceVectors) {
  std::ifstream file(SAKER_SOURCE_DIR "/../shared/conformance/falco/filter-vectors.jsonl");
  if (!file) GTEST_SKIP() << "no shared folder";
  const std::map<std::string, CodeSet> sets = {
      {"all_events", std::nullopt},
      {"no_events", std::set<event::EventCode>{}},
      {"openat_only", named({"openat"})},
      {"not_openat", all_but(named({"openat"}))},
      {"openat_close_only", named({"openat", "close"})},
      {"not_openat_close", all_but(named({"openat", "close"}))},
  };
  // One vector was cut short where the original appends a condition that is always true.
  const auto whole = [](std::string text) {
    return text.ends_with(" and ") ? text + "evt.type exists" : text;
  };
  const std::string same = "same codes as: ";
  size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json vector = nlohmann::json::parse(line);
    if (vector["kind"] != "evtcodes") continue;
    ++count;
    const std::string condition = whole(vector["filter"]);
    const std::string expected = vector["expect"];
    if (expected.starts_with(same)) {
      EXPECT_EQ(codes_of(condition), codes_of(expected.substr(same.size()))) << condition;
    } else {
      ASSERT_TRUE(sets.contains(expected)) << expected;
      EXPECT_EQ(codes_of(condition), sets.at(expected)) << condition;
    }
  }
  EXPECT_EQ(count, 72u);
}

TEST(EventCodes, GenericSyscallsShareTheGenericCodes) {
  const std::set<event::EventCode> generic = {event::GENERIC_E, event::GENERIC_X};
  EXPECT_EQ(codes_of("evt.type = acct"), generic);
  EXPECT_EQ(codes_of("syscall.type in (acct, open)")->size(), named({"acct", "open"}).size());
  // Other generic calls are not acct: the types must stay in.
  EXPECT_EQ(codes_of("evt.type != acct"), std::nullopt);
  EXPECT_EQ(codes_of("not evt.type = acct"), std::nullopt);
}

TEST(EventCodes, ExistsAndModifiers) {
  EXPECT_EQ(codes_of("evt.type exists"), std::nullopt);
  EXPECT_EQ(codes_of("not evt.type exists"), CodeSet(std::set<event::EventCode>{}));
  EXPECT_EQ(codes_of("evt.type = anyof (open, close)"), named({"open", "close"}));
  EXPECT_EQ(codes_of("not evt.type = anyof (open, close)"), all_but(named({"open", "close"})));
  EXPECT_EQ(codes_of("not evt.type = allof (open, close)"), std::nullopt);
  EXPECT_EQ(codes_of("evt.type contains open"), std::nullopt);
  EXPECT_EQ(codes_of("not evt.type contains open"), std::nullopt);
  EXPECT_EQ(codes_of("evt.type = nonsense"), CodeSet(std::set<event::EventCode>{}));
}

// Brute force: a condition over evt.type and one unknown must be true for no other type.
TEST(EventCodes, NeverMissAType) {
  const std::vector<std::string> leaves = {"evt.type = open", "evt.type != close",
                                           "evt.type in (open, close)", "proc.name = x"};
  const std::vector<std::string_view> types = {"open", "close", "read"};
  const auto leaf = [&](size_t index, std::string_view type, bool unknown) {
    switch (index) {
      case 0: return type == "open";
      case 1: return type != "close";
      case 2: return type == "open" || type == "close";
      default: return unknown;
    }
  };
  for (size_t a = 0; a < 4; ++a) {
    for (size_t b = 0; b < 4; ++b) {
      for (unsigned shape = 0; shape < 16; ++shape) {
        const bool conjunction = shape & 1, not_a = shape & 2, not_b = shape & 4, whole = shape & 8;
        const std::string text = std::string(whole ? "not (" : "(") + (not_a ? "not " : "") +
                                 leaves[a] + (conjunction ? " and " : " or ") +
                                 (not_b ? "not " : "") + leaves[b] + ")";
        const CodeSet codes = codes_of(text);
        for (std::string_view type : types) {
          for (bool unknown : {false, true}) {
            const bool left = leaf(a, type, unknown) != not_a;
            const bool right = leaf(b, type, unknown) != not_b;
            const bool holds = (conjunction ? left && right : left || right) != whole;
            if (!holds || !codes) continue;
            for (event::EventCode code : named({type}))
              EXPECT_TRUE(codes->contains(code)) << text << " " << type;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace saker::rules
