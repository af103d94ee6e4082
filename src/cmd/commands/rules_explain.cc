// saker rules explain: what a rule comes to.
#include <memory>

#include "cmd/command.h"
#include "cmd/rules.h"

namespace saker::cmd {

namespace {
struct Arguments {
  std::vector<std::string> words, rules;
  bool json = false;
};

Result<int> run(const Arguments& arguments) {
  if (arguments.words.size() != 1) return Error{.message = "name one rule, in quotes"};
  return rules_explain(arguments.rules, arguments.words[0], arguments.json);
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {.options = {{.names = "-r,--rules",
                       .value_name = "FILE",
                       .help = "Rule file or folder (repeatable); none: Saker's own rules",
                       .list = &arguments->rules},
                      {.names = "--json", .help = "JSON", .flag = &arguments->json}},
          .positional = {.name = "RULE",
                         .help = "The rule's name",
                         .values = &arguments->words,
                         .required = true},
          .run = [arguments] { return run(*arguments); }};
}
}  // namespace

extern const Command rules_explain_descriptor;
const Command rules_explain_descriptor = {
    .path = "rules explain",
    .summary = "Show a rule's condition as a tree, what it needs of the kernel and what it costs",
    .description = "",
    .prepare = prepare};

}  // namespace saker::cmd
