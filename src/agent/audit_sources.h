// Where audit events come from while a machine is watched: the webhook's spool and followed logs.
// Each source has a thread that puts batches into one intake, from where the source was read to at
// the last end.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/audit_intake.h"
#include "agent/audit_webhook.h"
#include "agent/config.h"
#include "base/result.h"
#include "capture/k8s_audit/log_follower.h"
#include "server/metrics.h"
#include "store/audit_spool.h"
#include "store/writer.h"

namespace saker::agent {

// open(), start() and stop() are for the thread that owns it.
class AuditSources : public server::MetricsSource {
 public:
  // Opens what the configuration names while privileges allow it; nothing when it names none.
  // Positions are kept in the store, without which there is no collecting.
  static Result<std::unique_ptr<AuditSources>> open(const Config& config, store::Writer* store);
  ~AuditSources() override;

  // Begins to receive and to read.
  Status start();
  // No more events come; what was received stays in the spool for the next start.
  void stop();

  [[nodiscard]] AuditIntake& intake() { return intake_; }
  // The rules have seen a batch.
  void judged(const AuditBatch& batch);
  // Whether all that was received so far has been offered.
  [[nodiscard]] bool is_caught_up() const;

  void collect(server::MetricsWriter& writer) const override;
  // For people: where events are taken from.
  [[nodiscard]] std::vector<std::string> names() const { return names_; }

 private:
  AuditSources();
  struct FollowedLog {
    std::string path;
    std::optional<capture::LogPosition> begin;
    std::atomic<uint64_t> bytes = 0, gaps = 0;
    std::atomic<bool> behind = true;
  };
  Status open_webhook(const Config& config, const store::Writer& store);
  void open_log(const std::string& path, const store::Writer& store);
  void follow_spool(const std::stop_token& stop);
  void follow_log(FollowedLog& log, const std::stop_token& stop);

  AuditIntake intake_;
  std::shared_ptr<store::AuditSpool> spool_;
  std::unique_ptr<AuditWebhook> webhook_;
  formats::SpoolPosition spool_begin_;
  std::atomic<bool> spool_behind_ = false;
  std::vector<std::unique_ptr<FollowedLog>> logs_;
  std::vector<std::string> names_;
  std::vector<std::jthread> threads_;
};

}  // namespace saker::agent
