// A call is sent when the tests of the rules let it pass, or when state needs it. State needs: what
// changes a process, always; opened directories, since a later path may be relative to them;
// sockets or all fds, when a rule asks about an fd that its event did not make.
#include "capture/bpf/plan.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/strings.h"
#include "capture/bpf/syscall_table.h"

namespace saker::capture {

namespace {

using namespace kernel;
using event::ArgumentTest;
using event::ClassTest;
using event::EventCode;
using event::PathPatterns;

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
  std::optional<uint8_t> add(const PathPatterns& patterns) {
    for (size_t i = 0; i < seen_.size(); ++i)
      if (*seen_[i] == patterns) return static_cast<uint8_t>(i);
    if (out_.size() >= kMaxTestSets || !fits(patterns)) return std::nullopt;
    out_.push_back(build(patterns));
    seen_.push_back(&patterns);
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

  static bool fits(const PathPatterns& patterns) {
    const auto searchable = [](const std::string& text) { return text.size() >= 3; };
    return patterns.prefixes.size() + patterns.suffixes.size() <= kMaxPatterns &&
           patterns.substrings.size() + patterns.raw_substrings.size() <= kMaxSubstrings &&
           std::ranges::all_of(patterns.substrings, searchable) &&
           std::ranges::all_of(patterns.raw_substrings, searchable);
  }

  // The three bytes of a text that paths have least often.
  static Substring rarest_bytes(std::string_view text) {
    constexpr std::string_view kCommon = "/etaoinsrlcu";
    size_t best = 0, least = 4;
    for (size_t at = 0; at + 3 <= text.size(); ++at) {
      const auto common = static_cast<size_t>(std::ranges::count_if(
          text.substr(at, 3), [&](char c) { return kCommon.find(c) != std::string_view::npos; }));
      if (common < least) {
        least = common;
        best = at;
      }
    }
    Substring out{};
    for (size_t i = 0; i < 3; ++i)
      out.bytes[i] = 0x0101010101010101 * static_cast<uint8_t>(text[best + i]);
    return out;
  }

  static void add_substrings(const PathPatterns& patterns, PathTest& out) {
    for (const std::string& text : patterns.raw_substrings)
      out.substrings[out.substrings_count++] = rarest_bytes(text);
    out.raw_count = out.substrings_count;
    for (const std::string& text : patterns.substrings)
      out.substrings[out.substrings_count++] = rarest_bytes(text);
  }

  static PathTest build(const PathPatterns& patterns) {
    PathTest out{};
    std::vector<std::string_view> prefixes(patterns.prefixes.begin(), patterns.prefixes.end());
    std::vector<std::string_view> suffixes(patterns.suffixes.begin(), patterns.suffixes.end());
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
    add_substrings(patterns, out);
    return out;
  }

  std::vector<PathTest>& out_;
  std::vector<const PathPatterns*> seen_;
};

// A class whose paths can't be tested passes whole.
u8 kernel_class(const ClassTest& test, bool has_path, PathTests& paths) {
  switch (test.which) {
    case ClassTest::Which::none: return CLASS_NONE;
    case ClassTest::Which::all: return CLASS_ALL;
    case ClassTest::Which::paths: break;
  }
  return has_path ? paths.add(test.paths).value_or(CLASS_ALL) : static_cast<u8>(CLASS_ALL);
}

SyscallTest kernel_test(const ArgumentTest& test, const SyscallPlan& call, PathTests& paths,
                        std::array<uint8_t, 8192>& ports) {
  SyscallTest out{};
  uint8_t flags = 0;
  for (size_t i = 0; i < event::kCallClasses; ++i) {
    out.by_class[i] = kernel_class(test.by_class[i], call.path_arg != 0, paths);
    if (out.by_class[i] != CLASS_ALL) flags |= TEST_CLASS;
  }
  if (test.only_socket_fd && call.fd_arg != 0) flags |= TEST_SOCKET;
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

std::string describe_test(const SyscallTest& test, const event::ArgumentTest& wanted) {
  std::vector<std::string> parts;
  if (test.flags & TEST_CLASS) {
    for (std::string& text : event::describe(wanted)) parts.push_back(std::move(text));
  }
  if (test.flags & TEST_SOCKET) parts.emplace_back("on sockets");
  if (test.flags & TEST_PORTS) parts.emplace_back("on the ports that rules name");
  return join(parts, "; ");
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
      const std::string test = describe_test(
          plan.tests[number], demand.tests[plan_of_syscall(static_cast<unsigned>(number)).type]);
      line += test.empty() ? ": every call" : ": " + test;
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
