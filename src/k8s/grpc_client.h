// Unary gRPC calls to a container runtime over its unix socket.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace saker::k8s {

using GrpcHeaders = std::vector<std::pair<std::string, std::string>>;

// One connection, made at the first call and made again after it broke. Not thread-safe: the calls
// of one client follow each other.
//
// Errors by what the caller can do: not_found (the runtime says that there is no such thing),
// unsupported (it doesn't know the method), denied, invalid, busy (deadline, overload: try again),
// io (no runtime there, or it went away), corrupt (what answers speaks no gRPC).
class GrpcClient {
 public:
  explicit GrpcClient(std::string socket_path);
  ~GrpcClient();
  GrpcClient(GrpcClient&&) noexcept;
  GrpcClient& operator=(GrpcClient&&) noexcept;

  // `method` is "/package.Service/Method", `request` an encoded message; gives the encoded answer.
  Result<std::string> call(std::string_view method, std::string_view request,
                           std::chrono::milliseconds timeout, const GrpcHeaders& headers = {});

  [[nodiscard]] const std::string& socket_path() const;
  // How often a connection was made.
  [[nodiscard]] uint64_t connections() const;

  static constexpr size_t kMaxMessage = 16U << 20U;

 private:
  struct Connection;
  Result<std::string> call_once(std::string_view method, std::string_view request,
                                std::chrono::steady_clock::time_point deadline,
                                const GrpcHeaders& headers, bool& may_retry);

  std::string socket_path_;
  uint64_t connections_ = 0;
  std::unique_ptr<Connection> connection_;
};

}  // namespace saker::k8s
