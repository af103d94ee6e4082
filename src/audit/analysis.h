// Makes an audit log an answer to "was anyone where they don't belong": what rules say of single
// events, and what only the order of events tells, gathered by kind and actor. Memory is bounded
// by the limits below, not by the log.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "audit/access_table.h"
#include "audit/digest.h"
#include "audit/order_watch.h"
#include "audit/seen_requests.h"
#include "audit/suspicion.h"
#include "base/arena.h"
#include "base/function_ref.h"
#include "event/audit_record.h"

namespace saker::audit {

// Which events are looked at; an empty one: all.
struct AnalysisFilter {
  std::string actor;
  std::string resource;
  std::string name_space;
};

class Analysis {
 public:
  static constexpr size_t kMostSuspicions = 10'000, kMostEvidence = 20;

  // A baseline, when there is one, says what actors are used to. `learning`: for baseline().
  explicit Analysis(AnalysisFilter filter, const Baseline* known = nullptr, bool learning = false)
      : filter_(std::move(filter)), order_(known, learning) {}

  // Whether somebody asked for this event; for any thread.
  [[nodiscard]] bool wants(const AuditRecord& record) const;
  // This event comes soon; for speed alone.
  [[gnu::always_inline]] void expect(const AuditDigest& digest) const { seen_.expect(digest); }
  // The next event of the log that is wanted. False: it is a repetition (same id, stage, time and
  // request); what rules say of it is not to be noted. `record` gives the event, when it is needed.
  bool take(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record);
  // A rule that matched the event that was taken last.
  void note(const SuspicionKind& kind, const AuditRecord& record);

  // The most severe first, then by time.
  [[nodiscard]] std::vector<const Suspicion*> suspicions() const;
  // What was done with secrets and config maps.
  [[nodiscard]] std::vector<ObjectAccess> accesses() const { return accesses_.rows(); }
  // What actors are used to, with what was known before.
  [[nodiscard]] Baseline baseline() const { return order_.baseline(); }
  [[nodiscard]] uint64_t repeated() const { return repeated_; }
  // Events that no table had room for: what is said is not all then.
  [[nodiscard]] uint64_t forgotten() const {
    return forgotten_ + order_.forgotten() + accesses_.forgotten();
  }

 private:
  [[nodiscard]] std::string_view text(const AuditRecord& record, AuditValue value);
  [[nodiscard]] std::string actor_of(const AuditRecord& record);
  [[nodiscard]] std::string object_kind(const AuditRecord& record);
  [[nodiscard]] std::string request_of(const AuditRecord& record);
  [[nodiscard]] bool passes_filter(const AuditRecord& record);
  Suspicion* find_or_make(const SuspicionKind& kind, const AuditRecord& record);

  const AnalysisFilter filter_;
  Arena scratch_;
  // By title, actor, and the name in which it acted.
  std::map<std::tuple<std::string, std::string, std::string>, Suspicion> found_;
  SeenRequests seen_;
  OrderWatch order_;
  AccessTable accesses_;
  uint64_t repeated_ = 0, forgotten_ = 0;
};

// "kubernetes-api-scanned".
std::string slug(std::string_view title);

}  // namespace saker::audit
