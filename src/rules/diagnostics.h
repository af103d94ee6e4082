// Errors and warnings of loading: where in which file, the line with a caret, and the texts that
// belong to the codes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/yaml.h"
#include "rules/ruleset.h"

namespace saker::rules {

// A place in one of the loaded files.
struct FilePlace {
  uint32_t file = 0;
  formats::YamlMark mark = {};
};

// What a report says about where it is, from the whole file inwards. Lives on the stack; names are
// views.
struct Trail {
  const Trail* parent = nullptr;
  std::string_view item_type;
  std::string_view item_name;
  FilePlace place;
};

// Codes that come from more than one place.
inline constexpr std::string_view kErrYamlValidate = "LOAD_ERR_YAML_VALIDATE";
inline constexpr std::string_view kErrValidate = "LOAD_ERR_VALIDATE";
inline constexpr std::string_view kErrCondition = "LOAD_ERR_COMPILE_CONDITION";
inline constexpr std::string_view kErrOutput = "LOAD_ERR_COMPILE_OUTPUT";
inline constexpr std::string_view kWarnDeprecated = "LOAD_DEPRECATED_ITEM";

// "Error compiling condition" for LOAD_ERR_COMPILE_CONDITION.
std::string_view code_description(std::string_view code);

// The line at `mark`, and under it a caret; long lines are cut to the part around the caret.
std::string snippet_at(std::string_view text, const formats::YamlMark& mark);

// The place in the file of byte `offset` of a scalar's value, by walking the scalar's text as
// written from `start`: blanks are passed over on both sides, so that folding does not matter.
FilePlace place_in_scalar(std::string_view file_text, const FilePlace& start,
                          std::string_view value, size_t offset);

// "did you mean 'X'?" for the candidate nearest to `word`, or nothing.
std::string suggest(std::string_view word, const std::vector<std::string>& candidates);

// Collects the problems of one file after the other.
class Reporter {
 public:
  explicit Reporter(std::span<const RulesText> files) : files_(files) {}

  void start(FileReport* report) { report_ = report; }
  void warn(std::string_view code, std::string message, const Trail& trail, std::string hint = {});
  // Records the error and gives one for returning, which nobody prints.
  Error fail(std::string_view code, std::string message, const Trail& trail, std::string hint = {});

  [[nodiscard]] Problem make(std::string_view code, std::string message, const Trail& trail,
                             std::string hint) const;
  void add_warning(Problem problem) { report_->warnings.push_back(std::move(problem)); }
  [[nodiscard]] size_t warning_count() const { return report_->warnings.size(); }
  [[nodiscard]] const std::vector<Problem>& warnings() const { return report_->warnings; }
  [[nodiscard]] std::string_view text_of(uint32_t file) const { return files_[file].text; }
  [[nodiscard]] std::string_view name_of(uint32_t file) const { return files_[file].name; }

 private:
  std::span<const RulesText> files_;
  FileReport* report_ = nullptr;
};

}  // namespace saker::rules
