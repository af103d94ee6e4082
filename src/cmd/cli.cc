#include "cmd/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>

#include "base/log.h"
#include "base/strings.h"
#include "cmd/command.h"
#include "cmd/group.h"

#ifndef SAKER_VERSION
#define SAKER_VERSION "0.1.0"
#endif

namespace saker::cmd {

namespace {

struct Match {
  const Command* command = nullptr;
  int words = 0;  // of argv that the command's path took
};

// The command with the longest path that argv starts with.
Match find_command(int argc, char** argv) {
  Match best;
  for (const Command* command : all_commands()) {
    const std::vector<std::string_view> path = split(command->path, ' ');
    const int words = static_cast<int>(path.size());
    if (argc - 1 < words || words <= best.words) continue;
    if (std::equal(path.begin(), path.end(), argv + 1)) best = {command, words};
  }
  return best;
}

bool is_help(std::string_view word) {
  return word == "-h" || word == "--help" || word == "help";
}

void print_commands(std::string_view prefix) {
  for (const Command* command : all_commands()) {
    if (!prefix.empty() && !command->path.starts_with(std::string(prefix) + " ")) continue;
    if (!prefix.empty() && is_group(command->path)) continue;
    std::printf("  %-22.*s %.*s\n", static_cast<int>(command->path.size()), command->path.data(),
                static_cast<int>(command->summary.size()), command->summary.data());
  }
}

void print_overview() {
  std::puts(
      "saker: watches, records and judges what happens on Linux nodes and Kubernetes clusters.\n\n"
      "Usage: saker COMMAND [OPTIONS]\n\nCommands:");
  print_commands("");
  std::puts(
      "\nStart with:\n"
      "  saker doctor                       what works on this machine\n"
      "  sudo saker run                     watch it, alerts on the screen and in the store\n"
      "  saker replay FILE.scap -r RULES    judge a recorded capture\n"
      "  saker alerts list --since 1h       what was seen\n\n"
      "'saker COMMAND --help' says more. Exit codes: 0 fine, 1 something was found wrong, 2 "
      "usage,\n"
      "3 a file, permission or the kernel is in the way.");
}

// "saker audit policy" of "saker audit policy lnt", and what may follow.
int unknown_in_group(const std::string& group, std::string_view word) {
  std::vector<std::string> names;
  const auto words = static_cast<size_t>(std::ranges::count(group, ' ')) + 1;
  for (const Command* command : all_commands())
    if (command->path.starts_with(group + " "))
      names.emplace_back(split(command->path, ' ').at(words));
  std::fprintf(stderr, "saker %s: no command '%s'", group.c_str(), sanitize_utf8(word).c_str());
  if (std::optional<std::string> near = nearest(word, names))
    std::fprintf(stderr, ", did you mean '%s'?", near->c_str());
  std::fputs("\nThere are:\n", stderr);
  std::fflush(stderr);
  print_commands(group);
  return kExitUsage;
}

int unknown_command(int argc, char** argv) {
  const std::string word = argv[1];
  if (is_group(word)) {
    if (argc > 2 && !is_help(argv[2])) return unknown_in_group(word, argv[2]);
    if (argc == 2) std::fprintf(stderr, "saker %s needs one of:\n", word.c_str());
    std::fflush(stderr);
    print_commands(word);
    return argc == 2 ? kExitUsage : kExitOk;
  }
  std::vector<std::string> names;
  for (const Command* command : all_commands())
    names.emplace_back(split(command->path, ' ').front());
  std::fprintf(stderr, "saker: no command '%s'", sanitize_utf8(word).c_str());
  if (std::optional<std::string> near = nearest(word, names))
    std::fprintf(stderr, ", did you mean '%s'?", near->c_str());
  std::fputs("\n'saker --help' lists the commands.\n", stderr);
  return kExitUsage;
}

void bind_option(CLI::App& app, const Option& option) {
  const std::string names(option.names);
  CLI::Option* bound = nullptr;
  if (option.flag != nullptr) bound = app.add_flag(names, *option.flag, std::string(option.help));
  if (option.text != nullptr && option.value_name.empty())
    bound = app.add_flag(names, *option.text, std::string(option.help));  // --name or --name=value
  if (option.text != nullptr && !option.value_name.empty())
    bound = app.add_option(names, *option.text, std::string(option.help));
  if (option.number != nullptr)
    bound = app.add_option(names, *option.number, std::string(option.help));
  if (option.list != nullptr) {
    bound = app.add_option(names, *option.list, std::string(option.help));
    // One value each time it is given; what follows is a positional.
    bound->expected(1)->take_all()->allow_extra_args(false);
  }
  if (bound != nullptr && !option.value_name.empty())
    bound->type_name(std::string(option.value_name));
  if (bound != nullptr && option.help.empty()) bound->group("");  // hidden
}

int report(const Error& error) {
  std::fprintf(stderr, "saker: %s\n", error.to_text().c_str());
  return error.code == Code::invalid ? kExitFailed : kExitEnvironment;
}

int run_command(const Command& command, int argc, char** argv) {
  Invocation invocation = command.prepare();
  CLI::App app{std::string(command.description.empty() ? command.summary : command.description),
               "saker " + std::string(command.path)};
  std::string log_level;
  for (const Option& option : invocation.options) bind_option(app, option);
  app.add_option("--log-level", log_level, "debug, info, warning, error or off")
      ->type_name("LEVEL");
  if (invocation.positional.values != nullptr) {
    CLI::Option* rest =
        app.add_option(std::string(invocation.positional.name), *invocation.positional.values,
                       std::string(invocation.positional.help));
    rest->type_name("");
    if (invocation.positional.required) rest->required();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "saker %.*s: %s\n'saker %.*s --help' shows the options.\n",
                 static_cast<int>(command.path.size()), command.path.data(), error.what(),
                 static_cast<int>(command.path.size()), command.path.data());
    return kExitUsage;
  }
  if (const char* level = ::getenv("SAKER_LOG"); log_level.empty() && level != nullptr)
    log_level = level;
  if (!log_level.empty() && !log::set_level(log_level)) {
    std::fprintf(stderr, "saker: unknown log level '%s'\n", log_level.c_str());
    return kExitUsage;
  }
  Result<int> code = invocation.run();
  return code.ok() ? *code : report(code.error());
}

}  // namespace

int run_command_line(int argc, char** argv) {
  if (argc < 2 || is_help(argv[1])) {
    print_overview();
    return argc < 2 ? kExitUsage : kExitOk;
  }
  const std::string_view first = argv[1];
  if (first == "--version" || first == "version") {
    std::puts("saker " SAKER_VERSION " (rules engine 0.63.0)");
    return kExitOk;
  }
  const Match match = find_command(argc, argv);
  if (match.command == nullptr) return unknown_command(argc, argv);
  const std::string path(match.command->path);
  if (argc > match.words + 1 && argv[match.words + 1][0] != '-' && is_group(path)) {
    if (!is_help(argv[match.words + 1])) return unknown_in_group(path, argv[match.words + 1]);
    argv[match.words + 1] = const_cast<char*>("--help");
  }
  return run_command(*match.command, argc - match.words, argv + match.words);
}

}  // namespace saker::cmd
