// The HTTP face of a running Saker: health, versions, metrics, alerts, live events.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "server/event_stream.h"
#include "server/metrics.h"

namespace saker::server {

struct ServerOptions {
  net::HttpServerOptions http = {};
  std::string store_path = {};  // for /api/v1/alerts; empty: no store
  bool metrics = true;
};

// Serves from open() until it goes. Sources and stream must outlive it.
//
//   GET /healthz        {"status":"ok"}           (no token needed)
//   GET /versions       versions of the program and of its store
//   GET /metrics        Prometheus text 0.0.4
//   GET /api/v1/alerts  {"alerts":[...]}, the newest `limit` (100), oldest first; parameters as the
//                       options of `saker alerts list`: since until rule priority source container
//                       tag limit after
//   GET /api/v1/events  server-sent events, one a finding; parameters: rule priority source
//                       container tag
class Server {
 public:
  static Result<std::unique_ptr<Server>> open(ServerOptions options, EventStream& stream,
                                              std::vector<const MetricsSource*> sources);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  [[nodiscard]] uint16_t port() const { return http_.port(); }

 private:
  Server(ServerOptions options, net::HttpServer http, EventStream& stream,
         std::vector<const MetricsSource*> sources);
  void add_routes();
  net::HttpResponse metrics() const;
  net::HttpResponse alerts(const net::HttpRequest& request) const;
  net::HttpResponse events(const net::HttpRequest& request);

  const ServerOptions options_;
  EventStream& stream_;
  const std::vector<const MetricsSource*> sources_;
  net::HttpServer http_;
};

}  // namespace saker::server
