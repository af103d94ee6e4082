// The HTTP face, asked by a real client; the event stream read by raw sockets that sleep or leave.
#include "server/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/fd.h"
#include "base/strings.h"
#include "base/time.h"
#include "formats/json.h"
#include "net/http_client.h"
#include "server/collectors.h"
#include "store/schema.h"
#include "store/writer.h"

namespace saker::server {
namespace {

using namespace std::chrono_literals;

finding::Finding make(std::string message,
                      finding::Severity severity = finding::Severity::warning) {
  return {.time_ns = now_ns(),
          .rule = "Rule",
          .severity = severity,
          .message = std::move(message),
          .tags = {"t"}};
}

TEST(Metrics, TextFormat) {
  MetricsWriter writer;
  writer.counter("saker_x_total", "Help\nwith \\ break");
  writer.sample(uint64_t{7}, {{"rule", "a \"b\"\\\n"}, {"k", "v"}});
  writer.gauge("saker_y", "y");
  writer.sample(0.5);
  EXPECT_EQ(writer.text(),
            "# HELP saker_x_total Help\\nwith \\\\ break\n# TYPE saker_x_total counter\n"
            "saker_x_total{rule=\"a \\\"b\\\"\\\\\\n\",k=\"v\"} 7\n"
            "# HELP saker_y y\n# TYPE saker_y gauge\nsaker_y 0.5\n");
}

TEST(Metrics, Process) {
  EXPECT_GT(resident_bytes(), 100'000u);
  MetricsWriter writer;
  ProcessMetrics().collect(writer);
  EXPECT_NE(writer.text().find("process_open_fds "), std::string::npos);
}

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "saker_server_" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    store_ = store::Writer::open({.path = store::store_path(folder_), .batch_time = 1ms}).value();
    open({.http = {.listen = "127.0.0.1:0"}, .store_path = store::store_path(folder_)});
  }
  void TearDown() override {
    server_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(ServerOptions options) {
    server_.reset();
    stream_ = std::make_unique<EventStream>(2, 20);
    process_ = std::make_unique<ProcessMetrics>();
    store_metrics_ = std::make_unique<StoreMetrics>(*store_);
    stream_metrics_ = std::make_unique<StreamMetrics>(*stream_);
    output_metrics_ = std::make_unique<OutputMetrics>(dispatcher_);
    server_ = Server::open(std::move(options), *stream_,
                           {process_.get(), store_metrics_.get(), stream_metrics_.get(),
                            output_metrics_.get()})
                  .value();
  }
  net::HttpReply get(const std::string& target) {
    const std::string url = "http://127.0.0.1:" + std::to_string(server_->port());
    Result<net::HttpReply> reply = net::HttpClient::open(url)->get(target);
    EXPECT_TRUE(reply.ok()) << reply.error().to_text();
    return reply.ok() ? *reply : net::HttpReply{};
  }

  std::string folder_;
  output::Dispatcher dispatcher_{{}};
  std::unique_ptr<store::Writer> store_;
  std::unique_ptr<EventStream> stream_;
  std::unique_ptr<ProcessMetrics> process_;
  std::unique_ptr<StoreMetrics> store_metrics_;
  std::unique_ptr<StreamMetrics> stream_metrics_;
  std::unique_ptr<OutputMetrics> output_metrics_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, HealthAndVersions) {
  EXPECT_EQ(get("/healthz").body, "{\"status\":\"ok\"}");
  Result<formats::JsonNode> versions = formats::parse_json(get("/versions").body);
  ASSERT_TRUE(versions.ok());
  EXPECT_EQ(versions->text_of("saker"), SAKER_VERSION);
}

TEST_F(ServerTest, MetricsPage) {
  store_->submit(make("x"));
  ASSERT_TRUE(store_->flush(5s));
  net::HttpReply reply = get("/metrics");
  EXPECT_NE(reply.body.find("\nsaker_store_stored_total 1\n"), std::string::npos);
  bool typed = false;
  for (const auto& [name, value] : reply.headers)
    typed = typed || (name == "Content-Type" && value.starts_with("text/plain; version=0.0.4"));
  EXPECT_TRUE(typed);
  // Every line is a comment or "name{labels} number".
  for (std::string_view line : split(reply.body, '\n')) {
    if (line.empty() || line.starts_with("# HELP ") || line.starts_with("# TYPE ")) continue;
    const size_t blank = line.rfind(' ');
    ASSERT_NE(blank, std::string_view::npos) << line;
    EXPECT_NO_THROW(std::stod(std::string(line.substr(blank + 1)))) << line;
  }
  open({.http = {.listen = "127.0.0.1:0"}, .metrics = false});
  EXPECT_EQ(get("/metrics").status, 404);
}

TEST_F(ServerTest, Alerts) {
  for (int i = 0; i < 150; ++i)
    store_->submit(
        make(std::to_string(i), i == 5 ? finding::Severity::critical : finding::Severity::notice));
  ASSERT_TRUE(store_->flush(5s));
  auto alerts = [&](const std::string& query) {
    const net::HttpReply reply = get("/api/v1/alerts" + query);
    EXPECT_EQ(reply.status, 200) << reply.body;
    Result<formats::JsonNode> node = formats::parse_json(reply.body);
    EXPECT_TRUE(node.ok());
    return node->find("alerts")->items;
  };
  EXPECT_EQ(alerts("").size(), 100u);
  EXPECT_EQ(alerts("").back().int_of("id"), 150);
  EXPECT_EQ(alerts("?limit=5").size(), 5u);
  EXPECT_EQ(alerts("?after=148").size(), 2u);
  const auto critical = alerts("?priority=critical&since=1h&tag=t&rule=R*");
  ASSERT_EQ(critical.size(), 1u);
  EXPECT_EQ(critical[0].text_of("priority"), "Critical");
  EXPECT_EQ(critical[0].int_of("id"), 6);
  EXPECT_EQ(get("/api/v1/alerts?since=tomorrow").status, 400);
  EXPECT_EQ(get("/api/v1/alerts?colour=red").status, 400);
  open({.http = {.listen = "127.0.0.1:0"}});
  EXPECT_EQ(get("/api/v1/alerts").status, 503);
}

// A client of the event stream that reads when the test says so.
class StreamClient {
 public:
  StreamClient(uint16_t port, const std::string& target, int receive_buffer = 0) {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer != 0)
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    EXPECT_GT(::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL), 0);
  }
  // Reads until `text` has come, or the end, or five seconds have passed.
  bool wait_for(std::string_view text) {
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (seen.find(text) == std::string::npos) {
      pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (std::chrono::steady_clock::now() > deadline) return false;
      if (::poll(&waiting, 1, 100) <= 0) continue;
      char buffer[65536];
      const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return false;
      seen.append(buffer, static_cast<size_t>(count));
    }
    return true;
  }
  std::string seen;

