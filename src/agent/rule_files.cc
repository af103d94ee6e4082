#include "agent/rule_files.h"

#include <unistd.h>

#include <filesystem>

#include "fields/catalog.h"

namespace saker::agent {

// A file may hold what a later one uses, so that something is not used yet is no news here; `rules
// check` says it.
static bool is_news(const rules::Problem& warning) {
  return warning.code != "LOAD_UNUSED_MACRO" && warning.code != "LOAD_UNUSED_LIST";
}

// What the reference's container plugin suggests, under its labels.
static rules::SuggestedOutput suggested(const RuleFileOptions& options) {
  if (!options.suggested_output) return {};
  return {.field = "container.id",
          .absent_when = "host",
          .labels = {{"container_id", "container.id"},
                     {"container_name", "container.name"},
                     {"container_image_repository", "container.image.repository"},
                     {"container_image_tag", "container.image.tag"},
                     {"k8s_pod_name", "k8s.pod.name"},
                     {"k8s_ns_name", "k8s.ns.name"}}};
}

Result<rules::RuleSet> load_rule_files(const RuleFileOptions& options, std::string& warnings) {
  const std::vector<rules::RulesText> texts = SAKER_TRY(rules::read_rules_files(options.paths));
  rules::LoadResult loaded = rules::load(texts, {.catalog = &fields::catalog(),
                                                 .minimum_priority = options.minimum_priority,
                                                 .selections = options.selections,
                                                 .additions = options.additions,
                                                 .extra_output = options.extra_output,
                                                 .suggested = suggested(options),
                                                 .keep_sources = options.keep_sources});
  std::string errors;
  for (rules::FileReport& report : loaded.reports) {
    std::erase_if(report.warnings, [](const rules::Problem& warning) { return !is_news(warning); });
    if (!report.successful()) {
      errors += rules::to_text(report, true);
    } else if (!report.warnings.empty()) {
      warnings += rules::to_text(report, false);
    }
  }
  if (!loaded.ok())
    return Error{.code = Code::invalid, .message = "the rules have errors\n" + errors};
  return std::move(loaded.set);
}

std::string default_rules_folder() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  for (const fs::path& folder :
       {self.parent_path().parent_path() / "rules", fs::path("/usr/share/saker/rules"),
        fs::path("/etc/saker/rules.d")})
    if (fs::is_directory(folder, ignored)) return folder.string();
  return "/etc/saker/rules.d";
}

}  // namespace saker::agent
