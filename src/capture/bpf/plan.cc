// A call is sent when the tests of the rules let it pass, or when state needs it. State needs: what
// changes a process, always; opened directories, since a later path may be relative to them;
// sockets or all fds, when a rule asks about an fd that its event did not make.
#include "capture/bpf/plan.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "capture/bpf/syscall_table.h"

namespace saker::capture {

namespace {

using namespace kernel;
using event::ArgumentTest;
using event::EventCode;

struct StateCall {
  u16 number;
  StateWhen when;
};

constexpr StateCall kAttributeCalls[] = {
    {80, WHEN_OK},      {81, WHEN_OK},      {161, WHEN_OK},    {105, WHEN_OK}, {106, WHEN_OK},
    {113, WHEN_OK},     {114, WHEN_OK},     {117, WHEN_OK},    {119, WHEN_OK}, {112, WHEN_OK},
    {109, WHEN_OK},     {126, WHEN_OK},     {157, WHEN_PRCTL}, {308, WHEN_OK}, {272, WHEN_OK},
    {302, WHEN_NOFILE}, {160, WHEN_NOFILE},
};

constexpr StateCall kDirectoryCalls[] = {
    {2, WHEN_DIRECTORY},   {257, WHEN_DIRECTORY}, {437, WHEN_DIRECTORY},
    {304, WHEN_DIRECTORY}, {32, WHEN_KEPT},       {33, WHEN_KEPT},
    {292, WHEN_KEPT},      {72, WHEN_FCNTL_KEPT}, {438, WHEN_KEPT},
};

constexpr StateCall kSocketCalls[] = {
    {41, WHEN_OK},          {49, WHEN_OK},           {42, WHEN_CONNECT},
    {43, WHEN_OK},          {288, WHEN_OK},          {53, WHEN_OK},
    {48, WHEN_OK},          {55, WHEN_SO_ERROR},     {44, WHEN_UNCONNECTED},
    {46, WHEN_UNCONNECTED}, {307, WHEN_UNCONNECTED}, {45, WHEN_UNCONNECTED},
    {47, WHEN_RIGHTS},      {299, WHEN_UNCONNECTED},
};

constexpr StateCall kFdCalls[] = {
    {2, WHEN_OK},     {257, WHEN_OK}, {437, WHEN_OK}, {85, WHEN_OK},  {304, WHEN_OK},
    {3, WHEN_OK},     {436, WHEN_OK}, {32, WHEN_OK},  {33, WHEN_OK},  {292, WHEN_OK},
    {72, WHEN_FCNTL}, {22, WHEN_OK},  {293, WHEN_OK}, {284, WHEN_OK}, {290, WHEN_OK},
    {282, WHEN_OK},   {289, WHEN_OK}, {283, WHEN_OK}, {213, WHEN_OK}, {291, WHEN_OK},
    {253, WHEN_OK},   {294, WHEN_OK}, {319, WHEN_OK}, {323, WHEN_OK}, {321, WHEN_OK},
    {425, WHEN_OK},   {434, WHEN_OK}, {438, WHEN_OK},
};

// Events on sockets whatever their rules say.
constexpr EventCode kSocketEvents[] = {
    event::SOCKET_CONNECT_X,     event::SOCKET_BIND_X,       event::SOCKET_LISTEN_X,
    event::SOCKET_ACCEPT_5_X,    event::SOCKET_ACCEPT4_6_X,  event::SOCKET_SENDTO_X,
    event::SOCKET_SENDMSG_X,     event::SOCKET_SENDMMSG_X,   event::SOCKET_RECVFROM_X,
    event::SOCKET_RECVMSG_X,     event::SOCKET_RECVMMSG_X,   event::SOCKET_SHUTDOWN_X,
    event::SOCKET_GETSOCKOPT_X,  event::SOCKET_SETSOCKOPT_X, event::SOCKET_GETSOCKNAME_X,
    event::SOCKET_GETPEERNAME_X, event::SOCKET_SOCKETPAIR_X,
};

FdScope scope_of(const event::Demand& demand) {
  if (demand.needs_all_fds) return FdScope::all;
  FdScope scope = FdScope::none;
  for (uint16_t code = 0; code < event::kEventCodeCount; ++code) {
    if (!demand.fd_info.test(code) || !demand.events.test(code)) continue;
    const bool of_sockets = std::ranges::find(kSocketEvents, code) != std::end(kSocketEvents) ||
                            demand.tests[code].only_socket_fd;
    // Events of old schema versions and enter events never come from a live kernel.
    const event::EventInfo& info = event::info(code);
    if (info.has(event::OldVersion) || info.is_enter) continue;
    if (!of_sockets) return FdScope::all;
    scope = FdScope::sockets;
  }
  return scope;
}

// Sets of path patterns, shared by the calls that have the same.
class PathTests {
 public:
  explicit PathTests(std::vector<PathTest>& out) : out_(out) {}

