// Runs the subcommand that the command line names; the only place that catches what a library might
// throw past us.
#include <cstdio>
#include <exception>

#include "cmd/cli.h"

int main(int argc, char** argv) {
  try {
    return saker::cmd::run_command_line(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "saker: unexpected failure: %s\n", error.what());
    return 70;
  }
}
