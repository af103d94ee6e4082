#include "server/server.h"

#include <fmt/core.h>
#include <sys/utsname.h>

#include <algorithm>

#include "base/time.h"
#include "store/query.h"

namespace saker::server {

namespace {

constexpr uint64_t kDefaultLimit = 100;
constexpr uint64_t kLargestLimit = 1000;  // the answer is made in memory

net::HttpResponse problem(int status, const Error& error) {
  std::string body = "{\"error\":";
  finding::append_json_string(error.to_text(), body);
  return {.status = status, .body = body + "}\n"};
}

Result<store::AlertFilter> parse_filter(const net::HttpRequest& request) {
  store::AlertFilter filter;
  const uint64_t now = now_ns();
  for (const auto& [name, value] : request.query)
    SAKER_CHECK(store::set_filter(filter, name, value, now));
  return filter;
}

net::HttpResponse versions() {
  utsname kernel{};
  ::uname(&kernel);
  std::string release;
  finding::append_json_string(kernel.release, release);
  return {.body = fmt::format("{{\"kernel\":{},\"saker\":\"{}\"}}\n", release, SAKER_VERSION)};
}

}  // namespace

Server::Server(ServerOptions options, net::HttpServer http, EventStream& stream,
               std::vector<const MetricsSource*> sources)
    : options_(std::move(options)),
      stream_(stream),
      sources_(std::move(sources)),
      http_(std::move(http)) {}

Result<std::unique_ptr<Server>> Server::open(ServerOptions options, EventStream& stream,
                                             std::vector<const MetricsSource*> sources) {
  net::HttpServer http = SAKER_TRY(net::HttpServer::open(options.http));
  std::unique_ptr<Server> server(
      new Server(std::move(options), std::move(http), stream, std::move(sources)));
  server->add_routes();
  SAKER_CHECK(server->http_.start());
  return server;
}

Server::~Server() {
  stream_.close();
  http_.stop();
}

void Server::add_routes() {
  using Request = net::HttpRequest;
  http_.route(
      "GET", "/healthz",
      [](const Request&) { return net::HttpResponse{.body = "{\"status\":\"ok\"}"}; }, true);
  http_.route("GET", "/versions", [](const Request&) { return versions(); });
  if (options_.metrics)
    http_.route("GET", "/metrics", [this](const Request&) { return metrics(); });
  http_.route("GET", "/api/v1/alerts", [this](const Request& request) { return alerts(request); });
  http_.route("GET", "/api/v1/events", [this](const Request& request) { return events(request); });
}

net::HttpResponse Server::metrics() const {
  MetricsWriter writer;
  for (const MetricsSource* source : sources_) source->collect(writer);
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = writer.text()};
}

net::HttpResponse Server::alerts(const net::HttpRequest& request) const {
  Result<store::AlertFilter> filter = parse_filter(request);
  if (!filter.ok()) return problem(400, filter.error());
  filter->limit = std::min(filter->limit == 0 ? kDefaultLimit : filter->limit, kLargestLimit);
  if (options_.store_path.empty())
    return problem(503, Error{.message = "this saker keeps no alerts: its store is off"});
  Result<store::Reader> reader = store::Reader::open(options_.store_path);
  if (!reader.ok()) return problem(503, reader.error());
  std::string body = "{\"alerts\":[";
  Status status = reader->each(*filter, [&](const store::StoredAlert& alert) {
    if (body.back() != '[') body += ',';
    body += store::to_json(alert);
    return true;
  });
  if (!status.ok()) return problem(503, status.error());
  return {.body = body + "]}\n"};
}

net::HttpResponse Server::events(const net::HttpRequest& request) {
  Result<store::AlertFilter> filter = parse_filter(request);
  if (!filter.ok()) return problem(400, filter.error());
  Result<std::unique_ptr<net::BodyStream>> body = stream_.subscribe(std::move(*filter));
  if (!body.ok()) return problem(503, body.error());
  return {.content_type = "text/event-stream", .stream = std::move(*body)};
}

}  // namespace saker::server
