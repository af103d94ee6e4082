// saker rules check, rules list. See rules.h.
#include "cmd/rules.h"

#include <algorithm>
#include <vector>

#include "agent/rule_files.h"
#include "base/strings.h"
#include "cmd/command.h"
#include "cmd/listing.h"
#include "fields/catalog.h"

namespace saker::cmd {

static std::vector<std::string> paths_or_own(std::span<const std::string> paths) {
  if (paths.empty()) return {agent::default_rules_folder()};
  return {paths.begin(), paths.end()};
}

Result<rules::RuleSet> load_rules(std::span<const std::string> paths) {
  std::string warnings;
  return agent::load_rule_files({.paths = paths_or_own(paths),
                                 .minimum_priority = finding::Severity::debug,
                                 .selections = {},
                                 .extra_output = {},
                                 .keep_sources = true},
                                warnings);
}

Result<int> rules_check(std::span<const std::string> paths, bool json) {
  const std::vector<rules::RulesText> texts =
      SAKER_TRY(rules::read_rules_files(paths_or_own(paths)));
  const rules::LoadResult loaded =
      rules::load(texts, {.catalog = &fields::catalog(), .keep_sources = false});
  if (json) {
    print(rules::to_json(loaded.reports) + "\n");
    return loaded.ok() ? kExitOk : kExitFailed;
  }
  for (const rules::FileReport& report : rules::without_repetitions(loaded.reports))
    print(rules::to_text(report, true));
  for (size_t i = loaded.reports.size(); i < texts.size(); ++i)
    print(texts[i].name + ": not checked, since an earlier file is invalid\n");
  return loaded.ok() ? kExitOk : kExitFailed;
}

static std::vector<const rules::Rule*> select(const rules::RuleSet& set,
                                              const RuleListOptions& options,
                                              finding::Severity least) {
  std::vector<const rules::Rule*> selected;
  for (const rules::Rule& rule : set.rules) {
    const bool tagged = options.tag.empty() || std::find(rule.tags.begin(), rule.tags.end(),
                                                         options.tag) != rule.tags.end();
    if (tagged && (options.source.empty() || rule.source == options.source) &&
        rule.priority <= least)
      selected.push_back(&rule);
  }
  return selected;
}

Result<int> rules_list(std::span<const std::string> paths, const RuleListOptions& options) {
  finding::Severity least = finding::Severity::debug;
  if (!options.priority.empty()) {
    const auto parsed = finding::parse_severity(options.priority);
    if (!parsed)
      return Error{.code = Code::invalid,
                   .message = "no priority is called '" + options.priority + "'",
                   .position = {},
                   .hint = "emergency, alert, critical, error, warning, notice, info, debug"};
    least = *parsed;
  }
  const rules::RuleSet set = SAKER_TRY(load_rules(paths));
  const auto selected = select(set, options, least);
  if (options.json) {
    JsonWriter json;
    json.begin_array();
    for (const rules::Rule* rule : selected) {
      json.begin_object();
      json.key("description").text(trim(rule->description));
      json.key("enabled").boolean(rule->enabled);
      json.key("file").text(rule->location.file);
      json.key("line").number(rule->location.line + 1);
      json.key("name").text(rule->name);
      json.key("priority").text(finding::to_string(rule->priority));
      json.key("source").text(rule->source);
      json.key("tags").texts(rule->tags);
      json.end_object();
    }
    print(json.end_array().result() + "\n");
    return kExitOk;
  }
  Table table({"RULE", "PRIORITY", "SOURCE", "ENABLED", "TAGS"});
  for (const rules::Rule* rule : selected)
    table.add({rule->name, std::string(finding::to_string(rule->priority)), rule->source,
               rule->enabled ? "yes" : "no", join(rule->tags, ", ")});
  print(table.to_text());
  return kExitOk;
}

}  // namespace saker::cmd
