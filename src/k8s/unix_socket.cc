#include "k8s/unix_socket.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace saker::k8s {

Result<UniqueFd> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Error{Code::invalid, fmt::format("not a socket path: '{}'", path)};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // A unix socket connects at once or not at all.
  if (!fd.valid() ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int number = errno;
    Error error = errno_error("connect " + path, number);
    if (number == EAGAIN) {
      error.code = Code::busy;
    } else if (number != EACCES && number != EPERM) {
      error.code = Code::io;
    }
    return error;
  }
  return fd;
}

Status wait_readable(int fd, std::chrono::steady_clock::time_point deadline) {
  constexpr int64_t kLongestPoll = 60'000;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    if (left <= 0) return Error{Code::busy, "no answer in time"};
    pollfd ready{fd, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::min<int64_t>(left, kLongestPoll)));
    if (count > 0) return {};
    if (count < 0 && errno != EINTR) return errno_error("poll", errno);
  }
}

}  // namespace saker::k8s
