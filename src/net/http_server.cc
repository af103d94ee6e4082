#include "net/http_server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <thread>

#include "base/log.h"
#include "base/strings.h"
#include "net/library.h"
#include "net/url.h"
#include "net/worker_pool.h"

namespace saker::net {

namespace {

struct Route {
  HttpServer::Handler handler;
  bool open_to_all = false;
};

constexpr std::chrono::milliseconds kStreamPoll{250};

HttpResponse problem(int status, std::string_view text) {
  return {.status = status, .body = fmt::format("{{\"error\":\"{}\"}}\n", text)};
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

struct HttpServer::State {
  HttpServerOptions options;
  HostPort place;
  std::unique_ptr<httplib::Server> server;
  std::map<std::string, std::map<std::string, Route>> routes;  // path, method
  std::thread thread;
  std::atomic<bool> stopping = false;
  std::atomic<bool> ended = false;
  std::unique_ptr<WorkerPool> pool;
  uint16_t port = 0;

  Status configure();
  Status bind();
  bool is_our_host(const httplib::Request& request) const;
  HttpResponse answer(const httplib::Request& request, std::string body);
  void serve();
  void respond(const httplib::Request& request, std::string body, httplib::Response& response);
};

Status HttpServer::State::configure() {
  place = SAKER_TRY(parse_host_port(options.listen));
  const bool tls = !options.certificate_file.empty();
  if (tls != !options.key_file.empty())
    return Error{.message = "a server certificate needs its key, and a key its certificate"};
  if (!is_loopback(place.host) && (!tls || options.token.empty())) {
    return Error{.code = Code::denied,
                 .message = "refusing to listen on " + options.listen +
                            ", which other machines can reach, without TLS and a token",
                 .hint = "set a certificate, a key and a token, or listen on 127.0.0.1"};
  }
  if (tls) {
    auto secure = std::make_unique<httplib::SSLServer>(options.certificate_file.c_str(),
                                                       options.key_file.c_str());
    if (!secure->is_valid()) {
      return Error{.code = Code::io,
                   .message = "cannot use the certificate " + options.certificate_file +
                              " with the key " + options.key_file};
    }
    ::SSL_CTX_set_min_proto_version(secure->ssl_context(), TLS1_2_VERSION);
    server = std::move(secure);
  } else {
    server = std::make_unique<httplib::Server>();
  }
  pool = std::make_unique<WorkerPool>(options.max_threads);
  server->new_task_queue = [this] { return new WorkerPoolHandle(*pool); };  // httplib deletes it
  server->set_socket_options([](int fd) {
    // Not SO_REUSEPORT, which httplib would set: a second server on the port must fail.
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  });
  server->set_payload_max_length(options.max_body);
  server->set_read_timeout(options.idle_timeout);
  server->set_write_timeout(options.idle_timeout);
  server->set_keep_alive_timeout(1);  // stop() waits for it
  server->set_keep_alive_max_count(100);
  server->set_tcp_nodelay(true);
  using Handled = httplib::Server::HandlerResponse;
  server->set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        if (request.method == "POST") return Handled::Unhandled;  // its body is still to be read
        respond(request, {}, response);
        return Handled::Handled;
      });
  server->Post("/.*", [this](const httplib::Request& request, httplib::Response& response,
                             const httplib::ContentReader& reader) {
    std::string body;
    const bool complete = reader([&](const char* data, size_t length) {
      if (body.size() + length > options.max_body) return false;
      body.append(data, length);
      return true;
    });
    if (complete) {
      respond(request, std::move(body), response);
    } else {
      response.status = 413;
    }
  });
  return {};
}

Status HttpServer::State::bind() {
  errno = 0;
  bool bound = false;
  if (place.port == 0) {
    const int any = server->bind_to_any_port(place.host);
    bound = any > 0;
    if (bound) port = static_cast<uint16_t>(any);
  } else {
    bound = server->bind_to_port(place.host, place.port);
    port = place.port;
  }
  if (!bound) return errno_error("cannot listen on " + options.listen, errno);
  return {};
}

// Whether the Host header is a name of this machine's own loopback.
bool HttpServer::State::is_our_host(const httplib::Request& request) const {
  if (!is_loopback(place.host)) return true;
  std::string host = request.get_header_value("Host");
  if (host.empty()) return true;  // HTTP/1.0; browsers always send one
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  return is_loopback(host);
}

HttpResponse HttpServer::State::answer(const httplib::Request& request, std::string body) {
  if (stopping) return problem(503, "this server is ending");  // what handlers use may be gone
  if (!is_our_host(request)) return problem(421, "this server answers to localhost only");
  const auto methods = routes.find(request.path);
  if (methods == routes.end()) return problem(404, "no such page");
  const auto route = methods->second.find(request.method == "HEAD" ? "GET" : request.method);
  if (route == methods->second.end()) return problem(405, "this method is not allowed here");
  if (!options.token.empty() && !route->second.open_to_all &&
      !same_secret(request.get_header_value("Authorization"), "Bearer " + options.token)) {
    return problem(401, "a valid bearer token is needed");
  }
  HttpRequest ours{.method = request.method,
                   .path = request.path,
                   .query = {},
                   .body = std::move(body),
                   .remote_address = request.remote_addr};
  for (const auto& [name, value] : request.params) ours.query.emplace_back(name, value);
  return route->second.handler(ours);
}

void HttpServer::State::respond(const httplib::Request& request, std::string body,
                                httplib::Response& response) {
  HttpResponse ours = answer(request, std::move(body));
  response.status = ours.status;
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Content-Type-Options", "nosniff");
  if (ours.status == 401) response.set_header("WWW-Authenticate", "Bearer");
  if (ours.stream == nullptr || request.method == "HEAD") {
    response.set_content(ours.body, ours.content_type);
    return;
  }
  std::shared_ptr<BodyStream> stream = std::move(ours.stream);  // std::function must be copyable
  response.set_chunked_content_provider(
      ours.content_type, [this, stream](size_t, httplib::DataSink& sink) {
        if (stopping) return false;
        const std::optional<std::string> piece = stream->next(kStreamPoll);
        if (!piece) {
          sink.done();
          return true;
        }
        return piece->empty() || sink.write(piece->data(), piece->size());
      });
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer& HttpServer::operator=(HttpServer&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
HttpServer::~HttpServer() {
  if (state_ == nullptr) return;
  stop();
  if (state_->pool->stuck()) static_cast<void>(state_.release());  // its threads still use it
}

Result<HttpServer> HttpServer::open(HttpServerOptions options) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  SAKER_CHECK(state->configure());
  return HttpServer(std::move(state));
}

void HttpServer::route(std::string method, std::string path, Handler handler, bool open_to_all) {
  state_->routes[std::move(path)][std::move(method)] = {std::move(handler), open_to_all};
}

// Runs until stop(). httplib ends its loop at any failure of accept(2), a client's early goodbye
// included: then it listens anew.
void HttpServer::State::serve() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the main thread
  server->listen_after_bind();
  while (!stopping) {
    log::warning("http server: " + errno_error("accept failed", errno).message +
                 ", listening anew");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (server->bind_to_port(place.host, port)) server->listen_after_bind();
  }
  ended = true;
}

Status HttpServer::start() {
  SAKER_CHECK(state_->bind());
  state_->thread = std::thread([state = state_.get()] { state->serve(); });
  return {};
}

void HttpServer::stop() {
  if (!state_->thread.joinable()) return;
  state_->stopping = true;
  state_->pool->release();
  while (!state_->ended) {  // httplib's stop() does nothing when its loop is about to begin
    state_->server->stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  state_->thread.join();
}

uint16_t HttpServer::port() const {
  return state_->port;
}

}  // namespace saker::net
