// Client and server against each other and against raw sockets that misbehave.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/fd.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace saker::net {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// "Soon" on a machine that is busy with other things; the clients' timeouts are far below.
constexpr auto kSoon = 15s;

// A listening socket on loopback that accepts and then does what the test says.
class RawServer {
 public:
  explicit RawServer(std::function<void(int)> behave) : behave_(std::move(behave)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  [[nodiscard]] std::string url(const char* scheme = "http") const {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port_);
  }

 private:
  void run(const std::stop_token& stop) {
    std::vector<UniqueFd> kept;
    while (!stop.stop_requested()) {
      pollfd waiting{.fd = listener_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      kept.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      behave_(kept.back().get());
    }
  }
  std::function<void(int)> behave_;
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::jthread thread_;
};

std::string base_url(const HttpServer& server, const char* scheme = "http") {
  return std::string(scheme) + "://127.0.0.1:" + std::to_string(server.port());
}

HttpServer echo_server(HttpServerOptions options = {.listen = "127.0.0.1:0"}) {
  HttpServer server = HttpServer::open(std::move(options)).value();
  server.route("GET", "/hello", [](const HttpRequest& request) {
    HttpResponse response{.body = "hello"};
    for (const auto& [name, value] : request.query) response.body += " " + name + "=" + value;
    return response;
  });
  server.route("POST", "/echo", [](const HttpRequest& request) {
    return HttpResponse{.content_type = "text/plain", .body = request.body};
  });
  server.route(
      "GET", "/open", [](const HttpRequest&) { return HttpResponse{.body = "open"}; }, true);
  Status started = server.start();
  EXPECT_TRUE(started.ok()) << started.error().to_text();
  return server;
}

// Sends bytes as they are and gives all that comes back until 300 ms of silence.
std::string raw_request(uint16_t port, std::string_view text) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
  timeval wait{.tv_sec = 0, .tv_usec = 300'000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  std::string answer;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (count <= 0) return answer;
    answer.append(buffer, static_cast<size_t>(count));
  }
}

TEST(Http, GetAndPost) {
  HttpServer server = echo_server();
  HttpClient client = HttpClient::open(base_url(server)).value();
  EXPECT_EQ(client.get("/hello?a=1&b=x%20y")->body, "hello a=1 b=x y");
  const std::string body(200'000, 'x');
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.post(body, "text/plain", "/echo")->body, body);
  EXPECT_EQ(client.get("/nowhere")->status, 404);
  EXPECT_EQ(client.post("x", "text/plain", "/hello")->status, 405);
}

TEST(Http, BodyLimitOfServer) {
  HttpServer server = echo_server({.listen = "127.0.0.1:0", .max_body = 1000});
  HttpClient client = HttpClient::open(base_url(server)).value();
  Result<HttpReply> reply = client.post(std::string(1001, 'x'), "text/plain", "/echo");
  EXPECT_TRUE(!reply.ok() || reply->status == 413);
  std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
      "Connection: close\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunked += "64\r\n" + std::string(100, 'y') + "\r\n";
  const std::string answer = raw_request(server.port(), chunked + "0\r\n\r\n");
  EXPECT_EQ(answer.find("yyyy"), std::string::npos);
}

TEST(Http, BodyLimitOfClient) {
  HttpServer server = echo_server();
  HttpClient client = HttpClient::open(base_url(server), {.max_body = 1000}).value();
  Result<HttpReply> reply = client.post(std::string(5000, 'x'), "text/plain", "/echo");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::unsupported);
}

TEST(Http, HangingServerTimesOut) {
  RawServer server([](int) {});
  HttpClient client = HttpClient::open(server.url(), {.timeout = 200ms}).value();
  const auto start = Clock::now();
  Result<HttpReply> reply = client.post("{}", "application/json");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::busy);
  EXPECT_LT(Clock::now() - start, kSoon);
}

TEST(Http, TricklingServerTimesOut) {
  std::atomic<bool> stop = false;
  std::jthread trickle;
  RawServer server([&](int fd) {
    // The server may close its own while the thread still sends.
    trickle = std::jthread([&stop, own = UniqueFd(::dup(fd))] {
      std::string_view text = "HTTP/1.1 200 OK\r\nX: ";
      ::send(own.get(), text.data(), text.size(), MSG_NOSIGNAL);
      while (!stop && ::send(own.get(), "x", 1, MSG_NOSIGNAL) == 1)
        std::this_thread::sleep_for(10ms);
    });
  });
  HttpClient client = HttpClient::open(server.url(), {.timeout = 300ms}).value();
  const auto start = Clock::now();
  Result<HttpReply> reply = client.post("{}", "application/json");
  stop = true;
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::busy);
  EXPECT_LT(Clock::now() - start, kSoon);
}

