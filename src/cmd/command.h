// A subcommand: what the command line knows of it. One file a subcommand; the table in commands.cc
// names them all.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::cmd {

// Exit codes, documented in docs/cli.md.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed =
    1;  // the thing looked for is wrong: invalid rules, a failed check
inline constexpr int kExitUsage = 2;        // the command line can't be understood
inline constexpr int kExitEnvironment = 3;  // file, permission or kernel in the way

// One option, bound to where its value goes. Exactly one of the pointers is set.
struct Option {
  std::string_view names;       // "-r,--rules"
  std::string_view value_name;  // "FILE"; empty for switches, and for text that may be left out
  std::string_view help;        // empty: not shown
  bool* flag = nullptr;
  std::string* text = nullptr;
  uint64_t* number = nullptr;
  std::vector<std::string>* list = nullptr;  // may be given several times
};

// What the command line left after the options.
struct Positional {
  std::string_view name;  // "FILE"
  std::string_view help;
  std::vector<std::string>* values = nullptr;
  bool required = false;
};

// A parsed command line: the command's own state, its options bound to it, and what to do.
struct Invocation {
  std::vector<Option> options;
  Positional positional;
  std::function<Result<int>()> run;  // the exit code
};

struct Command {
  std::string_view path;         // "rules check"
  std::string_view summary;      // one line for --help
  std::string_view description;  // more, with examples
  Invocation (*prepare)();
};

// Generated from the files in src/cmd/commands: each defines `const Command NAME_descriptor`.
std::span<const Command* const> all_commands();

}  // namespace saker::cmd
