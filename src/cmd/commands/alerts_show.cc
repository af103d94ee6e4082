// saker alerts show: one stored alert with all its fields.
#include "base/strings.h"
#include "cmd/alerts_options.h"

namespace saker::cmd {

namespace {

struct Arguments {
  AlertsOptions options;
  std::vector<std::string> words;
};

Result<int> run(Arguments& arguments) {
  const std::optional<uint64_t> id =
      arguments.words.size() == 1 ? parse_uint(arguments.words[0]) : std::nullopt;
  if (!id)
    return Error{.message = "name one alert by its number", .hint = "saker alerts list shows them"};
  arguments.options.id = *id;
  return alerts_show(arguments.options);
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  AlertsOptions& options = arguments->options;
  return {.options = {{.names = "--json", .help = "JSON", .flag = &options.json},
                      {.names = "--iso-time",
                       .help = "ISO 8601 times in UTC",
                       .flag = &options.iso_time},
                      {.names = "--data-dir",
                       .value_name = "DIR",
                       .help = "Where the alerts are kept",
                       .text = &options.data_dir}},
          .positional = {.name = "ID",
                         .help = "The alert's number",
                         .values = &arguments->words,
                         .required = true},
          .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command alerts_show_descriptor;
const Command alerts_show_descriptor = {.path = "alerts show",
                                        .summary = "Show one stored alert",
                                        .description = "",
                                        .prepare = prepare};

}  // namespace saker::cmd