// It accepts, and then takes no more bytes than the buffers hold.
TEST(Http, ServerThatStopsReadingTimesOut) {
  RawServer server([](int) {});
  HttpClient client = HttpClient::open(server.url(), {.timeout = 200ms}).value();
  const auto start = Clock::now();
  Result<HttpReply> reply = client.post(std::string(8 << 20, 'x'), "text/plain");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::busy);
  EXPECT_LT(Clock::now() - start, kSoon);
}

// A full backlog: the kernel drops what asks for a connection, as a firewall would.
TEST(Http, ConnectionThatNobodyAcceptsTimesOut) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::vector<UniqueFd> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(waiting.back().get(), reinterpret_cast<sockaddr*>(&address), size);
  }
  const std::string place = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  for (const char* scheme : {"http://", "https://"}) {
    HttpClient client =
        HttpClient::open(scheme + place, {.connect_timeout = 200ms, .timeout = 2s}).value();
    Result<HttpReply> reply = client.get("/");
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(reply.error().code, Code::busy) << reply.error().to_text();
  }
}

TEST(Http, HangingTlsHandshakeTimesOut) {
  RawServer server([](int) {});
  for (const HttpClientOptions& options :
       {HttpClientOptions{.timeout = 200ms}, {.connect_timeout = 200ms, .timeout = 60s}}) {
    HttpClient client = HttpClient::open(server.url("https"), options).value();
    const auto start = Clock::now();
    Result<HttpReply> reply = client.get("/");
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(reply.error().code, Code::busy) << reply.error().to_text();
    EXPECT_LT(Clock::now() - start, kSoon);
  }
}

TEST(Http, CancelFromAnotherThread) {
  RawServer server([](int) {});
  HttpClient client = HttpClient::open(server.url(), {.timeout = 60s}).value();
  std::jthread canceller([&] {
    std::this_thread::sleep_for(100ms);
    client.cancel();
  });
  const auto start = Clock::now();
  EXPECT_FALSE(client.get("/").ok());
  EXPECT_LT(Clock::now() - start, kSoon);
  EXPECT_FALSE(client.get("/").ok());
}

