// What an analysis of audit events tells.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "finding/finding.h"

namespace saker::audit {

// What is told of all events of one kind by one actor in one name.
struct Suspicion {
  std::string id;  // of the kind, as "kubernetes-api-scanned"
  std::string title;
  std::string description;  // with what to do next
  finding::Severity severity = finding::Severity::notice;
  std::string technique;     // of MITRE ATT&CK, "T1078"; empty when there is none
  std::string actor;         // "-": nobody that the server knows, a failed credential
  std::string impersonated;  // the name in which it acted; empty: in its own
  std::string first, last;   // times as in the log
  uint64_t count = 0;        // events
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

}  // namespace saker::audit