  // The index of the set for these patterns; nothing when they don't fit.
  std::optional<uint8_t> add(const ArgumentTest& test) {
    for (size_t i = 0; i < seen_.size(); ++i) {
      if (seen_[i]->path_prefixes == test.path_prefixes &&
          seen_[i]->path_suffixes == test.path_suffixes)
        return static_cast<uint8_t>(i);
    }
    if (out_.size() >= kMaxTestSets ||
        test.path_prefixes.size() + test.path_suffixes.size() > kMaxPatterns)
      return std::nullopt;
    out_.push_back(build(test));
    seen_.push_back(&test);
    return static_cast<uint8_t>(out_.size() - 1);
  }

 private:
  static void set_words(Pattern& pattern, size_t at, std::string_view bytes) {
    uint8_t value[kPatternBytes] = {}, mask[kPatternBytes] = {};
    std::memcpy(value + at, bytes.data(), bytes.size());
    std::memset(mask + at, 0xff, bytes.size());
    std::memcpy(pattern.value, value, sizeof value);
    std::memcpy(pattern.mask, mask, sizeof mask);
  }

  static PathTest build(const ArgumentTest& test) {
    PathTest out{};
    std::vector<std::string_view> prefixes(test.path_prefixes.begin(), test.path_prefixes.end());
    std::vector<std::string_view> suffixes(test.path_suffixes.begin(), test.path_suffixes.end());
    const auto second = [](std::string_view text) {
      return static_cast<uint8_t>(text.size() > 1 ? text[1] : 0);
    };
    const auto last = [](std::string_view text) {
      return static_cast<uint8_t>(text.empty() ? 0 : text.back());
    };
    std::ranges::sort(prefixes, {}, second);
    std::ranges::sort(suffixes, {}, last);
    uint8_t count = 0;
    for (std::string_view prefix : prefixes) {
      out.has_prefixes = 1;
      if (prefix.size() < 2) {
        out.any_prefixes.count = 1;
        continue;
      }
      PatternRange& range = out.prefixes[second(prefix)];
      if (range.count++ == 0) range.first = count;
      set_words(out.patterns[count++], 0, prefix.substr(0, kPatternBytes));
    }
    for (std::string_view suffix : suffixes) {
      out.longest_suffix = std::max(out.longest_suffix, static_cast<u16>(suffix.size()));
      PatternRange& range = out.suffixes[last(suffix)];
      if (range.count++ == 0) range.first = count;
      const std::string_view tail =
          suffix.substr(suffix.size() - std::min<size_t>(suffix.size(), 8));
      set_words(out.patterns[count++], 8 - tail.size(), tail);
    }
    return out;
  }

