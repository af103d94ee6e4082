// HTTP and HTTPS requests to one server. Facade over cpp-httplib.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace saker::net {

struct TlsOptions {
  std::string ca_file;                     // PEM bundle; neither this nor ca_folder: the system's
  std::string ca_folder;                   // hashed folder
  std::string certificate_file, key_file;  // of the client; both or neither
  bool insecure = false;                   // the server's certificate is not checked
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpClientOptions {
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds timeout{10000};  // of a whole request, from connecting to the last byte
  TlsOptions tls = {};
  std::string user_agent = "saker/" SAKER_VERSION;
  Headers headers = {};               // sent with each request
  size_t max_body = size_t{1} << 20;  // a longer response is an error
};

struct HttpReply {
  int status = 0;
  Headers headers;
  std::string body;
};

// One connection, kept alive between requests. For one thread; only cancel() is safe from others.
// Looking up a host name is the one step that neither timeout nor cancel() can cut short.
class HttpClient {
 public:
  // `url` gives scheme, host, port and login; its target is the default of the requests.
  static Result<HttpClient> open(std::string_view url, HttpClientOptions options = {});
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // Any status is a reply. Errors: busy (timed out), io (no connection, broken off), denied (the
  // server's certificate is not trusted).
  Result<HttpReply> get(std::string_view target = {});
  Result<HttpReply> post(std::string_view body, std::string_view content_type,
                         std::string_view target = {});

  // Makes a request that is under way fail soon, and every later one at once.
  void cancel();

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace saker::net
