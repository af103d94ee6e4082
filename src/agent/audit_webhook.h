// The receiving end of kube-apiserver's audit webhook: batches of events over HTTP into a spool. It
// judges nothing; what it has acknowledged is on the disk.
#pragma once

#include <cstdint>
#include <memory>

#include "agent/audit_receiver.h"
#include "base/result.h"
#include "net/http_server.h"
#include "store/audit_spool.h"

namespace saker::agent {

// The reply to a request with such a body.
net::HttpResponse answer_batch(AuditReceiver& receiver, net::HttpRequest& request);

// Serves POST on every path from start() to stop().
class AuditWebhook {
 public:
  // `http` says where, with which certificates, and who may; the bounds are set here.
  static Result<std::unique_ptr<AuditWebhook>> open(net::HttpServerOptions http,
                                                    std::shared_ptr<store::AuditSpool> spool);
  Status start() { return server_.start(); }
  void stop() { server_.stop(); }

  [[nodiscard]] uint16_t port() const { return server_.port(); }
  [[nodiscard]] AuditReceiver::Stats stats() const { return receiver_->stats(); }

 private:
  AuditWebhook(net::HttpServer server, std::shared_ptr<AuditReceiver> receiver)
      : receiver_(std::move(receiver)), server_(std::move(server)) {}

  std::shared_ptr<AuditReceiver> receiver_;
  net::HttpServer server_;
};

}  // namespace saker::agent
