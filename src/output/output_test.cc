// The dispatcher with sinks that hang and fail, and each real sink against a real counterpart.
#include "output/dispatcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/fd.h"
#include "net/http_server.h"
#include "output/format.h"

namespace saker::output {
namespace {

using namespace std::chrono_literals;

finding::Finding make_finding(std::string rule = "Rule", std::string message = "something happened",
                              finding::Severity severity = finding::Severity::warning) {
  return {.time_ns = 1'700'000'000'123'456'789,
          .rule = std::move(rule),
          .severity = severity,
          .hostname = "here",
          .message = std::move(message)};
}

// Delivers what it is let through, and fails when told to.
class FakeSink : public Sink {
 public:
  struct Control {
    std::mutex mutex;
    std::condition_variable changed;
    bool hang = false, cancelled = false, deaf = false;
    std::optional<Error> error;
    std::vector<std::string> delivered;
    RetryPolicy policy{.first_wait = 1ms, .longest_wait = 2ms, .give_up_after = 0ms};
    size_t count() {
      std::lock_guard lock(mutex);
      return delivered.size();
    }
    void set(std::optional<Error> new_error, bool new_hang = false) {
      std::lock_guard lock(mutex);
      error = std::move(new_error);
      hang = new_hang;
      changed.notify_all();
    }
  };
  explicit FakeSink(std::shared_ptr<Control> control) : control_(std::move(control)) {}

  Delivery deliver(std::span<const SharedFinding> batch) override {
    std::unique_lock lock(control_->mutex);
    control_->changed.wait(lock, [&] { return !control_->hang || control_->cancelled; });
    if (control_->cancelled) return {.status = Error{.code = Code::denied, .message = "cancelled"}};
    if (control_->error) return {.status = *control_->error};
    for (const SharedFinding& finding : batch) control_->delivered.push_back(finding->message);
    return {.done = batch.size()};
  }
  RetryPolicy retry_policy() const override { return control_->policy; }
  void cancel() override {
    std::lock_guard lock(control_->mutex);
    if (control_->deaf) return;
    control_->cancelled = true;
    control_->changed.notify_all();
  }

