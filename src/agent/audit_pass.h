// Audit logs through rules on all processors: blocks of lines are parsed and matched side by side,
// and handed on in the logs' order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/log_blocks.h"
#include "audit/digest.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "event/audit_record.h"
#include "event/event.h"
#include "filter/field.h"
#include "rules/engine.h"

namespace saker::agent {

// What is made of the events of a pass.
class AuditPassUser {
 public:
  virtual ~AuditPassUser() = default;

  // Whether an event is to be looked at. On any thread, several at a time.
  [[nodiscard]] virtual bool wants(const audit::AuditRecord& record,
                                   const event::Event& event) const = 0;

  // The rest is called for one event at a time, in the order of the logs.
  // An event that take() will be called for soon, to have ready what it needs.
  virtual void expect(const audit::AuditDigest& digest) const = 0;
  // False: the event does not count, nor what rules say of it.
  virtual bool take(const audit::AuditDigest& digest,
                    FunctionRef<const audit::AuditRecord&()> record) = 0;
  // A rule that the event matched which take() was called for last.
  virtual void on_match(const rules::Engine& engine, uint32_t rule,
                        const filter::EvalContext& context) = 0;
  // Now and then: bytes of the logs that were read so far. False: that is enough.
  virtual bool on_progress(uint64_t bytes) = 0;
};

// Reads one log after the other; what rules learn and count goes on from log to log. For one
// thread, which others help.
class AuditPass {
 public:
  // `threads` 0: one a processor, up to a few.
  AuditPass(const rules::RuleSet& rules, rules::Matching matching, unsigned threads = 0);
  ~AuditPass();

  // Returns at the end of the log; an Error says why it came early, and what was read until then
  // was handed on.
  Status read(const std::string& path, AuditPassUser& user);
  Status read(capture::BlockSource& source, AuditPassUser& user);

  // Of all logs so far, wanted events or not.
  [[nodiscard]] const LogSummary& summary() const;
  [[nodiscard]] const rules::RuleSet& rules() const;
  [[nodiscard]] rules::RuleStats stats(uint32_t rule) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saker::agent
