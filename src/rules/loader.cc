// Loading rules files, one after the other into one namespace, and choosing which rules are on.
#include <algorithm>

#include "rules/compiler.h"
#include "rules/reader.h"
#include "rules/ruleset.h"

namespace saker::rules {

// Whether `text` is what `pattern` says, where '*' stands for anything.
static bool matches_wildcard(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

static bool is_selected(const Rule& rule, const Selection& selection) {
  if (!selection.tag.empty())
    return std::find(rule.tags.begin(), rule.tags.end(), selection.tag) != rule.tags.end();
  return matches_wildcard(selection.rule_glob, rule.name);
}

// Rules run in the order in which they were switched on: one that a selection switches on again
// goes to the end.
static void apply_selections(std::vector<Rule>& rules, const std::vector<Selection>& selections) {
  if (selections.empty()) return;
  std::vector<size_t> rank(rules.size());
  for (size_t i = 0; i < rules.size(); ++i) rank[i] = i;
  size_t next = rules.size();
  for (const Selection& selection : selections)
    for (size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].enabled == selection.enable || !is_selected(rules[i], selection)) continue;
      rules[i].enabled = selection.enable;
      if (selection.enable) rank[i] = next++;
    }
  std::vector<size_t> order(rules.size());
  for (size_t i = 0; i < rules.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank[a] < rank[b]; });
  std::vector<Rule> sorted;
  sorted.reserve(rules.size());
  for (size_t i : order) sorted.push_back(std::move(rules[i]));
  rules = std::move(sorted);
}

static Status load_file(uint32_t file, Reporter& reporter, Collector& collector, Compiler& compiler,
                        Requirements& requirements) {
  SAKER_CHECK(read_rules(file, reporter, collector, requirements));
  return compiler.compile();
}

// Plugins that are asked for are looked for when all files are read.
static void check_plugins(const Requirements& requirements, Reporter& reporter,
                          std::vector<FileReport>& reports) {
  for (const PluginRequirement& requirement : requirements.plugins) {
    if (is_satisfied(requirement)) continue;
    const Trail root{nullptr, "rules content", "", FilePlace{.file = requirement.place.file}};
    reports[requirement.place.file].errors.push_back(reporter.make(
        kErrValidate, "Plugin requirement not satisfied, must load one of: " + requirement.text,
        Trail{&root, "required plugin versions entry", "", requirement.place}, {}));
  }
}

LoadResult load(const std::vector<RulesText>& files, const LoadOptions& options) {
  LoadResult result;
  Reporter reporter(files);
  Collector collector(reporter, options);
  Compiler compiler(collector, options, reporter);
  Requirements requirements;
  result.reports.reserve(files.size());
  for (uint32_t i = 0; i < files.size(); ++i) {
    result.reports.push_back({.name = files[i].name, .errors = {}, .warnings = {}});
    reporter.start(&result.reports.back());
    if (!load_file(i, reporter, collector, compiler, requirements).ok()) return result;
  }
  check_plugins(requirements, reporter, result.reports);
  if (!result.ok()) return result;
  result.set.rules = compiler.take_rules();
  apply_selections(result.set.rules, options.selections);
  result.set.required_engine_version = requirements.engine_version;
  return result;
}

}  // namespace saker::rules
