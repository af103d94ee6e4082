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
#include "base/thread_signals.h"
#include "net/http_connection.h"
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

HttpResponse too_busy() {
  HttpResponse response = problem(429, "too much at once, try again later");
  response.retry_after = std::chrono::seconds(5);
  return response;
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

struct HttpServer::State {
  HttpServerOptions options;
  HostPort place;
  std::unique_ptr<ConnectionServer> server;
  std::map<std::string, std::map<std::string, Route>> routes;  // path, method
  std::thread thread;
  std::atomic<bool> stopping = false;
  std::atomic<bool> ended = false;
  std::unique_ptr<WorkerPool> pool;
  std::atomic<size_t> bodies = 0;  // bytes of requests under way
  uint16_t port = 0;

  Status configure();
  Status check_protection() const;
  Status bind();
  const Route* find_route(const httplib::Request& request, int& status) const;
  std::optional<HttpResponse> refusal(const httplib::Request& request) const;
  void take_body(const httplib::Request& request, httplib::Response& response,
                 const httplib::ContentReader& reader);
  bool is_our_host(const httplib::Request& request) const;
  HttpResponse answer(const httplib::Request& request, std::string body);
  void serve();
  void respond(const httplib::Request& request, std::string body, httplib::Response& response);
  void send(const httplib::Request& request, HttpResponse ours, httplib::Response& response);
};

Status HttpServer::State::check_protection() const {
  const bool tls = !options.certificate_file.empty();
  if (tls != !options.key_file.empty())
    return Error{.message = "a server certificate needs its key, and a key its certificate"};
  if (!tls && !options.client_ca_file.empty())
    return Error{.message = "client certificates need TLS: a certificate and a key of the server"};
  const bool asks_who = !options.token.empty() || !options.client_ca_file.empty();
  if (is_loopback(place.host) || (tls && asks_who)) return {};
  return Error{.code = Code::denied,
               .message = "refusing to listen on " + options.listen +
                          ", which other machines can reach, without TLS and a token",
               .hint =
                   "set a certificate, a key and a token (or an authority for client "
                   "certificates, where there is one), or listen on 127.0.0.1"};
}

Status HttpServer::State::configure() {
  place = SAKER_TRY(parse_host_port(options.listen));
  SAKER_CHECK(check_protection());
  TlsContext tls(nullptr, ::SSL_CTX_free);
  if (!options.certificate_file.empty())
    tls = SAKER_TRY(make_tls_context({.certificate = options.certificate_file,
                                      .key = options.key_file,
                                      .client_ca = options.client_ca_file}));
  pool = std::make_unique<WorkerPool>(options.max_threads);
  server = std::make_unique<ConnectionServer>(std::move(tls),
                                              ConnectionTimes{.request = options.request_timeout,
                                                              .write = options.write_timeout,
                                                              .keep_alive = options.keep_alive},
                                              [this] { return pool->crowded(); });
  server->new_task_queue = [this] { return new WorkerPoolHandle(*pool); };  // httplib deletes it
  server->set_socket_options([](int fd) {
    // Not SO_REUSEPORT, which httplib would set: a second server on the port must fail.
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  });
  server->set_payload_max_length(options.max_body);
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
    take_body(request, response, reader);
  });
  return {};
}

// Bytes of a body, counted against what all may have together.
class BodyBudget {
 public:
  BodyBudget(std::atomic<size_t>& all, size_t most) : all_(all), most_(most) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;
  ~BodyBudget() { all_ -= mine_; }

  bool raise_to(size_t bytes) {
    if (bytes <= mine_) return true;
    const size_t more = bytes - mine_;
    if (all_.fetch_add(more) + more > most_) {
      all_ -= more;
      return false;
    }
    mine_ = bytes;
    return true;
  }

 private:
  std::atomic<size_t>& all_;
  const size_t most_;
  size_t mine_ = 0;
};

// Who may not ask is told so before anything of the body is read.
void HttpServer::State::take_body(const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& reader) {
  BodyBudget budget(bodies, options.max_bodies);
  std::optional<HttpResponse> no = refusal(request);
  const auto told = parse_uint(request.get_header_value("Content-Length"));
  if (!no && told && *told > options.max_body) no = problem(413, "the body is too large");
  if (!no && told && !budget.raise_to(*told)) no = too_busy();
  std::string body;
  const bool has_body = told || request.has_header("Transfer-Encoding");
  if (!no && has_body) {
    if (told) body.reserve(*told);
    const bool complete = reader([&](const char* data, size_t length) {
      if (body.size() + length > options.max_body) {
        no = problem(413, "the body is too large");
      } else if (!budget.raise_to(body.size() + length)) {
        no = too_busy();
      } else {
        body.append(data, length);
      }
      return !no;
    });
    if (!complete && !no) no = problem(408, "the body did not come in time, or not whole");
  }
  if (no) {
    // Many clients read no reply before they have sent all. Who may send, but not now, is read to
    // its end for nothing; others find their connection closed.
    const bool later = no->status == 429 && has_body && body.empty();
    if (!later || !reader([](const char*, size_t) { return true; }))
      ConnectionServer::close_after_reply();
    return send(request, std::move(*no), response);
  }
  respond(request, std::move(body), response);
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

// The route of a request; else nothing, and in `status` why.
const Route* HttpServer::State::find_route(const httplib::Request& request, int& status) const {
  auto methods = routes.find(request.path);
  if (methods == routes.end()) methods = routes.find("*");
  status = 404;
  if (methods == routes.end()) return nullptr;
  status = 405;
  const auto route = methods->second.find(request.method == "HEAD" ? "GET" : request.method);
  return route == methods->second.end() ? nullptr : &route->second;
}

std::optional<HttpResponse> HttpServer::State::refusal(const httplib::Request& request) const {
  if (stopping) return problem(503, "this server is ending");  // what handlers use may be gone
  if (!is_our_host(request)) return problem(421, "this server answers to localhost only");
  int status = 0;
  const Route* route = find_route(request, status);
  if (route == nullptr)
    return problem(status, status == 404 ? "no such page" : "this method is not allowed here");
  if (!options.token.empty() && !route->open_to_all &&
      !same_secret(request.get_header_value("Authorization"), "Bearer " + options.token))
    return problem(401, "a valid bearer token is needed");
  return std::nullopt;
}

HttpResponse HttpServer::State::answer(const httplib::Request& request, std::string body) {
  if (std::optional<HttpResponse> no = refusal(request)) return std::move(*no);
  int status = 0;
  const Route* route = find_route(request, status);
  HttpRequest ours{.method = request.method,
                   .path = request.path,
                   .query = {},
                   .body = std::move(body),
                   .remote_address = request.remote_addr};
  for (const auto& [name, value] : request.params) ours.query.emplace_back(name, value);
  return route->handler(ours);
}

void HttpServer::State::respond(const httplib::Request& request, std::string body,
                                httplib::Response& response) {
  send(request, answer(request, std::move(body)), response);
}

void HttpServer::State::send(const httplib::Request& request, HttpResponse ours,
                             httplib::Response& response) {
  response.status = ours.status;
  if (ours.retry_after.count() != 0)
    response.set_header("Retry-After", std::to_string(ours.retry_after.count()));
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
  block_signals();
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
  state_->server->end_connections();
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
