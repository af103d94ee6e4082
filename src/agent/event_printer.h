// Prints events as people of sysdig expect: those that pass a filter, as lines of a format, as
// chosen fields, or counted by a field.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "filter/compile.h"
#include "filter/output_template.h"

namespace saker::agent {

struct PrinterOptions {
  std::string filter;    // a condition; empty: every event
  std::string format;    // an output template; empty: the default line
  std::string fields;    // comma separated; instead of a format
  std::string count_by;  // a field: no lines, a table at the end
  bool json = false;
};

// For one thread.
class EventPrinter {
 public:
  // `source` is that of the events: it decides the default line.
  static Result<EventPrinter> make(const PrinterOptions& options,
                                   const filter::FieldCatalog& catalog, event::Source source);

  // Appends what is to be printed of the event to `out`; nothing when the filter rejects it.
  void print(const filter::EvalContext& context, std::string& out);
  // The table of counts, most frequent first.
  void finish(std::string& out) const;

  [[nodiscard]] uint64_t matched() const { return matched_; }

 private:
  void print_fields(const filter::EvalContext& context, std::string& out);
  void count(const filter::EvalContext& context);

  std::optional<filter::Expr> filter_;
  filter::OutputTemplate format_;
  std::vector<filter::Operand> fields_;
  std::optional<filter::Operand> count_by_;
  std::map<std::string, uint64_t> counts_;
  filter::Values values_;
  std::string line_;  // reused
  bool json_ = false;
  uint64_t matched_ = 0;
};

// A condition on events of `source` given on the command line, compiled; errors show the place in
// it.
Result<filter::Expr> compile_condition(std::string_view text, const filter::FieldCatalog& catalog,
                                       event::Source source);

}  // namespace saker::agent