 private:
  std::shared_ptr<Control> control_;
};

TEST(Dispatcher, DeliversToAllInOrder) {
  auto a = std::make_shared<FakeSink::Control>();
  auto b = std::make_shared<FakeSink::Control>();
  Dispatcher dispatcher({});
  dispatcher.add("a", std::make_unique<FakeSink>(a));
  dispatcher.add("b", std::make_unique<FakeSink>(b));
  std::vector<std::string> expected;
  for (int i = 0; i < 1000; ++i) {
    expected.push_back(std::to_string(i));
    dispatcher.submit(make_finding("r", expected.back()));
  }
  EXPECT_TRUE(dispatcher.stop(5s));
  EXPECT_EQ(a->delivered, expected);
  EXPECT_EQ(b->delivered, expected);
}

TEST(Dispatcher, SlowSinkStallsNobody) {
  auto hanging = std::make_shared<FakeSink::Control>();
  auto healthy = std::make_shared<FakeSink::Control>();
  hanging->hang = true;
  Dispatcher dispatcher({.queue_capacity = 100});
  dispatcher.add("hanging", std::make_unique<FakeSink>(hanging));
  dispatcher.add("healthy", std::make_unique<FakeSink>(healthy));
  for (int i = 0; i < 1000; ++i) {
    const auto start = std::chrono::steady_clock::now();
    dispatcher.submit(make_finding());
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
    if (i % 50 == 49)  // the healthy one has a queue of 100, too
      while (healthy->count() < static_cast<size_t>(i + 1)) std::this_thread::sleep_for(1ms);
  }
  std::vector<SinkStats> stats = dispatcher.stats();
  EXPECT_EQ(stats[1].delivered, 1000u);
  EXPECT_EQ(stats[1].dropped, 0u);
  EXPECT_EQ(stats[0].delivered, 0u);
  EXPECT_GE(stats[0].dropped, 1000u - 100 - 64);
  EXPECT_EQ(stats[0].dropped + stats[0].queued, 1000u);
  EXPECT_GT(stats[0].busy_for, 0ms);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(dispatcher.stop(50ms));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  stats = dispatcher.stats();
  EXPECT_EQ(stats[0].dropped + stats[0].failed, 1000u);
}

TEST(Dispatcher, StuckSinkIsLeftBehind) {
  auto stuck = std::make_shared<FakeSink::Control>();
  stuck->hang = stuck->deaf = true;
  {
    Dispatcher dispatcher({});
    dispatcher.add("stuck", std::make_unique<FakeSink>(stuck));
    dispatcher.submit(make_finding());
    EXPECT_FALSE(dispatcher.stop(10ms));
  }
  stuck->set(std::nullopt);  // the thread ends, on a lane that was not deleted
  while (stuck->count() == 0) std::this_thread::sleep_for(1ms);
}

TEST(Dispatcher, RetriesUntilItWorks) {
  auto control = std::make_shared<FakeSink::Control>();
  control->policy.give_up_after = 1min;
  control->error = Error{.code = Code::busy, .message = "down"};
  Dispatcher dispatcher({});
  dispatcher.add("flaky", std::make_unique<FakeSink>(control));
  dispatcher.submit(make_finding());
  while (dispatcher.stats()[0].retries < 3) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(dispatcher.stats()[0].last_error, "down");
  EXPECT_FALSE(dispatcher.flush(1ms));
  control->set(std::nullopt);
  EXPECT_TRUE(dispatcher.flush(5s));
  EXPECT_EQ(dispatcher.stats()[0].delivered, 1u);
  EXPECT_EQ(dispatcher.stats()[0].failed, 0u);
}

TEST(Dispatcher, GivesUpAndGoesOn) {
  auto control = std::make_shared<FakeSink::Control>();
  control->policy.give_up_after = 20ms;
  control->error = Error{.code = Code::busy, .message = "down"};
  Dispatcher dispatcher({});
  dispatcher.add("down", std::make_unique<FakeSink>(control));
  for (int i = 0; i < 3; ++i) dispatcher.submit(make_finding());
  EXPECT_TRUE(dispatcher.flush(5s));
  EXPECT_EQ(dispatcher.stats()[0].failed, 3u);
  control->set(Error{.code = Code::invalid, .message = "no"});  // hopeless: no retry at all
  const uint64_t retries = dispatcher.stats()[0].retries;
  dispatcher.submit(make_finding());
  EXPECT_TRUE(dispatcher.flush(5s));
  EXPECT_EQ(dispatcher.stats()[0].failed, 4u);
  EXPECT_EQ(dispatcher.stats()[0].retries, retries);
}

TEST(Dispatcher, LeastSeverity) {
  auto control = std::make_shared<FakeSink::Control>();
  Dispatcher dispatcher({});
  dispatcher.add("picky", std::make_unique<FakeSink>(control), finding::Severity::error);
  dispatcher.submit(make_finding("r", "warning", finding::Severity::warning));
  dispatcher.submit(make_finding("r", "error", finding::Severity::error));
  dispatcher.submit(make_finding("r", "alert", finding::Severity::alert));
  EXPECT_TRUE(dispatcher.stop(5s));
  EXPECT_EQ(control->delivered, (std::vector<std::string>{"error", "alert"}));
}

TEST(RateLimit, ABucketARule) {
  RateLimit limit(2, 3);
  RateLimit::Time now{};
  int passed = 0;
  for (int i = 0; i < 10; ++i) passed += limit.pass("a", now);
  EXPECT_EQ(passed, 3);
  EXPECT_TRUE(limit.pass("b", now));
  now += 1s;
  passed = 0;
  for (int i = 0; i < 10; ++i) passed += limit.pass("a", now);
  EXPECT_EQ(passed, 2);
  now += 1h;
  passed = 0;
  for (int i = 0; i < 10; ++i) passed += limit.pass("a", now);
  EXPECT_EQ(passed, 3);
}

TEST(Dispatcher, RateLimitIsCounted) {
  auto control = std::make_shared<FakeSink::Control>();
  Dispatcher dispatcher({.rate = 0.001, .burst = 2});
  dispatcher.add("a", std::make_unique<FakeSink>(control));
  for (int i = 0; i < 5; ++i) dispatcher.submit(make_finding("noisy"));
  dispatcher.submit(make_finding("other"));
  EXPECT_TRUE(dispatcher.stop(5s));
  EXPECT_EQ(control->delivered.size(), 3u);
  EXPECT_EQ(dispatcher.rate_limited(), 3u);
}

TEST(Format, ControlCharactersAreEscaped) {
  EXPECT_EQ(escape_controls("a\nb\x1b[31m\tc\x7f"), "a\\nb\\u001b[31m\\tc\\u007f");
  EXPECT_EQ(escape_controls("\xc2\x9b"
                            "31m \xc3\xa4 \xff"),
            "\\u009b31m \xc3\xa4 \xef\xbf\xbd");
}

TEST(Sinks, AreAllThere) {
  for (const char* name : {"stdout", "file", "syslog", "http"}) {
    const SinkInfo* info = find_sink(name);
    ASSERT_NE(info, nullptr) << name;
    const SinkSettings settings = default_settings(*info);
    for (const SinkOption& option : info->options) {
      EXPECT_FALSE(option.summary.empty()) << option.name;
      EXPECT_TRUE(option.kind == OptionKind::list || settings.values.contains(option.name));
    }
  }
  EXPECT_EQ(find_sink("none"), nullptr);
}

class SinkTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "saker_output_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static SinkSettings settings_of(const char* sink,
                                  std::map<std::string, std::string> values = {}) {
    SinkSettings settings = default_settings(*find_sink(sink));
    for (auto& [name, value] : values) settings.values[name] = value;
    return settings;
  }
  std::string read(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string folder_;
};

// What a sink writes to `fd` for one finding, read back from `from`.
std::string written(SinkSettings settings, int fd, int from, const finding::Finding& finding) {
  settings.values["descriptor"] = std::to_string(fd);
  std::unique_ptr<Sink> sink = find_sink("stdout")->open(settings).value();
  const SharedFinding shared = std::make_shared<const finding::Finding>(finding);
  EXPECT_EQ(sink->deliver({&shared, 1}).done, 1u);
  char buffer[4096];
  const ssize_t count = ::read(from, buffer, sizeof buffer);
  return {buffer, static_cast<size_t>(std::max<ssize_t>(count, 0))};
}

TEST_F(SinkTest, StdoutInAPipeIsJson) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd out(ends[0]), in(ends[1]);
  EXPECT_EQ(written(settings_of("stdout"), in.get(), out.get(), make_finding()),
            finding::to_json(make_finding()) + "\n");
  EXPECT_EQ(written(settings_of("stdout", {{"format", "text"}}), in.get(), out.get(),
                    make_finding("r", "a\nb")),
            finding::to_line(make_finding("r", "a\\nb")) + "\n");
}

