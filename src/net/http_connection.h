// The server's side of connections, with an end to every wait: a handshake, a request and a reply
// each have their time, however their bytes trickle in. Only for .cc files of this room.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/library.h"

namespace saker::net {

// Certificate, key and, for client certificates, who may sign them. Files in PEM.
struct TlsFiles {
  std::string certificate, key, client_ca;
};
using TlsContext = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;
Result<TlsContext> make_tls_context(const TlsFiles& files);

struct ConnectionTimes {
  std::chrono::milliseconds request{10'000};    // for a handshake; to read a request, body and all
  std::chrono::milliseconds write{5'000};       // until a client takes more of a reply
  std::chrono::milliseconds keep_alive{1'000};  // between requests
};

// httplib's server on such connections.
class ConnectionServer : public httplib::Server {
 public:
  // `crowded`: whether others wait for a thread, so that idle connections are to go.
  ConnectionServer(TlsContext tls, ConnectionTimes times, std::function<bool()> crowded);

  // Connections come to their ends soon. From any thread.
  void end_connections() { ending_ = true; }

  // For handlers, on their thread: what is left of the request will not be read, so that nothing
  // may follow on this connection.
  static void close_after_reply();

 private:
  bool process_and_close_socket(int socket) override;

  TlsContext tls_;
  const ConnectionTimes times_;
  const std::function<bool()> crowded_;
  std::atomic<bool> ending_ = false;
};

}  // namespace saker::net
