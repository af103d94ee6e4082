// A gRPC server on a unix socket for tests: answers what a function says, or misbehaves as told.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace saker::test {

struct FakeAnswer {
  enum class Kind : unsigned char {
    message,    // body as one message, then status 0
    status,     // no message; grpc-status and grpc-message
    raw_body,   // body as it is, then status 0
    no_status,  // HTTP 200 and the end
    hang,       // nothing, the connection stays
    close,      // closes the connection
    half,       // the start of an answer, then closes
    garbage,    // bytes that are no HTTP/2
  } kind = Kind::message;
  std::string body = {};
  int status = 0;
  std::string text = {};
};

// Serves until it is destroyed, one connection after the other.
class FakeRuntime {
 public:
  using Handler = std::function<FakeAnswer(std::string_view method, std::string_view request,
                                           std::string_view name_space)>;
  FakeRuntime(std::string socket, Handler handler);
  ~FakeRuntime();
  FakeRuntime(const FakeRuntime&) = delete;
  FakeRuntime& operator=(const FakeRuntime&) = delete;

  // Closes the connection that is open now.
  void hang_up() { hang_up_ = true; }

 private:
  void serve();
  void talk(int fd);

  std::string socket_;
  Handler handler_;
  int listener_ = -1;
  std::atomic<bool> stopping_ = false, hang_up_ = false;
  std::thread thread_;
};

}  // namespace saker::test
