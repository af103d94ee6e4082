// From collected definitions to rules: exceptions, lists and macros put in, conditions and outputs
// compiled, warnings given. Runs again after each file, since a file may change what earlier ones
// defined; what did not change is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "filter/compile_cache.h"
#include "rules/collector.h"
#include "rules/condition_text.h"
#include "rules/macros.h"

namespace saker::rules {

class Compiler {
 public:
  Compiler(const Collector& collector, const LoadOptions& options, Reporter& reporter);
  ~Compiler();

  // Compiles what is collected by now. The first error is reported; warnings are those of all
  // items, not only of the newest file.
  Status compile();

  // The rules that could be compiled, in order of definition. Ends the use of this object.
  std::vector<Rule> take_rules();

 private:
  // What was made of a rule, and from what.
  struct Compiled {
    uint64_t fingerprint = 0;
    std::vector<std::string> macro_names;  // all that it uses
    std::vector<Problem> warnings;
    std::vector<std::string> compared;  // constants that look like names of lists
    std::optional<Rule> rule;           // nothing: dropped with a warning
  };
  struct Job;
  struct NodeTrail;

  Status compile_rule(size_t number);
  Status prepare(Job& job);
  Result<bool> reuse(Job& job, Compiled& compiled);
  Status parse(Job& job);
  Status expand_macros(Job& job);
  void check_condition(Job& job);
  Status compile_output(Job& job);
  Status append_suggested(Job& job, const Trail& trail);
  bool is_for_other_source(const std::string& text, std::string_view source);
  Status compile_extra_fields(Job& job, const OutputAddition& addition);
  Status compile_condition(Job& job);
  Status compile_burst(Job& job);
  void infer_events(Job& job);
  void warn_unused();
  [[nodiscard]] std::string hint_for_unused_list(std::string_view name,
                                                 const std::vector<std::string>& values) const;
  [[nodiscard]] std::vector<std::string> compared_values() const;

  [[nodiscard]] FilePlace locate(const Job& job, uint64_t offset) const;
  [[nodiscard]] std::string hint_for(std::string_view message) const;
  [[nodiscard]] const filter::FieldInfo* field(std::string_view name) const;
  [[nodiscard]] bool is_deprecated(std::string_view name) const;
  void warn_deprecated(Job& job, std::string_view name, const Trail& trail);

  const Collector& collector_;
  const LoadOptions& options_;
  Reporter& reporter_;
  ListTable lists_;
  MacroTable macros_;
  ExpansionBudget budget_;
  size_t nodes_left_ = 0;
  uint64_t next_offset_ = 0;
  std::vector<Compiled> compiled_;  // numbered as rules in the collector
  filter::CompileCache cache_;
  std::unordered_map<std::string_view, const filter::FieldInfo*> fields_;
};

}  // namespace saker::rules
