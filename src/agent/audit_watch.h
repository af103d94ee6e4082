// Judges audit events as they come, on the watching thread, a little at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/audit_sources.h"
#include "agent/pipeline.h"
#include "audit/seen_requests.h"
#include "capture/k8s_audit/audit_block.h"
#include "store/writer.h"

namespace saker::agent {

// For one thread.
class AuditWatch {
 public:
  AuditWatch(AuditSources& sources, Pipeline& pipeline, store::Writer& store)
      : sources_(sources), pipeline_(pipeline), store_(store) {}

  // Judges what is there, for about this long; waits for the first of it up to `patience`. False
  // when nothing is left.
  bool run(std::chrono::milliseconds budget, std::chrono::milliseconds patience);

  // A finding about the event that is being judged: stored together with how far its source was
  // read.
  void add(store::SharedFinding finding) { group_->findings.push_back(std::move(finding)); }

  struct Stats {
    uint64_t events = 0;    // judged
    uint64_t repeated = 0;  // seen before: in a batch that was sent twice, in two logs
    std::map<std::string, uint64_t> lost;
  };
  [[nodiscard]] const Stats& stats() const { return stats_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool begin_batch(std::chrono::milliseconds patience);
  void judge(event::Event& event);
  bool end_batch();
  void lose_old_format();

  AuditSources& sources_;
  Pipeline& pipeline_;
  store::Writer& store_;
  capture::AuditBlock block_;
  audit::SeenRequests seen_;
  std::optional<AuditBatch> batch_;  // being judged; block_ reads it
  bool read_ = false;                // to its end
  std::shared_ptr<store::Writer::Group> group_;
  Stats stats_;
};

}  // namespace saker::agent