TEST_F(SinkTest, StdoutOnATerminalIsColouredText) {
  int master = -1, slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  UniqueFd out(master), in(slave);
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "xterm", 1);
  const std::string line = finding::to_line(make_finding());
  EXPECT_EQ(written(settings_of("stdout"), slave, master, make_finding()),
            "\x1b[33m" + line + "\x1b[0m\r\n");
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(written(settings_of("stdout"), slave, master, make_finding()), line + "\r\n");
  ::unsetenv("NO_COLOR");
  SinkSettings json = settings_of("stdout");
  json.prefer_json = true;
  EXPECT_EQ(written(json, slave, master, make_finding()),
            finding::to_json(make_finding()) + "\r\n");
}

TEST_F(SinkTest, StdoutWhoseReaderSleepsOrLeaves) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd out(ends[0]), in(ends[1]);
  Dispatcher dispatcher({.queue_capacity = 100'000});
  ASSERT_TRUE(dispatcher
                  .add(*find_sink("stdout"),
                       settings_of("stdout", {{"descriptor", std::to_string(ends[1])}}))
                  .ok());
  const std::string long_message(1000, 'm');
  for (int i = 0; i < 1000; ++i) dispatcher.submit(make_finding("r", long_message));
  EXPECT_FALSE(dispatcher.flush(100ms));  // nobody reads: 1 MB does not fit into a pipe
  out.reset();                            // a SIGPIPE would end this program
  EXPECT_TRUE(dispatcher.flush(5s));
  const SinkStats stats = dispatcher.stats()[0];
  EXPECT_GT(stats.failed, 0u);
  EXPECT_EQ(stats.failed + stats.delivered, 1000u);
}

TEST_F(SinkTest, FileIsPrivateAndReopens) {
  const std::string path = folder_ + "/alerts.log";
  Dispatcher dispatcher({});
  ASSERT_TRUE(dispatcher.add(*find_sink("file"), settings_of("file", {{"path", path}})).ok());
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  dispatcher.submit(make_finding("first"));
  ASSERT_TRUE(dispatcher.flush(5s));
  std::filesystem::rename(path, path + ".1");
  dispatcher.submit(make_finding("second"));
  ASSERT_TRUE(dispatcher.flush(5s));
  dispatcher.reopen();
  dispatcher.submit(make_finding("third"));
  ASSERT_TRUE(dispatcher.stop(5s));
  EXPECT_EQ(read(path + ".1"), finding::to_json(make_finding("first")) + "\n" +
                                   finding::to_json(make_finding("second")) + "\n");
  EXPECT_EQ(read(path), finding::to_json(make_finding("third")) + "\n");
}

TEST_F(SinkTest, FileErrors) {
  EXPECT_FALSE(find_sink("file")->open(settings_of("file")).ok());
  EXPECT_FALSE(find_sink("file")->open(settings_of("file", {{"path", folder_ + "/a/b"}})).ok());
  const std::string fifo = folder_ + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_FALSE(find_sink("file")->open(settings_of("file", {{"path", fifo}})).ok());
}

// A file system of 64 KiB that fills up: whole lines only, counted losses, and it goes on when
// there is room again.
TEST_F(SinkTest, FileOnAFullDisk) {
  const std::string mount = folder_ + "/small";
  std::filesystem::create_directories(mount);
  if (::mount("tmpfs", mount.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "cannot mount";
  const std::string path = mount + "/alerts.log";
  {
    Dispatcher dispatcher({});
    ASSERT_TRUE(
        dispatcher
            .add(*find_sink("file"), settings_of("file", {{"path", path}, {"retry_for", "0"}}))
            .ok());
    for (int i = 0; i < 200; ++i) dispatcher.submit(make_finding("r", std::string(900, 'm')));
    ASSERT_TRUE(dispatcher.flush(10s));
    const SinkStats stats = dispatcher.stats()[0];
    EXPECT_GT(stats.failed, 0u);
    EXPECT_GT(stats.delivered, 20u);
    EXPECT_EQ(stats.failed + stats.delivered, 200u);
    const std::string text = read(path);
    EXPECT_EQ(static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')), stats.delivered);
    EXPECT_TRUE(text.ends_with("\n"));
    ASSERT_EQ(::truncate(path.c_str(), 0), 0);
    dispatcher.submit(make_finding("again"));
    ASSERT_TRUE(dispatcher.stop(5s));
    EXPECT_EQ(read(path), finding::to_json(make_finding("again")) + "\n");
  }
  ::umount(mount.c_str());
}

// A daemon of our own at a socket of our own.
class SyslogDaemon {
 public:
  explicit SyslogDaemon(const std::string& path) {
    fd_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::unlink(path.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  std::string receive() {
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 5000) <= 0) return {};
    char buffer[65536];
    const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    return {buffer, static_cast<size_t>(std::max<ssize_t>(count, 0))};
  }

 private:
  UniqueFd fd_;
};

TEST_F(SinkTest, Syslog) {
  const std::string path = folder_ + "/log";
  Dispatcher dispatcher({});
  ASSERT_TRUE(dispatcher.add(*find_sink("syslog"), settings_of("syslog", {{"path", path}})).ok());
  dispatcher.submit(make_finding("early"));  // before there is a daemon
  while (dispatcher.stats()[0].retries == 0) std::this_thread::sleep_for(1ms);
  auto daemon = std::make_unique<SyslogDaemon>(path);
  const std::string text = daemon->receive();
  EXPECT_TRUE(text.starts_with("<12>")) << text;  // user.warning
  const std::string tag = " saker[" + std::to_string(::getpid()) + "]: ";
  ASSERT_NE(text.find(tag), std::string::npos) << text;
  EXPECT_EQ(text.find(tag), std::string("<12>Nov 14 22:13:20").size());
  EXPECT_EQ(text.substr(text.find(tag) + tag.size()), finding::to_line(make_finding()));
  daemon = std::make_unique<SyslogDaemon>(path);  // restarted
  dispatcher.submit(make_finding("r", std::string(100'000, 'x'), finding::Severity::emergency));
  const std::string cut = daemon->receive();
  EXPECT_TRUE(cut.starts_with("<8>")) << cut.substr(0, 40);
  EXPECT_EQ(cut.size(), 8192u);
}

// A webhook that answers as the test says.
class Webhook {
 public:
  Webhook() : server_(net::HttpServer::open({.listen = "127.0.0.1:0"}).value()) {
    server_.route("POST", "/hook", [this](const net::HttpRequest& request) {
      std::unique_lock lock(mutex);
      ++requests;
      changed.wait(lock, [this] { return !hang; });
      if (status == 200) bodies.push_back(request.body);
      return net::HttpResponse{.status = status};
    });
    EXPECT_TRUE(server_.start().ok());
  }
  ~Webhook() { set(200, false); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/hook"; }
  void set(int new_status, bool new_hang) {
    std::lock_guard lock(mutex);
    status = new_status;
    hang = new_hang;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  int status = 200;
  bool hang = false;
  int requests = 0;
  std::vector<std::string> bodies;

 private:
  net::HttpServer server_;
};

TEST_F(SinkTest, HttpDeliversAndRetries) {
  Webhook hook;
  Dispatcher dispatcher({});
  ASSERT_TRUE(
      dispatcher
          .add(*find_sink("http"), settings_of("http", {{"url", hook.url()}, {"retry_wait", "5"}}))
          .ok());
  dispatcher.submit(make_finding("one"));
  ASSERT_TRUE(dispatcher.flush(5s));
  hook.set(503, false);
  dispatcher.submit(make_finding("two"));
  while (dispatcher.stats()[0].retries < 3) std::this_thread::sleep_for(1ms);
  hook.set(200, false);
  ASSERT_TRUE(dispatcher.flush(5s));
  hook.set(400, false);  // hopeless
  dispatcher.submit(make_finding("three"));
  ASSERT_TRUE(dispatcher.flush(5s));
  EXPECT_EQ(dispatcher.stats()[0].failed, 1u);
  EXPECT_EQ(dispatcher.stats()[0].last_error, "the server answered 400");
  EXPECT_EQ(hook.bodies, (std::vector<std::string>{finding::to_json(make_finding("one")),
                                                   finding::to_json(make_finding("two"))}));
}

TEST_F(SinkTest, HttpThatHangsIsRetriedAndCancelled) {
  Webhook hook;
  hook.set(200, true);
  Dispatcher dispatcher({.queue_capacity = 10});
  ASSERT_TRUE(
      dispatcher
          .add(*find_sink("http"),
               settings_of("http", {{"url", hook.url()}, {"timeout", "100"}, {"retry_wait", "5"}}))
          .ok());
  for (int i = 0; i < 200; ++i) dispatcher.submit(make_finding());
  while (dispatcher.stats()[0].retries < 2) std::this_thread::sleep_for(1ms);
  EXPECT_GE(dispatcher.stats()[0].dropped, 200u - 10 - 64);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(dispatcher.stop(50ms));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  const SinkStats stats = dispatcher.stats()[0];
  EXPECT_EQ(stats.dropped + stats.failed, 200u);
  EXPECT_EQ(stats.queued, 0u);
}

TEST_F(SinkTest, HttpWithoutServerComesBack) {
  uint16_t port = 0;
  {
    Webhook gone;
    port = static_cast<uint16_t>(std::stoi(gone.url().substr(17)));
  }
  Dispatcher dispatcher({});
  const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/hook";
  ASSERT_TRUE(
      dispatcher.add(*find_sink("http"), settings_of("http", {{"url", url}, {"retry_wait", "5"}}))
          .ok());
  dispatcher.submit(make_finding());
  while (dispatcher.stats()[0].retries < 2) std::this_thread::sleep_for(1ms);
  net::HttpServer server =
      net::HttpServer::open({.listen = "127.0.0.1:" + std::to_string(port)}).value();
  server.route("POST", "/hook", [](const net::HttpRequest&) { return net::HttpResponse{}; });
  ASSERT_TRUE(server.start().ok());
  EXPECT_TRUE(dispatcher.flush(10s));
  EXPECT_EQ(dispatcher.stats()[0].delivered, 1u);
}

TEST_F(SinkTest, HttpSettings) {
  for (auto values : std::vector<std::map<std::string, std::string>>{
           {}, {{"url", "ftp://x"}}, {{"url", "https://x"}, {"ca_file", "/none"}}}) {
    EXPECT_FALSE(find_sink("http")->open(settings_of("http", values)).ok());
  }
  SinkSettings bad = settings_of("http", {{"url", "http://x"}});
  bad.lists["headers"] = {"no colon"};
  EXPECT_FALSE(find_sink("http")->open(bad).ok());
}

}  // namespace
}  // namespace saker::output
