// What rules ask of the kernel because of the parameters that they read.
#include "rules/demand.h"

#include <gtest/gtest.h>

#include "rules/engine.h"

namespace saker::rules {
namespace {

using filter::EvalContext;
using filter::FieldArg;
using filter::FieldInfo;
using filter::Values;

bool never(const EvalContext&, const FieldArg&, Values&) {
  return false;
}

const FieldInfo kFields[] = {
    {.name = "evt.type", .extract = never},
    {.name = "evt.arg", .arg = filter::ArgRule::required, .extract = never},
    {.name = "fd.name", .extract = never},
};

event::Demand demand_of(std::string_view condition) {
  static const filter::FieldCatalog catalog(
      {{.name = "evt", .source = "", .summary = "", .fields = kFields}});
  Rule rule;
  const Result<filter::Node> node = filter::parse(condition);
  EXPECT_TRUE(node.ok());
  Result<filter::CompiledFilter> compiled = filter::compile(*node, catalog, {});
  EXPECT_TRUE(compiled.ok()) << (compiled.ok() ? "" : compiled.error().message);
  rule.expr = std::move(compiled->root);
  rule.event_codes = {event::SYSCALL_READ_X};
  RuleSet set;
  set.rules.push_back(std::move(rule));
  return Engine(std::move(set), Matching::all).demand();
}

TEST(Demand, KnowsParametersByNameAndByNumber) {
  // read: res, data, fd, size.
  EXPECT_TRUE(demand_of("evt.arg.data contains x").needs_data);
  EXPECT_TRUE(demand_of("evt.arg[1] contains x").needs_data);
  EXPECT_FALSE(demand_of("evt.arg[0] = 1").needs_data);
  EXPECT_FALSE(demand_of("evt.arg.res = 1").needs_data);
  EXPECT_FALSE(demand_of("evt.arg[99] = 1").needs_data);
}

TEST(Demand, AnFdAmongTheParametersIsShownWithItsName) {
  const auto asks_for_fd = [](std::string_view condition) {
    return demand_of(condition).fd_info.test(event::SYSCALL_READ_X);
  };
  EXPECT_TRUE(asks_for_fd("evt.arg.fd contains passwd"));
  EXPECT_TRUE(asks_for_fd("evt.arg[2] contains passwd"));
  EXPECT_TRUE(asks_for_fd("fd.name contains passwd"));
  EXPECT_FALSE(asks_for_fd("evt.arg.size = 1"));
}

}  // namespace
}  // namespace saker::rules
