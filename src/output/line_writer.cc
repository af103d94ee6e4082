#include "output/line_writer.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace saker::output {

static constexpr int kPollMilliseconds = 100;

Status LineWriter::write(int fd, std::string_view text, size_t& written) {
  struct stat info{};
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  written = 0;
  while (written < text.size()) {
    if (cancelled_) return Error{.code = Code::denied, .message = "writing was cancelled"};
    size_t length = text.size() - written;
    if (!regular) {
      pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
      const int ready = ::poll(&waiting, 1, kPollMilliseconds);
      if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
      // A pipe that poll calls writable takes PIPE_BUF bytes without blocking, and no more for
      // sure.
      length = std::min<size_t>(length, PIPE_BUF);
    }
    const ssize_t count = ::write(fd, text.data() + written, length);
    if (count >= 0) {
      written += static_cast<size_t>(count);
    } else if (errno == EPIPE) {
      return Error{.code = Code::not_found, .message = "nobody reads any more"};
    } else if (errno != EINTR && errno != EAGAIN) {
      return errno_error("cannot write", errno);
    }
  }
  return {};
}

}  // namespace saker::output
