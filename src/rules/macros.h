// The macros of a rule set: parsed, checked for what they name, and copied into conditions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/collector.h"
#include "rules/condition_text.h"

namespace saker::rules {

struct Macro {
  std::string name;
  ConditionText text;
  filter::Node tree;  // macros in it are not expanded
  std::vector<MacroUse> uses;
  uint64_t fingerprint = 0;       // of its own text
  uint64_t deep_fingerprint = 0;  // with those of the macros it names
  uint32_t depth = 0;             // 1 when it names none; 0: not checked yet
  size_t nodes = 0;
  bool used = false;
};

// Keeps what is parsed from one call of update() to the next, so that only changed macros are
// parsed again.
class MacroTable {
 public:
  MacroTable(const Collector& collector, Reporter& reporter)
      : collector_(collector), reporter_(reporter) {}

  // Takes over the macros as collected by now. The first that is wrong is reported.
  // `next_offset` is where the common space of offsets is free.
  Status update(ListTable& lists, ExpansionBudget& budget, uint64_t& next_offset);

  [[nodiscard]] const Macro* find(std::string_view name) const;
  [[nodiscard]] const Macro& at(size_t number) const { return macros_[number]; }
  [[nodiscard]] size_t size() const { return macros_.size(); }
  [[nodiscard]] const Macro* owner_of(uint64_t offset) const;

  // The macro and all that it names, each once, in order of use.
  void collect_deep(const Macro& macro, std::vector<const Macro*>& out) const;
  void mark_used(const Macro& macro) { macros_[number_of(macro)].used = true; }

  // Puts the macros' trees in place of their names. False when the tree gets larger than
  // `nodes_left` or too deep. All names are known to be macros.
  bool expand(filter::Node& node, size_t& nodes_left, uint32_t depth = 0) const;

 private:
  static constexpr uint32_t kMaxMacroDepth = 100;
  static constexpr uint32_t kMaxTreeDepth = 1000;

  [[nodiscard]] size_t number_of(const Macro& macro) const {
    return static_cast<size_t>(&macro - macros_.data());
  }
  Status parse(size_t number, const ListTable& lists, ExpansionBudget& budget,
               uint64_t& next_offset);
  Status check(size_t number);
  Result<uint32_t> explore(size_t number, size_t root, uint32_t depth);
  uint64_t deep_fingerprint(size_t number);

  const Collector& collector_;
  Reporter& reporter_;
  std::vector<Macro> macros_;    // numbered as in the collector
  std::vector<uint8_t> state_;   // of check(): new, open, explored
  std::vector<size_t> touched_;  // whose state is not new
  size_t steps_left_ = 0;
};

}  // namespace saker::rules
