#include "capture/bpf/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/strings.h"
#include "capture/bpf/syscall_table.h"

namespace saker::capture {
namespace {

using namespace kernel;

constexpr size_t kOpenat = 257, kClose = 3, kConnect = 42, kDup = 32, kGetpid = 39;

TEST(Plan, WithoutRulesOnlyStateIsWanted) {
  const CapturePlan plan = make_plan({});
  EXPECT_EQ(plan.scope, FdScope::none);
  EXPECT_EQ(plan.wanted[kGetpid] & (WANT_RULES | WANT_STATE), 0);
  EXPECT_EQ(plan.wanted[kClose] & (WANT_RULES | WANT_STATE), 0);
  EXPECT_EQ(plan.wanted[kConnect] & (WANT_RULES | WANT_STATE), 0);
  EXPECT_EQ(plan.wanted[kOpenat] & 3, WANT_STATE);
  EXPECT_EQ(plan.tests[kOpenat].state_when, WHEN_DIRECTORY);
}

TEST(Plan, SocketRulesNeedSocketsNotFiles) {
  event::Demand demand;
  for (const event::EventCode code : {event::SOCKET_CONNECT_X, event::SYSCALL_DUP_1_X}) {
    demand.events.set(code);
    demand.fd_info.set(code);
  }
  demand.tests[event::SYSCALL_DUP_1_X].only_socket_fd = true;
  const CapturePlan plan = make_plan(demand);
  EXPECT_EQ(plan.scope, FdScope::sockets);
  EXPECT_EQ(plan.tests[kDup].flags, TEST_SOCKET);
  EXPECT_EQ(plan.wanted[kClose] & 3, 0);
  // A rule on the fd of any dup needs the opens too.
  demand.tests[event::SYSCALL_DUP_1_X].only_socket_fd = false;
  const CapturePlan wider = make_plan(demand);
  EXPECT_EQ(wider.scope, FdScope::all);
  EXPECT_EQ(wider.wanted[kClose] & 3, WANT_STATE);
  EXPECT_EQ(wider.tests[kOpenat].state_when, WHEN_OK);
}

TEST(Plan, TooManyPathsMeanNoTest) {
  event::Demand demand;
  demand.events.set(event::SYSCALL_OPENAT_2_X);
  auto& test = demand.tests[event::SYSCALL_OPENAT_2_X];
  for (event::ClassTest& of_class : test.by_class) {
    of_class.which = event::ClassTest::Which::paths;
    for (int i = 0; i < kMaxPatterns; ++i)
      of_class.paths.prefixes.push_back("/a" + std::to_string(i));
  }
  EXPECT_EQ(make_plan(demand).tests[kOpenat].flags, TEST_CLASS);
  for (event::ClassTest& of_class : test.by_class) of_class.paths.prefixes.emplace_back("/b");
  EXPECT_EQ(make_plan(demand).tests[kOpenat].flags, 0);
}

TEST(Plan, EverythingWantsEveryCall) {
  event::Demand demand;
  demand.everything = true;
  const CapturePlan plan = make_plan(demand);
  for (const event::SyscallInfo& call : event::all_syscalls()) {
    if (call.number < 0 || call.number >= kSyscalls) continue;
    EXPECT_EQ(plan.wanted[static_cast<size_t>(call.number)] & 3, WANT_RULES) << call.name;
  }
}

// The table agrees with the schema: every call has its event, and fixed-size parameters their
// width.
TEST(SyscallTable, AgreesWithTheSchema) {
  for (const event::SyscallInfo& call : event::all_syscalls()) {
    if (call.number < 0 || call.number >= kSyscalls) continue;
    const SyscallPlan plan = plan_of_syscall(static_cast<unsigned>(call.number));
    EXPECT_EQ(plan.type, call.exit_event) << call.name;
    const event::EventInfo& info = event::info(plan.type);
    if (plan.generic_id != 0) continue;
    for (size_t i = 0; i < plan.ops_count; ++i) {
      const Op& op = plan.ops[i];
      if (op.kind == OP_TASK) break;
      const size_t size = event::fixed_size(info.params[i].type);
      const auto where = std::string(call.name) + "." + std::string(info.params[i].name);
      if (op.kind == OP_ARG || op.kind == OP_V || op.kind == OP_FLAGS || op.kind == OP_ENUM ||
          (op.kind == OP_CONST && size != 0)) {
        EXPECT_EQ(op.width, size) << where;
      }
      if (op.kind == OP_RET || op.kind == OP_S32) {
        EXPECT_EQ(size, 8u) << where;
      }
      if (op.kind == OP_IOV_SIZE || op.kind == OP_RET_SIZE || op.kind == OP_MODE ||
          op.kind == OP_FAMILY) {
        EXPECT_EQ(size, 4u) << where;
      }
      if (op.kind == OP_STR || op.kind == OP_OPEN_NAME) {
        EXPECT_EQ(size, 0u) << where;
      }
    }
  }
}

TEST(Plan, ExplainNamesTestsAndState) {
  event::Demand demand;
  demand.events.set(event::SYSCALL_OPENAT_2_X);
  demand.tests[event::SYSCALL_OPENAT_2_X].set_classes(
      {.which = event::ClassTest::Which::paths, .paths = {.prefixes = {"/etc"}}},
      [](event::OpenMode mode, bool) { return mode != event::OpenMode::read; });
  const auto lines = explain(make_plan(demand), demand);
  EXPECT_NE(std::ranges::find(lines,
                              "openat: opened for writing or for both: paths /etc*; for state: "
                              "directories"),
            lines.end())
      << join(lines, "\n");
}

}  // namespace
}  // namespace saker::capture
