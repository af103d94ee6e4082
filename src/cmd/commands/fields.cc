// saker fields: what conditions and outputs can name.
#include <memory>

#include "cmd/command.h"
#include "cmd/rules.h"

namespace saker::cmd {

namespace {
struct Arguments {
  std::vector<std::string> words;
  FieldListOptions options;
};

Result<int> run(Arguments& arguments) {
  if (arguments.words.size() > 1) return Error{.message = "one search word at most"};
  if (!arguments.words.empty()) arguments.options.search = arguments.words[0];
  return fields_list(arguments.options);
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  FieldListOptions& options = arguments->options;
  return {
      .options = {{.names = "--source",
                   .value_name = "SOURCE",
                   .help = "Only fields of this event source (syscall, k8s_audit)",
                   .text = &options.source},
                  {.names = "--json", .help = "JSON", .flag = &options.json},
                  {.names = "--markdown", .help = "A markdown table", .flag = &options.markdown}},
      .positional = {.name = "SEARCH",
                     .help = "Only fields with this in their name or summary",
                     .values = &arguments->words},
      .run = [arguments] { return run(*arguments); }};
}
}  // namespace

extern const Command fields_descriptor;
const Command fields_descriptor = {.path = "fields",
                                   .summary = "List the fields of conditions and outputs",
                                   .description = "",
                                   .prepare = prepare};

}  // namespace saker::cmd
