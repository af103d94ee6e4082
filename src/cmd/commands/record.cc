// saker record: live events into a capture.
#include <cstdio>
#include <memory>

#include "agent/recorder.h"
#include "cmd/command.h"

namespace saker::cmd {

namespace {

struct Arguments {
  agent::RecordOptions options;
  uint64_t snaplen = 80;
};

Result<int> run(Arguments& arguments) {
  if (arguments.options.path.empty()) return Error{.message = "say where to: -o FILE.scap"};
  arguments.options.snaplen = static_cast<uint32_t>(arguments.snaplen);
  agent::RecordSummary summary;
  SAKER_CHECK(agent::record(arguments.options, summary));
  std::fprintf(stderr, "Recorded %llu events, %llu bytes in %s\n",
               static_cast<unsigned long long>(summary.events),
               static_cast<unsigned long long>(summary.file_bytes), arguments.options.path.c_str());
  if (summary.skipped != 0)
    std::fprintf(stderr, "Left out: %llu (too long for the format)\n",
                 static_cast<unsigned long long>(summary.skipped));
  for (const auto& [reason, count] : summary.lost)
    if (count != 0)
      std::fprintf(stderr, "Lost: %llu (%s)\n", static_cast<unsigned long long>(count),
                   reason.c_str());
  return summary.command_exit;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  agent::RecordOptions& options = arguments->options;
  return {.options =
              {
                  {.names = "-o,--output",
                   .value_name = "FILE",
                   .help = "The capture; .gz and .zst compress it",
                   .text = &options.path},
                  {.names = "--filter",
                   .value_name = "EXPR",
                   .help = "Only events that satisfy this condition",
                   .text = &options.filter},
                  {.names = "--duration",
                   .value_name = "SECONDS",
                   .help = "Stop after this time",
                   .number = &options.duration_seconds},
                  {.names = "--snaplen",
                   .value_name = "BYTES",
                   .help = "How much of the data of reads and writes to keep (80)",
                   .number = &arguments->snaplen},
              },
          .positional = {.name = "COMMAND",
                         .help = "After --: run this, and record it and its descendants only",
                         .values = &options.command},
          .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command record_descriptor;
const Command record_descriptor = {
    .path = "record",
    .summary = "Record live events as a capture",
    .description =
        "Writes all system calls as a capture that saker replay and other tools of the format "
        "read.\n\n"
        "  saker record -o day.scap.gz --duration 60\n"
        "  saker record -o install.scap -- apt-get install -y tree\n\n"
        "With a command, the exit code is the command's.",
    .prepare = prepare,
};

}  // namespace saker::cmd
