#include "net/http_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/fd.h"

namespace saker::net {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often a wait looks whether the server is ending.
constexpr milliseconds kLookUp{200};
// For what a client still sends when it was refused, so that it sees the reply.
constexpr milliseconds kLinger{500};
// How long a new connection may be silent while others wait for its thread.
constexpr milliseconds kSilence{1'000};
// And how long a request may then take, whatever its time is otherwise.
constexpr milliseconds kHurry{5'000};
constexpr size_t kMostRequests = 1000;  // on one connection

thread_local bool close_wanted = false;

struct SslDeleter {
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
};

// Plain or TLS, over a socket that never blocks.
class Connection : public httplib::Stream {
 public:
  Connection(UniqueFd socket, const ConnectionTimes& times, const std::atomic<bool>& ending,
             const std::function<bool()>& crowded)
      : socket_(std::move(socket)), times_(times), ending_(ending), crowded_(crowded) {
    const int flags = ::fcntl(socket_.get(), F_GETFL);
    ::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override {
    if (ssl_ && healthy_) ::SSL_shutdown(ssl_.get());
    ::shutdown(socket_.get(), SHUT_WR);
    if (close_wanted) drain();
  }

  bool shake_hands(SSL_CTX* context) {
    ssl_.reset(::SSL_new(context));
    if (!ssl_ || ::SSL_set_fd(ssl_.get(), socket_.get()) != 1) return false;
    for (;;) {
      const int done = ::SSL_accept(ssl_.get());
      if (done == 1) return healthy_ = true;
      if (!wait_for_ssl(done, deadline_) || is_late()) return false;
    }
  }

  // The next request's first byte, or false. Who says nothing makes room for others: after a reply
  // at once, a new connection after a moment.
  bool wait_for_request(bool first) {
    const Clock::time_point begin = Clock::now();
    const Clock::time_point until = begin + (first ? times_.request : times_.keep_alive);
    const Clock::time_point yield = begin + (first ? kSilence : milliseconds(0));
    while (!has_input()) {
      if (wait(POLLIN, std::min(until, Clock::now() + kLookUp))) continue;
      const Clock::time_point now = Clock::now();
      if (ending_ || now >= until || (now >= yield && crowded_())) return false;
    }
    began_ = Clock::now();
    deadline_ = began_ + times_.request;
    return true;
  }

  [[nodiscard]] bool is_readable() const override { return has_input(); }
  [[nodiscard]] bool is_writable() const override {
    return !ending_ && wait(POLLOUT, Clock::now() + times_.write);
  }

  ssize_t read(char* to, size_t size) override {
    if (begin_ == end_) {
      if (size >= buffer_.size()) return receive(to, size);
      const ssize_t count = receive(buffer_.data(), buffer_.size());
      if (count <= 0) return count;
      begin_ = 0;
      end_ = static_cast<size_t>(count);
    }
    const size_t count = std::min(size, end_ - begin_);
    std::memcpy(to, buffer_.data() + begin_, count);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* from, size_t size) override {
    const Clock::time_point until = Clock::now() + times_.write;
    for (;;) {
      if (ssl_) {
        const int count = ::SSL_write(ssl_.get(), from, static_cast<int>(std::min(size, kMostSsl)));
        if (count > 0) return count;
        if (!wait_for_ssl(count, until)) return -1;
        continue;
      }
      const ssize_t count = ::send(socket_.get(), from, size, MSG_NOSIGNAL);
      if (count >= 0) return count;
      if (!would_block() || !wait(POLLOUT, until)) return -1;
    }
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    name(::getpeername, ip, port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    name(::getsockname, ip, port);
  }
  [[nodiscard]] int socket() const override { return socket_.get(); }

 private:
  static constexpr size_t kMostSsl = size_t{1} << 20;

  static bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

  [[nodiscard]] bool has_input() const {
    if (begin_ != end_ || (ssl_ && ::SSL_pending(ssl_.get()) > 0)) return true;
    pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) > 0;
  }

  // False when the time is up.
  [[nodiscard]] bool wait(short events, Clock::time_point until) const {
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
      pollfd waiting{.fd = socket_.get(), .events = events, .revents = 0};
      const auto most = static_cast<int>(std::max<int64_t>(left.count(), 0));
      const int ready = ::poll(&waiting, 1, most);
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
      if (Clock::now() >= until) return false;
    }
  }

  // A client that always sends a little is late all the same.
  [[nodiscard]] bool is_late() const {
    const Clock::time_point now = Clock::now();
    return now >= deadline_ || (now >= began_ + kHurry && crowded_());
  }

  // The same in short waits, so that a server that ends is not held up; nor are others by a request
  // (until == deadline_) that takes long.
  [[nodiscard]] bool wait_alive(short events, Clock::time_point until) const {
    while (!ending_ && (until != deadline_ || !is_late())) {
      if (wait(events, std::min(until, Clock::now() + kLookUp))) return true;
      if (Clock::now() >= until) return false;
    }
    return false;
  }

  // After a call of OpenSSL's that did not succeed: whether it may be tried again.
  bool wait_for_ssl(int result, Clock::time_point until) {
    const int reason = ::SSL_get_error(ssl_.get(), result);
    if (reason == SSL_ERROR_WANT_READ && wait_alive(POLLIN, until)) return true;
    if (reason == SSL_ERROR_WANT_WRITE && wait_alive(POLLOUT, until)) return true;
    if (reason == SSL_ERROR_SSL || reason == SSL_ERROR_SYSCALL) healthy_ = false;
    ::ERR_clear_error();
    return false;
  }

  ssize_t receive(char* to, size_t size) {
    for (;;) {
      if (ssl_) {
        const int count = ::SSL_read(ssl_.get(), to, static_cast<int>(std::min(size, kMostSsl)));
        if (count > 0) return count;
        if (!wait_for_ssl(count, deadline_)) return -1;
      } else {
        const ssize_t count = ::recv(socket_.get(), to, size, 0);
        if (count >= 0) return count;
        if (!would_block() || !wait_alive(POLLIN, deadline_)) return -1;
      }
      if (is_late()) return -1;
    }
  }

  // Closing a socket with unread bytes would take the reply back.
  void drain() const {
    const Clock::time_point until = Clock::now() + kLinger;
    std::array<char, 16384> nowhere;
    while (Clock::now() < until && wait(POLLIN, until))
      if (::recv(socket_.get(), nowhere.data(), nowhere.size(), 0) <= 0) return;
  }

  template <typename NameOf>
  void name(NameOf name_of, std::string& ip, int& port) const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (name_of(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
      ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
      port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
      port = ntohs(v6.sin6_port);
    }
    ip = text.data();
  }

  UniqueFd socket_;
  const ConnectionTimes& times_;
  const std::atomic<bool>& ending_;
  const std::function<bool()>& crowded_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
  bool healthy_ = false;                    // TLS can still be told goodbye
  Clock::time_point began_ = Clock::now();  // the handshake, or the request under way
  Clock::time_point deadline_ = began_ + times_.request;
  std::array<char, 16384> buffer_;
  size_t begin_ = 0, end_ = 0;  // of what is in the buffer
};

Error tls_error(std::string_view what) {
  std::array<char, 256> text{};
  ::ERR_error_string_n(::ERR_get_error(), text.data(), text.size());
  ::ERR_clear_error();
  return Error{.code = Code::io, .message = fmt::format("{}: {}", what, text.data())};
}

}  // namespace

Result<TlsContext> make_tls_context(const TlsFiles& files) {
  TlsContext context(::SSL_CTX_new(::TLS_server_method()), ::SSL_CTX_free);
  if (context == nullptr) return tls_error("cannot begin with TLS");
  SSL_CTX* raw = context.get();
  ::SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  ::SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  ::SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (::SSL_CTX_use_certificate_chain_file(raw, files.certificate.c_str()) != 1)
    return tls_error("cannot use the certificate " + files.certificate);
  if (::SSL_CTX_use_PrivateKey_file(raw, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      ::SSL_CTX_check_private_key(raw) != 1) {
    return tls_error("cannot use the certificate " + files.certificate + " with the key " +
                     files.key);
  }
  if (files.client_ca.empty()) return context;
  if (::SSL_CTX_load_verify_locations(raw, files.client_ca.c_str(), nullptr) != 1)
    return tls_error("cannot use the authority of client certificates " + files.client_ca);
  ::SSL_CTX_set_client_CA_list(raw, ::SSL_load_client_CA_file(files.client_ca.c_str()));
  ::SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  static constexpr unsigned char kSessions[] = "saker";  // needed where clients are verified
  ::SSL_CTX_set_session_id_context(raw, kSessions, sizeof kSessions - 1);
  return context;
}

ConnectionServer::ConnectionServer(TlsContext tls, ConnectionTimes times,
                                   std::function<bool()> crowded)
    : tls_(std::move(tls)), times_(times), crowded_(std::move(crowded)) {}

void ConnectionServer::close_after_reply() {
  close_wanted = true;
}

bool ConnectionServer::process_and_close_socket(int socket) {
  close_wanted = false;
  Connection connection(UniqueFd(socket), times_, ending_, crowded_);
  if (tls_ != nullptr && !connection.shake_hands(tls_.get())) return false;
  bool closed = false;
  for (size_t i = 0; i < kMostRequests && !closed && !close_wanted && !ending_; ++i) {
    if (!connection.wait_for_request(i == 0)) break;
    const bool last = i + 1 == kMostRequests;
    if (!process_request(connection, last, closed, nullptr)) break;
  }
  return true;
}

}  // namespace saker::net
