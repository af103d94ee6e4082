// Rules files of any text: loading ends, says where each problem is within the file, writes reports
// that are JSON, and gives the same answer again. A line "%%%" parts files that are loaded in
// order.
// parser: src/rules/reader.cc src/rules/rule_reader.cc src/rules/collector.cc
// parser: src/rules/compiler.cc src/rules/exceptions.cc src/rules/lists.cc src/rules/macros.cc
// parser: src/rules/decode.cc src/rules/loader.cc src/rules/report.cc src/rules/version.cc
// parser: src/rules/diagnostics.cc src/rules/condition_text.cc
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fields/catalog.h"
#include "formats/json.h"
#include "rules/ruleset.h"

namespace {

using namespace saker;

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<rules::RulesText> split_files(std::string_view text) {
  constexpr std::string_view kMark = "\n%%%\n";
  std::vector<rules::RulesText> files;
  for (;;) {
    const size_t end = text.find(kMark);
    files.push_back(
        {.name = "f" + std::to_string(files.size()), .text = std::string(text.substr(0, end))});
    if (end == std::string_view::npos || files.size() == 4) return files;
    text.remove_prefix(end + kMark.size());
  }
}

void check_problem(const rules::Problem& problem, const std::vector<rules::RulesText>& files) {
  require(!problem.code.empty() && !problem.message.empty() && !problem.context.empty());
  for (const rules::Location& location : problem.context) {
    const auto file = std::find_if(files.begin(), files.end(), [&](const rules::RulesText& text) {
      return text.name == location.file;
    });
    require(file != files.end() && location.offset <= file->text.size());
    require(location.line <= file->text.size());
  }
}

// What a configuration may ask for besides: other rules on, more output, less severe ones left out.
rules::LoadOptions all_options() {
  return {.catalog = &fields::catalog(),
          .minimum_priority = finding::Severity::warning,
          .selections = {{.enable = false, .rule_glob = "*a*b", .tag = ""},
                         {.enable = true, .rule_glob = "", .tag = "t"},
                         {.enable = false, .rule_glob = "*r*", .tag = ""}},
          .known_sources = {"syscall"},
          .additions = {{.source = "syscall",
                         .tags = {"t"},
                         .extra_output = "%evt.num",
                         .extra_fields = {{"more", "%proc.name"}}},
                        {.rule = "r", .extra_fields = {{"bad", "%no.field"}}}},
          .extra_output = "[%evt.time]"};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<rules::RulesText> files =
      split_files({reinterpret_cast<const char*>(data), size});
  const rules::LoadOptions options{.catalog = &fields::catalog()};
  const rules::LoadResult first = rules::load(files, options);
  const rules::LoadResult second = rules::load(files, options);
  for (const rules::FileReport& report : first.reports) {
    require(report.errors.size() <= 1 || report.errors[0].code == "LOAD_ERR_VALIDATE");
    for (const rules::Problem& problem : report.errors) check_problem(problem, files);
    for (const rules::Problem& problem : report.warnings) check_problem(problem, files);
    require(!rules::to_text(report, true).empty() && !rules::to_text(report, false).empty());
  }
  const std::string json = rules::to_json(first.reports);
  require(json == rules::to_json(second.reports) && formats::parse_json(json).ok());
  require(first.set.rules.size() == second.set.rules.size());
  require(first.ok() || first.set.rules.empty());
  for (size_t i = 0; i < first.set.rules.size(); ++i)
    require(filter::to_text(first.set.rules[i].condition) ==
            filter::to_text(second.set.rules[i].condition));
  const rules::LoadResult other = rules::load(files, all_options());
  require(other.set.rules.size() <= first.set.rules.size() || !first.ok());
  require(rules::without_repetitions(first.reports).size() == first.reports.size());
  return 0;
}