  std::vector<PathTest>& out_;
  std::vector<const ArgumentTest*> seen_;
};

SyscallTest kernel_test(const ArgumentTest& test, const SyscallPlan& call, PathTests& paths,
                        std::array<uint8_t, 8192>& ports) {
  SyscallTest out{};
  uint8_t flags = 0;
  if (test.only_open_for_write) flags |= TEST_WRITE;
  if (test.only_open_for_read) flags |= TEST_READ;
  if (test.only_successful) flags |= TEST_OK;
  if (test.only_failed) flags |= TEST_FAILED;
  if (test.only_socket_fd && call.fd_arg != 0) flags |= TEST_SOCKET;
  if (call.path_arg != 0 && !(test.path_prefixes.empty() && test.path_suffixes.empty())) {
    if (const std::optional<uint8_t> set = paths.add(test)) {
      flags |= TEST_PATH;
      out.set = *set;
    }
  }
  // One set of ports serves all calls: a union is a weaker test, never a wrong one.
  if (!test.ports.empty()) {
    flags |= TEST_PORTS;
    for (const uint16_t port : test.ports)
      ports[port >> 3] |= static_cast<uint8_t>(1u << (port & 7));
  }
  out.flags = flags;
  return out;
}

void add_state(CapturePlan& plan, std::span<const StateCall> calls) {
  for (const StateCall& call : calls) {
    plan.wanted[call.number] |= WANT_STATE;
    plan.tests[call.number].state_when = static_cast<u8>(call.when);
  }
}

// A 32-bit process's call is looked up by its own number first.
void add_compat(CapturePlan& plan) {
  const auto add = [&](size_t theirs, size_t ours) {
    if (plan.wanted[ours] & (WANT_RULES | WANT_STATE)) plan.wanted[theirs] |= WANT_COMPAT;
  };
#define COMPAT(theirs, ours) add(theirs, ours);
#include "capture/bpf/compat.def"
#undef COMPAT
  constexpr size_t kSocketcall = 102;
  for (size_t call = 41; call <= 55; ++call) add(kSocketcall, call);
}

void add_rules(CapturePlan& plan, const event::Demand& demand) {
  PathTests paths(plan.path_tests);
  for (size_t number = 0; number < kSyscalls; ++number) {
    const SyscallPlan call = plan_of_syscall(static_cast<unsigned>(number));
    if (call.type == 0) continue;
    if (demand.everything) {
      plan.wanted[number] |= WANT_RULES;
      continue;
    }
    if (!demand.events.test(call.type)) continue;
    if (call.generic_id != 0) {
      if (call.generic_id < demand.generic_syscalls.size() &&
          demand.generic_syscalls.test(call.generic_id))
        plan.wanted[number] |= WANT_RULES;
      continue;
    }
    plan.wanted[number] |= WANT_RULES;
    plan.tests[number] = kernel_test(demand.tests[call.type], call, paths, plan.ports);
  }
}

std::string describe_test(const CapturePlan& plan, size_t number) {
  const SyscallTest& test = plan.tests[number];
  std::string out;
  const auto say = [&](std::string_view text) {
    if (!out.empty()) out += ", ";
    out += text;
  };
  if (test.flags & TEST_WRITE) say("opened for writing");
  if (test.flags & TEST_READ) say("opened for reading");
  if (test.flags & TEST_OK) say("successful");
  if (test.flags & TEST_FAILED) say("failed");
  if (test.flags & TEST_SOCKET) say("on sockets");
  if (test.flags & TEST_PORTS) say("on the ports that rules name");
  if (test.flags & TEST_PATH) say("path");
  return out;
}

std::string describe_paths(const ArgumentTest& test) {
  std::string out;
  for (const std::string& prefix : test.path_prefixes) out += " " + prefix + "*";
  for (const std::string& suffix : test.path_suffixes) out += " *" + suffix;
  return out;
}

std::string_view describe_when(u8 when) {
  switch (when) {
    case WHEN_DIRECTORY: return "directories";
    case WHEN_KEPT:
    case WHEN_FCNTL_KEPT: return "directories and sockets";
    case WHEN_PRCTL: return "names and subreapers";
    case WHEN_NOFILE: return "limit of open files";
    case WHEN_FCNTL: return "duplicates and close-on-exec";
    case WHEN_CONNECT: return "succeeded or in progress";
    case WHEN_UNCONNECTED: return "datagrams on unconnected sockets";
    case WHEN_RIGHTS: return "datagrams on unconnected sockets, passed fds";
    case WHEN_SO_ERROR: return "SO_ERROR";
    default: return "successful";
  }
}

}  // namespace

CapturePlan make_plan(const event::Demand& demand) {
  CapturePlan plan;
  plan.everything = demand.everything;
  plan.signals = demand.everything || demand.events.test(event::SIGNALDELIVER_E);
  plan.data = demand.everything || demand.needs_data;
  add_rules(plan, demand);
  if (!demand.everything) {
    plan.scope = scope_of(demand);
    add_state(plan, kAttributeCalls);
    add_state(plan, kDirectoryCalls);
    if (plan.scope != FdScope::none) add_state(plan, kSocketCalls);
    if (plan.scope == FdScope::all) add_state(plan, kFdCalls);
  }
  add_compat(plan);
  return plan;
}

std::vector<std::string> explain(const CapturePlan& plan, const event::Demand& demand) {
  std::vector<std::string> out;
  out.push_back("exec, fork and exit: always, by their own hooks");
  if (plan.signals) out.push_back("signals: every delivery");
  for (size_t number = 0; number < kSyscalls; ++number) {
    const uint8_t want = plan.wanted[number];
    if (!(want & (WANT_RULES | WANT_STATE))) continue;
    std::string line(event::syscall_name_of_number(static_cast<int64_t>(number)));
    if (want & WANT_RULES) {
      const std::string test = describe_test(plan, number);
      line += test.empty() ? ": every call" : ": " + test;
      if (plan.tests[number].flags & TEST_PATH)
        line += describe_paths(demand.tests[plan_of_syscall(static_cast<unsigned>(number)).type]);
    }
    if ((want & WANT_STATE) && !((want & WANT_RULES) && plan.tests[number].flags == 0)) {
      line += (want & WANT_RULES) ? "; for state: " : ": for state: ";
      line += describe_when(plan.tests[number].state_when);
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace saker::capture
