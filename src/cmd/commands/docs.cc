// saker docs: the parts of the manual that the code's own registries say; a test holds them fresh.
#include <memory>

#include "agent/config.h"
#include "cmd/command.h"
#include "cmd/listing.h"
#include "event/schema.h"
#include "fields/catalog.h"
#include "filter/ast.h"

namespace saker::cmd {

namespace {

std::string operators_table() {
  Table table({"operator", "state"});
  for (int i = 0; i <= static_cast<int>(filter::Op::pmatch); ++i)
    table.add({"`" + std::string(filter::to_string(static_cast<filter::Op>(i))) + "`", "works"});
  for (filter::Modifier modifier :
       {filter::Modifier::oneof, filter::Modifier::anyof, filter::Modifier::allof})
    table.add({"`" + std::string(filter::to_string(modifier)) + "` (modifier)", "works"});
  return table.to_markdown();
}

std::string transformers_table() {
  Table table({"transformer", "state"});
  for (int i = 0; i <= static_cast<int>(filter::TransformerKind::val); ++i)
    table.add({"`" + std::string(filter::to_string(static_cast<filter::TransformerKind>(i))) + "`",
               "works"});
  return table.to_markdown();
}

std::string classes_table() {
  Table table({"class", "source", "fields", "computed", "known, never a value",
               "known, not computed (an error at load)"});
  for (const filter::FieldClass& row : fields::catalog().classes()) {
    size_t deprecated = 0;
    size_t missing = 0;
    for (const filter::FieldInfo& field : row.fields) {
      deprecated += field.has(filter::kDeprecated) ? 1 : 0;
      missing += field.has(filter::kNotComputed) ? 1 : 0;
    }
    const size_t all = row.fields.size();
    table.add({std::string(row.name), std::string(row.source.empty() ? "any" : row.source),
               std::to_string(all), std::to_string(all - deprecated - missing),
               std::to_string(deprecated), std::to_string(missing)});
  }
  return table.to_markdown();
}

std::string event_state(const event::EventInfo& info) {
  if (info.has(event::OldVersion)) return "converted";
  return info.has(event::ModifiesState) ? "works, keeps state" : "works";
}

std::string events_table() {
  Table table({"code", "event", "identifier", "state"});
  for (const event::EventInfo& info : event::all_events()) {
    if (info.has(event::Unused)) continue;
    table.add({std::to_string(info.code), "`" + std::string(info.name) + "`",
               std::string(info.identifier), event_state(info)});
  }
  return table.to_markdown();
}

std::string compatibility() {
  return "# Operators, transformers, fields and events\n\nMade by `saker docs compatibility` from "
         "the code's registries; do "
         "not edit.\n\n## Operators\n\n" +
         operators_table() + "\n## Transformers\n\n" + transformers_table() +
         "\n## Field classes\n\n`saker fields` lists each field.\n\n" + classes_table() +
         "\n## Events of captures\n\n`converted`: an old version, read and turned into "
         "today's.\n\n" +
         events_table();
}

std::string command_line() {
  std::string text =
      "# Commands\n\nMade by `saker docs cli`; do not edit. Each explains itself with "
      "`--help`.\n\n";
  Table table({"command", "what it does"});
  for (const Command* command : all_commands())
    table.add({"`saker " + std::string(command->path) + "`", std::string(command->summary)});
  return text + table.to_markdown() +
         "\nExit codes: 0 fine; 1 something was found wrong (invalid rules, a failed test, nothing "
         "of that name); 2 the command "
         "line\ncan't be understood; 3 a file, a permission or the kernel is in the way.\n";
}

Result<int> run(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  if (what == "compatibility") {
    print(compatibility());
  } else if (what == "cli") {
    print(command_line());
  } else if (what == "config") {
    print(agent::explain_config());
  } else {
    return Error{.message = "docs of what? There are compatibility, cli, config"};
  }
  return kExitOk;
}

Invocation prepare() {
  auto words = std::make_shared<std::vector<std::string>>();
  return {.positional = {.name = "WHAT",
                         .help = "compatibility, cli or config",
                         .values = words.get(),
                         .required = true},
          .run = [words] { return run(*words); }};
}

}  // namespace

extern const Command docs_descriptor;
const Command docs_descriptor = {
    .path = "docs",
    .summary = "Print parts of the manual: compatibility, cli, config",
    .description =
        "`saker docs config` is a configuration file with every key, its default and its meaning.",
    .prepare = prepare};

}  // namespace saker::cmd
