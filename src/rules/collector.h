// The one namespace into which all rules files are read: definitions replace, append to or override
// what came before.
#pragma once

#include "rules/definitions.h"

namespace saker::rules {

// Not thread-safe. Every failing call has reported why.
class Collector {
 public:
  Collector(Reporter& reporter, const LoadOptions& options)
      : reporter_(reporter), options_(options) {}

  void define(ListDef list);
  Status append(const ListDef& list, const Trail& trail);
  void define(MacroDef macro);
  Status append(const MacroDef& macro, const Trail& trail);
  Status define(RuleDef rule, const Trail& trail);
  Status append(RuleUpdate update, const Trail& trail);
  Status replace(RuleUpdate update, const Trail& trail);
  Status enable(std::string_view name, bool enabled, const Trail& trail);
  // A rule named again may not say another source.
  Status check_source(std::string_view name, std::string_view source, const Trail& trail);

  [[nodiscard]] const NamedVector<ListDef>& lists() const { return lists_; }
  [[nodiscard]] const NamedVector<MacroDef>& macros() const { return macros_; }
  [[nodiscard]] const NamedVector<RuleDef>& rules() const { return rules_; }

 private:
  Status validate_exception(const RuleDef& rule, ExceptionDef& exception, const Trail& rule_trail);
  Status merge_exceptions(RuleDef& rule, std::vector<ExceptionDef> added, const Trail& trail);

  Reporter& reporter_;
  const LoadOptions& options_;
  NamedVector<ListDef> lists_;
  NamedVector<MacroDef> macros_;
  NamedVector<RuleDef> rules_;
  size_t next_ = 0;
};

}  // namespace saker::rules