TEST(Http, ClosingServerIsAnError) {
  RawServer server([](int fd) { ::shutdown(fd, SHUT_RDWR); });
  HttpClient client = HttpClient::open(server.url()).value();
  Result<HttpReply> reply = client.post(std::string(100'000, 'x'), "text/plain");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::io);
}

TEST(Http, NobodyListens) {
  HttpClient client = HttpClient::open("http://127.0.0.1:1").value();
  Result<HttpReply> reply = client.get("/");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::io);
}

TEST(Http, RefusesHeadersWithLineBreaks) {
  EXPECT_FALSE(HttpClient::open("http://h", {.headers = {{"X", "a\r\nY: b"}}}).ok());
  EXPECT_FALSE(HttpClient::open("http://h", {.headers = {{"X Y", "a"}}}).ok());
}

TEST(HttpServer, RefusesToBeReachableWithoutProtection) {
  for (const char* place : {"0.0.0.0:0", ":0", "[::]:0", "192.168.0.1:0"}) {
    Result<HttpServer> server = HttpServer::open({.listen = place});
    ASSERT_FALSE(server.ok()) << place;
    EXPECT_EQ(server.error().code, Code::denied);
    EXPECT_FALSE(HttpServer::open({.listen = place, .token = "secret"}).ok());
  }
}

TEST(HttpServer, PortInUse) {
  HttpServer first = echo_server();
  HttpServer second =
      HttpServer::open({.listen = "127.0.0.1:" + std::to_string(first.port())}).value();
  EXPECT_FALSE(second.start().ok());
}

TEST(HttpServer, Token) {
  HttpServer server = echo_server({.listen = "127.0.0.1:0", .token = "secret"});
  HttpClient stranger = HttpClient::open(base_url(server)).value();
  EXPECT_EQ(stranger.get("/hello")->status, 401);
  EXPECT_EQ(stranger.get("/open")->status, 200);
  HttpClient friendly =
      HttpClient::open(base_url(server), {.headers = {{"Authorization", "Bearer secret"}}}).value();
  EXPECT_EQ(friendly.get("/hello")->status, 200);
}

TEST(HttpServer, RefusesForeignHostNames) {
  HttpServer server = echo_server();
  const std::string rest = "\r\nConnection: close\r\n\r\n";
  EXPECT_TRUE(raw_request(server.port(), "GET /open HTTP/1.1\r\nHost: evil.example" + rest)
                  .starts_with("HTTP/1.1 421"));
  EXPECT_TRUE(raw_request(server.port(), "GET /open HTTP/1.1\r\nHost: localhost:1" + rest)
                  .starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(raw_request(server.port(), "GET /open HTTP/1.1\r\nHost: [::1]:1" + rest)
                  .starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, GarbageDoesNotStopIt) {
  HttpServer server = echo_server();
  for (const char* text :
       {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "GET /%zz HTTP/1.1\r\n\r\n",
        "GET /open HTTP/1.1\r\nRange: bytes=9-1,,-\r\nConnection: close\r\n\r\n"}) {
    raw_request(server.port(), std::string(text));
  }
  EXPECT_EQ(HttpClient::open(base_url(server))->get("/open")->status, 200);
}

class Ticker : public BodyStream {
 public:
  std::optional<std::string> next(std::chrono::milliseconds) override {
    if (count_ == 5) return std::nullopt;
    return "data: " + std::to_string(count_++) + "\n\n";
  }

 private:
  int count_ = 0;
};

TEST(HttpServer, Streams) {
  HttpServer server = HttpServer::open({.listen = "127.0.0.1:0"}).value();
  server.route("GET", "/ticks", [](const HttpRequest&) {
    return HttpResponse{.content_type = "text/event-stream", .stream = std::make_unique<Ticker>()};
  });
  ASSERT_TRUE(server.start().ok());
  EXPECT_EQ(HttpClient::open(base_url(server))->get("/ticks")->body,
            "data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n");
}

TEST(HttpServer, ManySilentConnectionsDoNotStopIt) {
  HttpServer server =
      echo_server({.listen = "127.0.0.1:0", .max_threads = 4, .request_timeout = 1s});
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 60; ++i) {
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(silent.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  std::this_thread::sleep_for(50ms);
  silent.clear();
  EXPECT_EQ(HttpClient::open(base_url(server))->get("/open")->status, 200);
}

// Sends a byte now and then.
class TricklingClient {
 public:
  TricklingClient(uint16_t port, const std::string& begin)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(fd_.get(), begin.data(), begin.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(begin.size()));
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested() && ::send(fd_.get(), "G", 1, MSG_NOSIGNAL) == 1) {
        ++sent_;
        std::this_thread::sleep_for(20ms);
      }
      ended_ = true;
    });
  }
  void wait_until_under_way() const {
    while (sent_ < 5) std::this_thread::sleep_for(1ms);
  }
  // Whether the server lost patience in time.
  bool is_cut_off() const {
    for (const auto until = Clock::now() + kSoon; Clock::now() < until && !ended_;)
      std::this_thread::sleep_for(5ms);
    return ended_;
  }

 private:
  UniqueFd fd_;
  std::atomic<int> sent_ = 0;
  std::atomic<bool> ended_ = false;
  std::jthread thread_;
};

TEST(HttpServer, EndsDespiteATricklingClient) {
  auto server = std::make_unique<HttpServer>(echo_server());
  const TricklingClient client(server->port(), "G");
  client.wait_until_under_way();
  const auto start = Clock::now();
  server.reset();
  EXPECT_LT(Clock::now() - start, kSoon);
}

TEST(HttpServer, CutsTricklingClientsOff) {
  HttpServer server = echo_server({.listen = "127.0.0.1:0", .request_timeout = 200ms});
  const std::string header = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n";
  for (const std::string& begin : {std::string("GET /"), header, header + "\r\n",
                                   header + "Transfer-Encoding: chunked\r\n\r\n"}) {
    const TricklingClient client(server.port(), begin);
    EXPECT_TRUE(client.is_cut_off()) << begin;
  }
}

TEST(HttpServer, APostNeedsNoBody) {
  HttpServer server = echo_server();
  const std::string answer = raw_request(
      server.port(), "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
}

TEST(HttpServer, BodiesAreBoundedTogether) {
  HttpServer server = echo_server({.listen = "127.0.0.1:0", .max_bodies = 2000});
  const TricklingClient holder(
      server.port(), "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1500\r\n\r\n");
  holder.wait_until_under_way();
  HttpClient client = HttpClient::open(base_url(server)).value();
  EXPECT_EQ(client.post(std::string(400, 'x'), "text/plain", "/echo")->status, 200);
  const std::string answer =
      raw_request(server.port(),
                  "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600"
                  "\r\n\r\n" +
                      std::string(600, 'y'));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429")) << answer;
  EXPECT_NE(answer.find("Retry-After: "), std::string::npos) << answer;
}

TEST(HttpServer, ARouteForAllOtherPaths) {
  HttpServer server = HttpServer::open({.listen = "127.0.0.1:0"}).value();
  server.route("POST", "*",
               [](const HttpRequest& request) { return HttpResponse{.body = request.path}; });
  ASSERT_TRUE(server.start().ok());
  HttpClient client = HttpClient::open(base_url(server)).value();
  EXPECT_EQ(client.post("x", "text/plain", "/k8s-audit?timeout=30s")->body, "/k8s-audit");
  EXPECT_EQ(client.get("/k8s-audit")->status, 405);
}

// A certificate of its own making for 127.0.0.1, by the openssl program.
class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "saker_tls_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
    const std::string command =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test "
        "-addext subjectAltName=IP:127.0.0.1 -keyout " +
        key() + " -out " + certificate() + " >/dev/null 2>&1";
    if (std::system(command.c_str()) != 0) GTEST_SKIP() << "no openssl program";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string key() const { return folder_ + "/key.pem"; }
  std::string certificate() const { return folder_ + "/cert.pem"; }
  std::string folder_;
};

