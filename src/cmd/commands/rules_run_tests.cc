// saker rules test: run data-driven rule tests.
#include <cstdlib>
#include <memory>

#include "cases/runner.h"
#include "cmd/command.h"

namespace saker::cmd {

namespace {

struct TestArguments {
  std::vector<std::string> paths, rules;
  std::string only, shared;
  bool list = false, update = false, verbose = false;
};

Result<int> run_tests(const TestArguments& arguments) {
  const cases::RunSummary summary = SAKER_TRY(cases::run_cases({.paths = arguments.paths,
                                                                .only = arguments.only,
                                                                .rules = arguments.rules,
                                                                .shared = arguments.shared,
                                                                .update = arguments.update,
                                                                .list = arguments.list,
                                                                .verbose = arguments.verbose}));
  return summary.failed == 0 ? kExitOk : kExitFailed;
}

Invocation prepare() {
  auto arguments = std::make_shared<TestArguments>();
  return {
      .options =
          {
              {.names = "-r,--rules",
               .value_name = "FILE",
               .help = "Rules that cases start with when they name none (repeatable)",
               .list = &arguments->rules},
              {.names = "--case",
               .value_name = "NAME",
               .help = "Only cases whose name contains this",
               .text = &arguments->only},
              {.names = "--shared",
               .value_name = "DIR",
               .help = "What @shared/ in a case stands for",
               .text = &arguments->shared},
              {.names = "--list", .help = "Print the names of the cases", .flag = &arguments->list},
              {.names = "--update",
               .help = "Rewrite golden files with what came out",
               .flag = &arguments->update},
              {.names = "-v,--verbose",
               .help = "Name passed cases too",
               .flag = &arguments->verbose},
          },
      .positional = {.name = "DIR",
                     .help = ".test files, or folders with them",
                     .values = &arguments->paths,
                     .required = true},
      .run = [arguments] { return run_tests(*arguments); },
  };
}

}  // namespace

extern const Command rules_run_tests_descriptor;
const Command rules_run_tests_descriptor = {
    .path = "rules test",
    .summary = "Run rule tests: events in, alerts expected",
    .description =
        "Runs the cases of .test files. A case gives events as lines and says which alerts must "
        "come:\n\n"
        "  # name: shell in container\n"
        "  rules file my_rules.yaml\n"
        "  event execve pid=10 exe=/bin/sh container=0123456789ab tty=34816 res=0\n"
        "  expect finding \"Shell in container\" NOTICE\n\n"
        "docs/rule-tests.md explains every step.",
    .prepare = prepare,
};

}  // namespace saker::cmd
