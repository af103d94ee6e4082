// The local syslog daemon, by datagrams to /dev/log: "<priority>time saker[pid]: text", facility
// user, priorities as they are. libc's syslog(3) is not used: it is global, and hides failures.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>

#include "base/fd.h"
#include "output/format.h"
#include "output/sink.h"

namespace saker::output {

namespace {

constexpr SinkOption kOptions[] = {
    {.name = "path", .default_value = "/dev/log", .summary = "Socket of the syslog daemon"},
    {.name = "format",
     .kind = OptionKind::choice,
     .default_value = "text",
     .summary = "auto is JSON when json_output is on, else text",
     .choices = "auto|text|json"},
    {.name = "retry_for",
     .kind = OptionKind::duration,
     .default_value = "30s",
     .summary = "How long a finding waits for a daemon that is not there before it is dropped"},
};

constexpr int kFacilityUser = 1;
constexpr size_t kLongestDatagram = 8192;  // daemons cut or drop what is longer
constexpr int kPollMilliseconds = 100;

std::string header(const finding::Finding& finding) {
  const int priority = kFacilityUser * 8 + static_cast<int>(finding.severity);
  const std::time_t now = std::time(nullptr);
  tm parts{};
  ::localtime_r(&now, &parts);
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[96];
  const int length = std::snprintf(
      text, sizeof text, "<%d>%s %2d %02d:%02d:%02d saker[%d]: ", priority, kMonths[parts.tm_mon],
      parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(::getpid()));
  return {text, static_cast<size_t>(length)};
}

class SyslogSink : public Sink {
 public:
  explicit SyslogSink(const SinkSettings& settings)
      : path_(settings.text("path")),
        json_(settings.json),
        format_(choose_format(settings, true)),
        retry_for_(settings.duration("retry_for")) {}

  Delivery deliver(std::span<const SharedFinding> batch) override {
    size_t done = 0;
    for (const SharedFinding& finding : batch) {
      Status status = send(*finding);
      if (!status.ok()) return {.done = done, .status = std::move(status)};
      ++done;
    }
    return {.done = done};
  }

  [[nodiscard]] RetryPolicy retry_policy() const override { return {.give_up_after = retry_for_}; }
  void cancel() override { cancelled_ = true; }

 private:
  Status connect() {
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return errno_error("cannot make a socket", errno);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      return unreachable(errno);
    fd_ = std::move(fd);
    return {};
  }

  [[nodiscard]] Error unreachable(int error_number) const {
    Error error = errno_error("cannot reach syslog at " + path_, error_number);
    error.code = Code::busy;  // the daemon may come back
    return error;
  }

  Status send(const finding::Finding& finding) {
    std::string text = header(finding);
    text += format_ == Format::json ? finding::to_json(finding, json_) : safe_line(finding, json_);
    if (text.size() > kLongestDatagram) text.resize(kLongestDatagram);
    bool connected_anew = false;
    while (!cancelled_) {
      if (!fd_.valid()) {
        SAKER_CHECK(connect());
        connected_anew = true;
      }
      if (::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0) return {};
      const int error = errno;
      if (error == EAGAIN || error == ENOBUFS) {
        pollfd waiting{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
        ::poll(&waiting, 1, kPollMilliseconds);
      } else if (error != EINTR) {
        fd_.reset();  // the daemon was restarted: its socket is another one now
        if (connected_anew) return unreachable(error);
      }
    }
    return Error{.code = Code::denied, .message = "sending to syslog was cancelled"};
  }

  std::string path_;
  finding::JsonOptions json_;
  Format format_;
  std::chrono::milliseconds retry_for_;
  UniqueFd fd_;
  std::atomic<bool> cancelled_ = false;
};

Result<std::unique_ptr<Sink>> open(const SinkSettings& settings) {
  if (settings.text("path").size() >= sizeof(sockaddr_un::sun_path))
    return Error{.message = "the path of the syslog socket is too long"};
  return std::unique_ptr<Sink>(std::make_unique<SyslogSink>(settings));
}

}  // namespace

extern const SinkInfo syslog_descriptor;
const SinkInfo syslog_descriptor = {
    .name = "syslog",
    .summary = "Messages to the local syslog daemon",
    .options = kOptions,
    .enabled = false,
    .open = open,
};

}  // namespace saker::output
