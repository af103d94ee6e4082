// The command line: finds the subcommand, parses its options, prints help. CLI11 stays behind this
// facade.
#pragma once

namespace saker::cmd {

// Runs the program; the result is its exit code.
int run_command_line(int argc, char** argv);

}  // namespace saker::cmd
