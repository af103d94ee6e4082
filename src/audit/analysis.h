// Makes an audit log an answer to "was anyone where they don't belong": what rules say of single
// events, and what only the order of events tells, gathered by kind and actor. Memory is bounded
// by the limits below, not by the log.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "audit/digest.h"
#include "base/arena.h"
#include "base/function_ref.h"
#include "base/recent_set.h"
#include "event/audit_record.h"
#include "finding/finding.h"

namespace saker::audit {

// What is told of all events of one kind by one actor.
struct Suspicion {
  std::string id;  // of the kind, as "kubernetes-api-scanned"
  std::string title;
  std::string description;  // with what to do next
  finding::Severity severity = finding::Severity::notice;
  std::string technique;    // of MITRE ATT&CK, "T1078"; empty when there is none
  std::string actor;        // "-": nobody that the server knows, a failed credential
  std::string first, last;  // times as in the log
  uint64_t count = 0;       // events
  std::set<std::string> source_ips;
  std::vector<std::string> audit_ids;  // of the first ones
  std::vector<std::string> requests;   // of the first ones: "get secrets shop/db"
};

// The kind of a suspicion: a rule, or a detector of Analysis.
struct SuspicionKind {
  std::string_view title;
  std::string_view description;
  finding::Severity severity;
  std::string_view technique;
};

// Which events are looked at; an empty one: all.
struct AnalysisFilter {
  std::string actor;
  std::string resource;
  std::string name_space;
};

class Analysis {
 public:
  static constexpr size_t kMostSuspicions = 10'000, kMostEvidence = 20, kMostKeys = 200'000,
                          kSeenWindow = 65'536;

  explicit Analysis(AnalysisFilter filter) : filter_(std::move(filter)) {}

  // Whether somebody asked for this event; for any thread.
  [[nodiscard]] bool wants(const AuditRecord& record) const;
  // The next event of the log that is wanted. False: it is a repetition (same id, stage, time and
  // request); what rules say of it is not to be noted. `record` gives the event, when it is needed.
  bool take(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record);
  // A rule that matched the event that was taken last.
  void note(const SuspicionKind& kind, const AuditRecord& record);

  // The most severe first, then by time.
  [[nodiscard]] std::vector<const Suspicion*> suspicions() const;
  [[nodiscard]] uint64_t repeated() const { return repeated_; }
  // Events that no table had room for: what is said is not all then.
  [[nodiscard]] uint64_t forgotten() const { return forgotten_; }

 private:
  // Of one actor with one kind of object in one namespace.
  struct AccessHistory {
    uint32_t refusals = 0;  // before the first success
    bool allowed = false;
  };

  [[nodiscard]] std::string_view text(const AuditRecord& record, AuditValue value);
  [[nodiscard]] std::string actor_of(const AuditRecord& record);
  [[nodiscard]] std::string object_kind(const AuditRecord& record);
  [[nodiscard]] std::string request_of(const AuditRecord& record);
  bool is_late_success(const AuditDigest& digest);
  bool is_new_client(const AuditDigest& digest);

  const AnalysisFilter filter_;
  Arena scratch_;
  std::map<std::pair<std::string, std::string>, Suspicion> found_;  // by title and actor
  std::unordered_map<uint64_t, AccessHistory> access_;  // by hash of actor, kind and namespace
  std::unordered_map<uint64_t, std::vector<uint64_t>> clients_;  // programs of service accounts
  RecentSet seen_{kSeenWindow};
  uint64_t repeated_ = 0, forgotten_ = 0;
};

// "kubernetes-api-scanned".
std::string slug(std::string_view title);

}  // namespace saker::audit
