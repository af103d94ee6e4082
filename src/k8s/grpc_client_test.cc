#include "k8s/grpc_client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "container/fake_runtime.h"

namespace saker::k8s {
namespace {

using test::FakeAnswer;
using test::FakeRuntime;
using Kind = FakeAnswer::Kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string socket_path() {
  return "/tmp/saker-grpc-" + std::to_string(::getpid()) + ".sock";
}

Result<std::string> call_once(const FakeAnswer& answer, milliseconds timeout = milliseconds(2000)) {
  FakeRuntime runtime(socket_path(), [&](auto, auto, auto) { return answer; });
  return GrpcClient(socket_path()).call("/a.B/C", "ask", timeout);
}

TEST(GrpcClient, CarriesMessagesBothWays) {
  FakeRuntime runtime(socket_path(), [](auto method, auto request, auto name_space) {
    return FakeAnswer{.body = std::string(method) + "|" + std::string(request) + "|" +
                              std::string(name_space)};
  });
  GrpcClient client(socket_path());
  for (int i = 0; i < 50; ++i) {
    auto answer = client.call("/a.B/C", "ask", milliseconds(2000), {{"containerd-namespace", "n"}});
    ASSERT_TRUE(answer.ok()) << answer.error().to_text();
    EXPECT_EQ(*answer, "/a.B/C|ask|n");
  }
  EXPECT_EQ(client.connections(), 1U);
}

TEST(GrpcClient, CarriesLargeMessages) {
  const std::string large(10U << 20U, 'x');
  FakeRuntime runtime(socket_path(), [&](auto, std::string_view request, auto) {
    return FakeAnswer{.body = std::string(request)};
  });
  GrpcClient client(socket_path());
  for (const size_t size : {size_t{0}, size_t{1}, size_t{16384}, large.size()}) {
    auto answer = client.call("/a.B/C", large.substr(0, size), milliseconds(20'000));
    ASSERT_TRUE(answer.ok()) << answer.error().to_text();
    EXPECT_EQ(answer->size(), size);
  }
}

struct StatusCase {
  int number;
  Code code;
};

TEST(GrpcClient, TellsStatusesApart) {
  for (const auto& [number, code] :
       {StatusCase{2, Code::busy}, StatusCase{3, Code::invalid}, StatusCase{4, Code::busy},
        StatusCase{5, Code::not_found}, StatusCase{7, Code::denied}, StatusCase{8, Code::busy},
        StatusCase{12, Code::unsupported}, StatusCase{14, Code::io}, StatusCase{16, Code::denied},
        StatusCase{99, Code::busy}}) {
    auto answer = call_once({.kind = Kind::status, .status = number, .text = "it%27s gone"});
    ASSERT_FALSE(answer.ok()) << number;
    EXPECT_EQ(answer.error().code, code) << number << ": " << answer.error().to_text();
    EXPECT_NE(answer.error().message.find("it's gone"), std::string::npos);
    EXPECT_NE(answer.error().message.find("/a.B/C"), std::string::npos);
  }
}

TEST(GrpcClient, RefusesWhatIsNoAnswer) {
  using namespace std::string_literals;
  for (const FakeAnswer& bad :
       {FakeAnswer{.kind = Kind::no_status, .body = "x"}, FakeAnswer{.kind = Kind::status},
        FakeAnswer{.kind = Kind::raw_body, .body = "\0\0\0"s},
        FakeAnswer{.kind = Kind::raw_body, .body = "\0\0\0\0\5ab"s},
        FakeAnswer{.kind = Kind::raw_body, .body = "\0\0\0\0\1ab"s},
        FakeAnswer{.kind = Kind::raw_body,
                   .body = "\0\xff\xff\xff\xff"
                           "ab"s}}) {
    auto answer = call_once(bad);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, Code::corrupt) << answer.error().to_text();
  }
  auto garbage = call_once({.kind = Kind::garbage});
  ASSERT_FALSE(garbage.ok());
  EXPECT_TRUE(garbage.error().code == Code::corrupt || garbage.error().code == Code::io);
  auto compressed = call_once({.kind = Kind::raw_body, .body = "\1\0\0\0\1a"s});
  ASSERT_FALSE(compressed.ok());
  EXPECT_EQ(compressed.error().code, Code::unsupported);
}

TEST(GrpcClient, RefusesAnAnswerThatIsTooLarge) {
  auto answer =
      call_once({.body = std::string(GrpcClient::kMaxMessage + 1, 'x')}, milliseconds(20'000));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::unsupported) << answer.error().to_text();
}

TEST(GrpcClient, EndsAtTheDeadline) {
  const auto start = steady_clock::now();
  auto answer = call_once({.kind = Kind::hang}, milliseconds(150));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::busy) << answer.error().to_text();
  EXPECT_GE(steady_clock::now() - start, milliseconds(150));
  EXPECT_LT(steady_clock::now() - start, milliseconds(2000));
}

TEST(GrpcClient, NoticesThatTheRuntimeDiesInMidCall) {
  for (const Kind kind : {Kind::close, Kind::half}) {
    auto answer = call_once({.kind = kind});
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, Code::io) << answer.error().to_text();
  }
}

TEST(GrpcClient, SaysThatNobodyIsThere) {
  ::unlink(socket_path().c_str());
  auto answer = GrpcClient(socket_path()).call("/a.B/C", "", milliseconds(1000));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::io);
  EXPECT_EQ(GrpcClient(std::string(200, 'x')).call("/a.B/C", "", milliseconds(1)).error().code,
            Code::invalid);
}

TEST(GrpcClient, ConnectsAgainAfterTheRuntimeHungUp) {
  std::atomic<int> calls = 0;
  FakeRuntime runtime(socket_path(), [&](auto, auto, auto) {
    ++calls;
    return FakeAnswer{.body = "x"};
  });
  GrpcClient client(socket_path());
  ASSERT_TRUE(client.call("/a.B/C", "", milliseconds(2000)).ok());
  runtime.hang_up();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client.call("/a.B/C", "", milliseconds(2000)).ok());
  }
  EXPECT_GE(client.connections(), 1U);
  EXPECT_EQ(calls, 21);
}

// The answer that never came is asked for again when the connection had been idle, and only then.
TEST(GrpcClient, AsksOnceMoreOnAConnectionThatWasGone) {
  std::atomic<int> calls = 0;
  FakeRuntime runtime(socket_path(), [&](auto, auto, auto) {
    return FakeAnswer{.kind = ++calls == 2 ? Kind::close : Kind::message, .body = "x"};
  });
  GrpcClient client(socket_path());
  ASSERT_TRUE(client.call("/a.B/C", "", milliseconds(2000)).ok());
  ASSERT_TRUE(client.call("/a.B/C", "", milliseconds(2000)).ok());
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(client.connections(), 2U);
}

}  // namespace
}  // namespace saker::k8s