 private:
  UniqueFd fd_;
};

TEST_F(ServerTest, EventsReachClients) {
  StreamClient all(server_->port(), "/api/v1/events");
  StreamClient critical(server_->port(), "/api/v1/events?priority=critical");
  ASSERT_TRUE(all.wait_for(": saker"));
  ASSERT_TRUE(critical.wait_for(": saker"));
  EXPECT_NE(all.seen.find("text/event-stream"), std::string::npos);
  EXPECT_EQ(stream_->stats().clients, 2u);
  EXPECT_EQ(get("/api/v1/events").status, 503);  // two are allowed here
  stream_->publish(make("first"));
  stream_->publish(make("second", finding::Severity::critical));
  ASSERT_TRUE(all.wait_for("second"));
  EXPECT_NE(all.seen.find("id: 1\nevent: finding\ndata: {"), std::string::npos);
  ASSERT_TRUE(critical.wait_for("second"));
  EXPECT_EQ(critical.seen.find("first"), std::string::npos);
}

TEST_F(ServerTest, SlowClientIsCutOff) {
  StreamClient slow(server_->port(), "/api/v1/events", 4096);
  StreamClient quick(server_->port(), "/api/v1/events");
  ASSERT_TRUE(slow.wait_for(": saker"));
  ASSERT_TRUE(quick.wait_for(": saker"));
  const std::string padding(100'000, 'x');
  for (int i = 0; i < 200 && stream_->stats().slow_clients == 0; ++i) {
    const auto start = std::chrono::steady_clock::now();
    stream_->publish(make("event " + std::to_string(i) + "." + padding));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
    quick.seen.clear();
    ASSERT_TRUE(quick.wait_for("event " + std::to_string(i) + "."));
  }
  EXPECT_EQ(stream_->stats().slow_clients, 1u);
  EXPECT_GT(stream_->stats().dropped, 0u);
  EXPECT_EQ(stream_->stats().clients, 1u);
  stream_->publish(make("the end"));
  EXPECT_TRUE(quick.wait_for("the end"));
}

TEST_F(ServerTest, ClientsThatLeaveAreForgotten) {
  {
    StreamClient a(server_->port(), "/api/v1/events");
    ASSERT_TRUE(a.wait_for(": saker"));
  }
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (stream_->stats().clients != 0 && std::chrono::steady_clock::now() < deadline) {
    stream_->publish(make("anybody there"));
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(stream_->stats().clients, 0u);
}

TEST_F(ServerTest, EndsWithClientsListening) {
  StreamClient client(server_->port(), "/api/v1/events");
  ASSERT_TRUE(client.wait_for(": saker"));
  const auto start = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

}  // namespace
}  // namespace saker::server
