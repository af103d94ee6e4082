// An HTTP server for a handful of routes and server-sent streams. Facade over cpp-httplib.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace saker::net {

struct HttpRequest {
  std::string method;
  std::string path;  // decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;
  std::string remote_address;
};

// The body of a response that is sent while it is made.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // The next piece, waiting no longer than `timeout`; an empty one when there is nothing yet,
  // nothing at the end. Called on a thread of the server.
  virtual std::optional<std::string> next(std::chrono::milliseconds timeout) = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::unique_ptr<BodyStream> stream = nullptr;  // instead of the body
  std::chrono::seconds retry_after{0};           // what a client that is refused may wait
};

struct HttpServerOptions {
  std::string listen = "127.0.0.1:8765";   // port 0: any
  std::string certificate_file, key_file;  // both: TLS
  std::string client_ca_file;              // clients need a certificate that this authority signed
  std::string token;        // "Authorization: Bearer TOKEN" that all but open routes ask for
  size_t max_threads = 16;  // connections that are served at a time
  size_t max_body = size_t{1} << 20;
  size_t max_bodies = size_t{16} << 20;               // of all requests under way; beyond it: 429
  std::chrono::milliseconds request_timeout{10'000};  // to send a request, body and all
  std::chrono::milliseconds write_timeout{5'000};     // until a client reads more of a reply
  std::chrono::milliseconds keep_alive{1'000};        // until the next request of a connection
};

// Serves from start() to stop(). Handlers run on several threads at once.
//
// An address that other machines can reach is refused unless TLS and a token, or an authority for
// client certificates, are set. On loopback,
// requests whose Host names another machine are refused, so that no web page can reach the server
// through a name that it points at 127.0.0.1.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(HttpRequest&)>;  // which may use the request up

  static Result<HttpServer> open(HttpServerOptions options);
  HttpServer(HttpServer&&) noexcept;
  HttpServer& operator=(HttpServer&&) noexcept;
  ~HttpServer();

  // Before start(). `open_to_all` needs no token (health checks). The path "*" is every path that
  // has no route of its own.
  void route(std::string method, std::string path, Handler handler, bool open_to_all = false);

  Status start();
  void stop();

  [[nodiscard]] uint16_t port() const;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace saker::net
