// What a rule set needs of the kernel: which event types, and tests on their arguments that hold
// for every rule of the type, so that the source may drop the rest. `rules` makes it, `capture`
// obeys it.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "event/schema.h"

namespace saker::event {

// Calls of one type are told apart by how a file is opened and whether the call succeeded. Types
// that open nothing have the classes of reading alone. The number of a class is twice its mode, and
// one more when the call failed.
enum class OpenMode : uint8_t { read, write, both };
inline constexpr size_t kCallClasses = 6;
constexpr OpenMode mode_of_class(size_t index) {
  return static_cast<OpenMode>(index / 2);
}
constexpr bool class_failed(size_t index) {
  return index % 2 != 0;
}

// What the path argument of a call must look like: any of these is enough.
struct PathPatterns {
  std::vector<std::string> prefixes;        // of the path made absolute
  std::vector<std::string> suffixes;        // likewise
  std::vector<std::string> substrings;      // likewise
  std::vector<std::string> raw_substrings;  // of the argument as it was passed

  [[nodiscard]] size_t size() const {
    return prefixes.size() + suffixes.size() + substrings.size() + raw_substrings.size();
  }
  bool operator==(const PathPatterns&) const = default;
};

// Which calls of one class some rule can match.
struct ClassTest {
  enum class Which : uint8_t { all, none, paths };
  Which which = Which::all;
  PathPatterns paths;  // which is `paths`
  bool operator==(const ClassTest&) const = default;
};

// A necessary condition on one event type: an event that fails it can match no rule. All parts must
// hold.
struct ArgumentTest {
  std::array<ClassTest, kCallClasses> by_class;
  bool only_socket_fd = false;  // the fd that the event uses is a socket
  std::vector<uint16_t> ports;  // either end (empty: no test)

  // Whether no call at all can pass.
  [[nodiscard]] bool never() const {
    return std::ranges::all_of(by_class, [](const ClassTest& of_class) {
      return of_class.which == ClassTest::Which::none;
    });
  }

  // The same test for the classes that `chosen` says yes to; the others are not wanted.
  template <typename Chosen>
  void set_classes(const ClassTest& test, Chosen chosen) {
    for (size_t i = 0; i < kCallClasses; ++i)
      by_class[i] = chosen(mode_of_class(i), class_failed(i))
                        ? test
                        : ClassTest{.which = ClassTest::Which::none, .paths = {}};
  }
};

// For people: which calls pass the tests of their class, a line for each group of classes that are
// treated alike; empty when all pass.
std::vector<std::string> describe(const ArgumentTest& test);

struct Demand {
  std::bitset<kEventCodeCount> events;  // some rule can match this type
  std::bitset<1024> generic_syscalls;   // portable codes of generic events that rules name
  std::vector<ArgumentTest> tests = std::vector<ArgumentTest>(kEventCodeCount);  // by event code
  // Event types whose rules (conditions or outputs) read fd.* of an fd that the event uses but did
  // not make: read, close, dup, connect ... The source must let state know that fd, by sending the
  // event that made it or by describing the fd when it is used.
  std::bitset<kEventCodeCount> fd_info;
  bool needs_all_fds =
      false;  // a rule counts or lists the fds of a process: all that changes an fd must flow
  bool needs_data = false;  // a rule reads the data of reads and writes
  bool everything = false;  // record: every syscall with every parameter

  [[nodiscard]] bool needs_fd_names() const { return needs_all_fds || fd_info.any(); }
};

}  // namespace saker::event
