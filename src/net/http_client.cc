#include "net/http_client.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/fd.h"
#include "net/library.h"
#include "net/signals.h"
#include "net/url.h"

namespace saker::net {

struct HttpClient::State {
  Url url;
  HttpClientOptions options;
  std::unique_ptr<httplib::ClientImpl> client;

  // A duplicate of the connection's descriptor: httplib's own may be closed, and its number used
  // again, at any moment, while this one can be shut down from any thread.
  std::mutex mutex;
  UniqueFd connection;
  bool cancelled = false;
  bool expired = false;
  std::chrono::steady_clock::time_point began;  // of the request under way

  void watch(int fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    std::lock_guard lock(mutex);
    connection.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (cancelled || expired) ::shutdown(fd, SHUT_RDWR);
  }
  void shut_down(bool State::* reason) {
    std::lock_guard lock(mutex);
    this->*reason = true;
    if (connection.valid()) ::shutdown(connection.get(), SHUT_RDWR);
  }
  void begin_request() {
    std::lock_guard lock(mutex);
    expired = false;
    began = std::chrono::steady_clock::now();
  }

  Status configure();
  Status configure_tls(httplib::SSLClient& tls);
  Result<HttpReply> send(httplib::Request request);
  [[nodiscard]] bool took_too_long(httplib::Error error) const;
  Error failure(httplib::Error error);
};

namespace {

// Ends a request that takes longer than it may: httplib's own timeouts begin anew with each byte.
class Deadline {
 public:
  template <typename Expire>
  Deadline(std::chrono::milliseconds timeout, Expire expire)
      : thread_([this, timeout, expire] {
          std::unique_lock lock(mutex_);
          if (!condition_.wait_for(lock, timeout, [this] { return done_; })) expire();
        }) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    condition_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool done_ = false;
  std::jthread thread_;  // last: joined before what it uses goes
};

bool fits_in_header(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

Status check_headers(const HttpClientOptions& options) {
  if (!fits_in_header(options.user_agent))
    return Error{.message = "the user agent has a line break in it"};
  for (const auto& [name, value] : options.headers) {
    if (name.empty() || name.find_first_of(" :\t") != std::string::npos || !fits_in_header(name) ||
        !fits_in_header(value)) {
      return Error{.message = "'" + name + "' is no usable HTTP header"};
    }
  }
  return {};
}

}  // namespace

Status HttpClient::State::configure_tls(httplib::SSLClient& tls) {
  const TlsOptions& wanted = options.tls;
  if (!tls.is_valid()) {
    return Error{.code = Code::io,
                 .message = "cannot use the client certificate " + wanted.certificate_file +
                            " with the key " + wanted.key_file};
  }
  ::SSL_CTX_set_min_proto_version(tls.ssl_context(), TLS1_2_VERSION);
  for (const std::string* path : {&wanted.ca_file, &wanted.ca_folder})
    if (!path->empty() && ::access(path->c_str(), R_OK) != 0)
      return errno_error("cannot read " + *path, errno);
  if (!wanted.ca_file.empty() || !wanted.ca_folder.empty())
    tls.set_ca_cert_path(wanted.ca_file, wanted.ca_folder);
  tls.enable_server_certificate_verification(!wanted.insecure);
  return {};
}

Status HttpClient::State::configure() {
  SAKER_CHECK(check_headers(options));
  const TlsOptions& wanted = options.tls;
  if (wanted.certificate_file.empty() != wanted.key_file.empty())
    return Error{.message = "a client certificate needs its key, and a key its certificate"};
  if (url.tls) {
    auto tls = wanted.certificate_file.empty()
                   ? std::make_unique<httplib::SSLClient>(url.host, url.port)
                   : std::make_unique<httplib::SSLClient>(url.host, url.port,
                                                          wanted.certificate_file, wanted.key_file);
    SAKER_CHECK(configure_tls(*tls));
    client = std::move(tls);
  } else {
    client = std::make_unique<httplib::ClientImpl>(url.host, url.port);
  }
  client->set_socket_options([this](int fd) { watch(fd); });
  client->set_connection_timeout(options.connect_timeout);
  client->set_read_timeout(options.timeout);
  client->set_write_timeout(options.timeout);
  client->set_keep_alive(true);
  client->set_tcp_nodelay(true);
  client->set_follow_location(false);
  client->set_url_encode(false);
  client->set_decompress(false);
  if (!url.user.empty()) client->set_basic_auth(url.user, url.password);
  return {};
}

// Whichever timer ran out first, ours or one of httplib's, which name their stage and not the
// cause: a request that failed after its time was up failed for that.
bool HttpClient::State::took_too_long(httplib::Error error) const {
  const bool connecting = error == httplib::Error::Connection ||
                          error == httplib::Error::ConnectionTimeout ||
                          error == httplib::Error::SSLConnection;
  const auto allowed =
      connecting ? std::min(options.connect_timeout, options.timeout) : options.timeout;
  return expired || std::chrono::steady_clock::now() - began >= allowed;
}

Error HttpClient::State::failure(httplib::Error error) {
  const std::string where = fmt::format("{}:{}", url.host, url.port);
  std::lock_guard lock(mutex);
  if (cancelled)
    return Error{.code = Code::io, .message = "the request to " + where + " was cancelled"};
  if (took_too_long(error))
    return Error{.code = Code::busy, .message = where + " did not answer in time"};
  switch (error) {
    case httplib::Error::Connection:
      return Error{.code = Code::io, .message = "cannot connect to " + where};
    case httplib::Error::SSLServerVerification:
    case httplib::Error::SSLLoadingCerts:
      return Error{.code = Code::denied,
                   .message = "the certificate of " + where + " is not trusted",
                   .hint = "name its CA, or allow an insecure connection"};
    case httplib::Error::SSLConnection:
      return Error{.code = Code::io, .message = "no TLS connection with " + where};
    case httplib::Error::Canceled:
      return Error{.code = Code::unsupported, .message = "the answer of " + where + " is too long"};
    default: return Error{.code = Code::io, .message = where + " broke off the connection"};
  }
}

Result<HttpReply> HttpClient::State::send(httplib::Request request) {
  begin_request();
  {
    std::lock_guard lock(mutex);
    if (cancelled) return Error{.code = Code::io, .message = "cancelled"};
  }
  if (request.path.empty()) request.path = url.target;
  request.headers.emplace("User-Agent", options.user_agent);
  request.headers.emplace("Accept-Encoding", "identity");
  for (const auto& [name, value] : options.headers) request.headers.emplace(name, value);
  std::string body;
  request.content_receiver = [&](const char* data, size_t length, uint64_t, uint64_t) {
    if (body.size() + length > options.max_body) return false;
    body.append(data, length);
    return true;
  };
  try {
    SigpipeGuard sigpipe;
    Deadline deadline(options.timeout, [this] { shut_down(&State::expired); });
    httplib::Result result = client->send(request);
    if (!result) return failure(result.error());
    HttpReply reply{.status = result->status, .headers = {}, .body = std::move(body)};
    for (const auto& [name, value] : result->headers) reply.headers.emplace_back(name, value);
    return reply;
  } catch (const std::exception& problem) {
    return Error{.code = Code::io,
                 .message = std::string("HTTP request failed: ") + problem.what()};
  }
}

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() {
  if (state_ == nullptr) return;
  SigpipeGuard sigpipe;  // closing a TLS connection says goodbye
  state_->client.reset();
}

Result<HttpClient> HttpClient::open(std::string_view url, HttpClientOptions options) {
  auto state = std::make_unique<State>();
  state->url = SAKER_TRY(parse_url(url));
  state->options = std::move(options);
  SAKER_CHECK(state->configure());
  return HttpClient(std::move(state));
}

Result<HttpReply> HttpClient::get(std::string_view target) {
  httplib::Request request;
  request.method = "GET";
  request.path = target;
  return state_->send(std::move(request));
}

Result<HttpReply> HttpClient::post(std::string_view body, std::string_view content_type,
                                   std::string_view target) {
  httplib::Request request;
  request.method = "POST";
  request.path = target;
  request.body = body;
  request.headers.emplace("Content-Type", content_type);
  return state_->send(std::move(request));
}

void HttpClient::cancel() {
  state_->shut_down(&State::cancelled);
}

}  // namespace saker::net