TEST_F(TlsTest, TrustAndDistrust) {
  HttpServer server =
      echo_server({.listen = "127.0.0.1:0", .certificate_file = certificate(), .key_file = key()});
  const std::string url = base_url(server, "https");
  Result<HttpReply> distrusted = HttpClient::open(url)->get("/open");
  ASSERT_FALSE(distrusted.ok());
  EXPECT_EQ(distrusted.error().code, Code::denied);
  Result<HttpReply> trusted =
      HttpClient::open(url, {.tls = {.ca_file = certificate()}})->get("/open");
  ASSERT_TRUE(trusted.ok()) << trusted.error().to_text();
  EXPECT_EQ(trusted->body, "open");
  EXPECT_EQ(HttpClient::open(url, {.tls = {.insecure = true}})->get("/open")->body, "open");
  // The certificate is for 127.0.0.1 alone.
  const std::string other = "https://127.0.0.2:" + std::to_string(server.port());
  EXPECT_FALSE(HttpClient::open(other, {.tls = {.ca_file = certificate()}})->get("/open").ok());
}

TEST_F(TlsTest, ClientCertificates) {
  HttpServer server = echo_server({.listen = "127.0.0.1:0",
                                   .certificate_file = certificate(),
                                   .key_file = key(),
                                   .client_ca_file = certificate()});
  const std::string url = base_url(server, "https");
  EXPECT_FALSE(HttpClient::open(url, {.tls = {.ca_file = certificate()}})->get("/open").ok());
  const TlsOptions known{
      .ca_file = certificate(), .certificate_file = certificate(), .key_file = key()};
  for (int i = 0; i < 3; ++i) {
    Result<HttpReply> reply = HttpClient::open(url, {.tls = known})->get("/open");
    ASSERT_TRUE(reply.ok()) << reply.error().to_text();
    EXPECT_EQ(reply->body, "open");
  }
  const std::string large(300'000, 'x');
  EXPECT_EQ(HttpClient::open(url, {.tls = known})->post(large, "text/plain", "/echo")->body, large);
}

TEST_F(TlsTest, SilentHandshakesAreCutOff) {
  HttpServer server = echo_server({.listen = "127.0.0.1:0",
                                   .certificate_file = certificate(),
                                   .key_file = key(),
                                   .request_timeout = 200ms});
  const TricklingClient client(server.port(), "\x16\x03\x01\x7f\xff");
  EXPECT_TRUE(client.is_cut_off());
}

TEST_F(TlsTest, WrongFiles) {
  EXPECT_FALSE(HttpClient::open("https://h", {.tls = {.ca_file = folder_ + "/none"}}).ok());
  EXPECT_FALSE(HttpClient::open("https://h", {.tls = {.certificate_file = certificate()}}).ok());
  EXPECT_FALSE(
      HttpClient::open("https://h", {.tls = {.certificate_file = key(), .key_file = key()}}).ok());
  EXPECT_FALSE(HttpServer::open({.listen = "127.0.0.1:0", .certificate_file = certificate()}).ok());
  EXPECT_FALSE(HttpServer::open({.listen = "127.0.0.1:0", .client_ca_file = certificate()}).ok());
  const auto crossed =
      HttpServer::open({.listen = "127.0.0.1:0", .certificate_file = key(), .key_file = key()});
  ASSERT_FALSE(crossed.ok());
  EXPECT_NE(crossed.error().message.find(key()), std::string::npos);
}

TEST_F(TlsTest, ReachableWithTlsAndToken) {
  HttpServer server = HttpServer::open({.listen = "0.0.0.0:0",
                                        .certificate_file = certificate(),
                                        .key_file = key(),
                                        .token = "secret"})
                          .value();
  ASSERT_TRUE(server.start().ok());
  EXPECT_EQ(HttpClient::open(base_url(server, "https"), {.tls = {.ca_file = certificate()}})
                ->get("/x")
                ->status,
            404);
}

}  // namespace
}  // namespace saker::net
