#include "agent/audit_webhook.h"

#include <fmt/core.h>
#include <malloc.h>

#include <chrono>
#include <mutex>

#include "base/log.h"
#include "finding/finding.h"

namespace saker::agent {

namespace {

// Batches are a megabyte at most where truncation is switched on, unbounded elsewhere; several come
// at once.
constexpr size_t kMaxBody = size_t{64} << 20, kMaxBodies = kMaxBody;
// What kube-apiserver gives an attempt.
constexpr std::chrono::seconds kRequestTimeout{30};
constexpr std::chrono::seconds kKeepAlive{60};
constexpr size_t kThreads = 64;

// A server that sends again and again must not fill the log.
void tell(const std::string& text) {
  constexpr std::chrono::seconds kInterval{10};
  static std::mutex mutex;
  static std::chrono::steady_clock::time_point quiet_until;
  const auto now = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex);
    if (now < quiet_until) return;
    quiet_until = now + kInterval;
  }
  log::warning(text);
}

}  // namespace

// kube-apiserver takes any 2xx for success, and sends again after any other answer.
net::HttpResponse answer_batch(AuditReceiver& receiver, net::HttpRequest& request) {
  AuditReceiver::Outcome outcome = receiver.receive(request.body);
  if (outcome.answer == AuditReceiver::Answer::durable) return {.body = ""};
  const bool malformed = outcome.answer == AuditReceiver::Answer::malformed;
  tell(fmt::format("audit webhook: a batch from {} {}: {}", request.remote_address,
                   malformed ? "is refused" : "could not be kept", outcome.why));
  std::string body = "{\"error\":";
  finding::append_json_string(outcome.why, body);
  net::HttpResponse response{.status = malformed ? 400 : 503, .body = body + "}\n"};
  if (!malformed) response.retry_after = std::chrono::seconds(10);
  return response;
}

Result<std::unique_ptr<AuditWebhook>> AuditWebhook::open(net::HttpServerOptions http,
                                                         std::shared_ptr<store::AuditSpool> spool) {
  // Else the heap of each thread keeps the room of the largest batch that it had.
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  ::mallopt(M_ARENA_MAX, 8);
  http.max_threads = kThreads;
  http.max_body = kMaxBody;
  http.max_bodies = kMaxBodies;
  http.request_timeout = kRequestTimeout;
  http.keep_alive = kKeepAlive;
  net::HttpServer server = SAKER_TRY(net::HttpServer::open(std::move(http)));
  auto receiver = std::make_shared<AuditReceiver>(std::move(spool));
  receiver->remember_last();
  // The server may leave a thread behind that is slow to end: what it uses stays with it.
  server.route("POST", "*",
               [receiver](net::HttpRequest& request) { return answer_batch(*receiver, request); });
  return std::unique_ptr<AuditWebhook>(new AuditWebhook(std::move(server), std::move(receiver)));
}

}  // namespace saker::agent
