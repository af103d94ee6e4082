// HTTP/2 frames come from libnghttp2; this adds the socket, the deadline, and gRPC's envelope:
// POST /package.Service/Method, a body of one byte "compressed", four bytes of length (big-endian)
// and the message, and trailers grpc-status and grpc-message.
#include "k8s/grpc_client.h"

#include <fmt/core.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/fd.h"
#include "base/strings.h"
#include "k8s/unix_socket.h"

namespace saker::k8s {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kEnvelope = 5;
constexpr size_t kMaxStatusText = 4096;
constexpr int32_t kWindow = 1 << 20;

// What is known of the one call under way.
struct Call {
  std::string body;  // envelope and request
  size_t sent = 0;
  std::string answer;  // envelope and response
  int http_status = 0;
  std::optional<int> grpc_status;
  std::string grpc_message;
  int32_t stream = -1;
  bool answered = false;  // a header of the answer came
  bool closed = false;
  bool too_large = false;
  uint32_t stream_error = 0;
};

std::string percent_decoded(std::string_view text) {
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
        digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return sanitize_utf8(out);
}

struct GrpcStatus {
  std::string_view name;
  Code code;
};
// By number, from gRPC's table of status codes.
constexpr std::array kStatuses = {
    GrpcStatus{"ok", Code::corrupt},
    GrpcStatus{"cancelled", Code::busy},
    GrpcStatus{"unknown", Code::busy},
    GrpcStatus{"invalid argument", Code::invalid},
    GrpcStatus{"deadline exceeded", Code::busy},
    GrpcStatus{"not found", Code::not_found},
    GrpcStatus{"already exists", Code::invalid},
    GrpcStatus{"permission denied", Code::denied},
    GrpcStatus{"resource exhausted", Code::busy},
    GrpcStatus{"failed precondition", Code::invalid},
    GrpcStatus{"aborted", Code::busy},
    GrpcStatus{"out of range", Code::invalid},
    GrpcStatus{"unimplemented", Code::unsupported},
    GrpcStatus{"internal", Code::busy},
    GrpcStatus{"unavailable", Code::io},
    GrpcStatus{"data loss", Code::corrupt},
    GrpcStatus{"unauthenticated", Code::denied},
};

}  // namespace

struct GrpcClient::Connection {
  UniqueFd fd;
  nghttp2_session* session = nullptr;
  Call call;

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { nghttp2_session_del(session); }

  Status open(const std::string& path);
  Status submit(std::string_view method, const GrpcHeaders& headers, Clock::time_point deadline);
  Status flush();
  Result<bool> read_some();
  Status wait(Clock::time_point deadline);
  bool is_alive();

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                       size_t name_length, const uint8_t* value, size_t value_length, uint8_t flags,
                       void* user);
  static int on_data(nghttp2_session* session, uint8_t flags, int32_t stream, const uint8_t* data,
                     size_t length, void* user);
  static int on_close(nghttp2_session* session, int32_t stream, uint32_t error, void* user);
  static ssize_t read_body(nghttp2_session* session, int32_t stream, uint8_t* buffer, size_t length,
                           uint32_t* flags, nghttp2_data_source* source, void* user);
};

int GrpcClient::Connection::on_header(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                      const uint8_t* name, size_t name_length, const uint8_t* value,
                                      size_t value_length, uint8_t /*flags*/, void* user) {
  Call& call = static_cast<Connection*>(user)->call;
  if (frame->hd.stream_id != call.stream) return 0;
  call.answered = true;
  const std::string_view key(reinterpret_cast<const char*>(name), name_length);
  const std::string_view text(reinterpret_cast<const char*>(value), value_length);
  if (key == ":status") {
    call.http_status = static_cast<int>(parse_uint(text).value_or(0) & 0xffffU);
  } else if (key == "grpc-status") {
    const auto number = parse_uint(text);
    call.grpc_status = number && *number < kStatuses.size() ? static_cast<int>(*number) : 2;
  } else if (key == "grpc-message") {
    call.grpc_message = percent_decoded(text.substr(0, kMaxStatusText));
  }
  return 0;
}

int GrpcClient::Connection::on_data(nghttp2_session* session, uint8_t /*flags*/, int32_t stream,
                                    const uint8_t* data, size_t length, void* user) {
  Call& call = static_cast<Connection*>(user)->call;
  if (stream != call.stream || call.too_large) return 0;
  if (call.answer.size() + length > kMaxMessage + kEnvelope) {
    call.too_large = true;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
    return 0;
  }
  call.answer.append(reinterpret_cast<const char*>(data), length);
  return 0;
}

int GrpcClient::Connection::on_close(nghttp2_session* /*session*/, int32_t stream, uint32_t error,
                                     void* user) {
  Call& call = static_cast<Connection*>(user)->call;
  if (stream != call.stream) return 0;
  call.closed = true;
  call.stream_error = error;
  return 0;
}

ssize_t GrpcClient::Connection::read_body(nghttp2_session* /*session*/, int32_t /*stream*/,
                                          uint8_t* buffer, size_t length, uint32_t* flags,
                                          nghttp2_data_source* source, void* /*user*/) {
  Call& call = static_cast<Connection*>(source->ptr)->call;
  const size_t count = std::min(length, call.body.size() - call.sent);
  std::memcpy(buffer, call.body.data() + call.sent, count);
  call.sent += count;
  if (call.sent == call.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(count);
}

Status GrpcClient::Connection::open(const std::string& path) {
  fd = SAKER_TRY(connect_unix(path));
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) return Error{Code::io, "out of memory"};
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  const int failed = nghttp2_session_client_new(&session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  if (failed != 0) return Error{Code::io, nghttp2_strerror(failed)};
  const std::array settings = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 1U << 16U},
  };
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kWindow);
  return {};
}

Status GrpcClient::Connection::submit(std::string_view method, const GrpcHeaders& headers,
                                      Clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  const std::string timeout = fmt::format("{}m", std::clamp<int64_t>(left, 1, 99'999'999));
  std::vector<nghttp2_nv> fields;
  auto add = [&](std::string_view name, std::string_view value) {
    auto bytes = [](std::string_view text) {
      return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
    };
    fields.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  };
  add(":method", "POST");
  add(":scheme", "http");
  add(":path", method);
  add(":authority", "localhost");
  add("content-type", "application/grpc");
  add("te", "trailers");
  add("user-agent", "saker");
  add("grpc-timeout", timeout);
  for (const auto& [name, value] : headers) add(name, value);
  nghttp2_data_provider provider{};
  provider.source.ptr = this;
  provider.read_callback = read_body;
  call.stream =
      nghttp2_submit_request(session, nullptr, fields.data(), fields.size(), &provider, nullptr);
  if (call.stream < 0) return Error{Code::io, nghttp2_strerror(call.stream)};
  return {};
}

// Sends what the session has to say, as far as the socket takes it at once.
Status GrpcClient::Connection::flush() {
  while (nghttp2_session_want_write(session) != 0) {
    const uint8_t* data = nullptr;
    const ssize_t length = nghttp2_session_mem_send(session, &data);
    if (length < 0) return Error{Code::io, nghttp2_strerror(static_cast<int>(length))};
    if (length == 0) break;
    size_t done = 0;
    while (done < static_cast<size_t>(length)) {
      const ssize_t written =
          ::send(fd.get(), data + done, static_cast<size_t>(length) - done, MSG_NOSIGNAL);
      if (written > 0) {
        done += static_cast<size_t>(written);
      } else if (errno == EAGAIN) {
        // Rare (a request is a few hundred bytes), and the runtime is at fault when it lasts.
        pollfd ready{fd.get(), POLLOUT, 0};
        if (::poll(&ready, 1, 1000) <= 0) return Error{Code::busy, "runtime does not read"};
      } else if (errno != EINTR) {
        return errno_error("send", errno);
      }
    }
  }
  return {};
}

// True when bytes came, false when there are none for now.
Result<bool> GrpcClient::Connection::read_some() {
  std::array<uint8_t, 65536> buffer;
  const ssize_t count = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
  if (count == 0) return Error{Code::io, "connection closed"};
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return false;
    Error error = errno_error("recv", errno);
    error.code = Code::io;
    return error;
  }
  const ssize_t used = nghttp2_session_mem_recv(session, buffer.data(), static_cast<size_t>(count));
  if (used < 0) {
    return Error{Code::corrupt,
                 fmt::format("no HTTP/2: {}", nghttp2_strerror(static_cast<int>(used)))};
  }
  return true;
}

Status GrpcClient::Connection::wait(Clock::time_point deadline) {
  while (!call.closed) {
    SAKER_CHECK(flush());
    if (call.closed || call.too_large) return {};
    if (nghttp2_session_want_read(session) == 0) return Error{Code::io, "connection closed"};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Error{Code::busy, "no answer in time"};
    pollfd ready{fd.get(), POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (count < 0 && errno != EINTR) return errno_error("poll", errno);
    if (count > 0) (void)SAKER_TRY(read_some());
  }
  // Acknowledgements of settings and windows, which the runtime needs for the next call.
  return flush();
}

// Takes in what came since the last call: the runtime may have gone, or be about to.
bool GrpcClient::Connection::is_alive() {
  while (true) {
    auto more = read_some();
    if (!more.ok()) return false;
    if (!*more) break;
  }
  return flush().ok() && nghttp2_session_want_read(session) != 0 &&
         nghttp2_session_check_request_allowed(session) != 0;
}

namespace {

Result<std::string> take_message(Call& call) {
  if (call.too_large) {
    return Error{Code::unsupported,
                 fmt::format("answer larger than {} MiB", GrpcClient::kMaxMessage >> 20U)};
  }
  if (call.stream_error != NGHTTP2_NO_ERROR && !call.grpc_status) {
    const bool refused = call.stream_error == NGHTTP2_REFUSED_STREAM;
    return Error{refused ? Code::busy : Code::io,
                 fmt::format("stream ended: {}", nghttp2_http2_strerror(call.stream_error))};
  }
  if (!call.grpc_status) {
    return Error{Code::corrupt, fmt::format("no gRPC answer (HTTP status {})", call.http_status)};
  }
  if (*call.grpc_status != 0) {
    const GrpcStatus& status = kStatuses[static_cast<size_t>(*call.grpc_status)];
    return Error{status.code, call.grpc_message.empty()
                                  ? std::string(status.name)
                                  : fmt::format("{}: {}", status.name, call.grpc_message)};
  }
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(uint8_t(call.answer[i])); };
  if (call.answer.size() < kEnvelope) return Error{Code::corrupt, "answer without a message"};
  if (byte(0) != 0) return Error{Code::unsupported, "answer is compressed"};
  const uint32_t length = (byte(1) << 24U) | (byte(2) << 16U) | (byte(3) << 8U) | byte(4);
  if (length != call.answer.size() - kEnvelope) {
    return Error{Code::corrupt, "answer is not one message"};
  }
  call.answer.erase(0, kEnvelope);
  return std::move(call.answer);
}

std::string envelope(std::string_view request) {
  const auto length = static_cast<uint32_t>(request.size());
  std::string body;
  body.reserve(kEnvelope + request.size());
  body += '\0';
  for (const unsigned shift : {24U, 16U, 8U, 0U}) body += static_cast<char>(length >> shift);
  body += request;
  return body;
}

}  // namespace

GrpcClient::GrpcClient(std::string socket_path) : socket_path_(std::move(socket_path)) {}
GrpcClient::~GrpcClient() = default;
GrpcClient::GrpcClient(GrpcClient&&) noexcept = default;
GrpcClient& GrpcClient::operator=(GrpcClient&&) noexcept = default;

const std::string& GrpcClient::socket_path() const {
  return socket_path_;
}
uint64_t GrpcClient::connections() const {
  return connections_;
}

Result<std::string> GrpcClient::call_once(std::string_view method, std::string_view request,
                                          Clock::time_point deadline, const GrpcHeaders& headers,
                                          bool& may_retry) {
  if (connection_ && !connection_->is_alive()) connection_.reset();
  const bool is_reused = connection_ != nullptr;
  if (!connection_) {
    auto fresh = std::make_unique<Connection>();
    SAKER_CHECK(fresh->open(socket_path_));
    connection_ = std::move(fresh);
    ++connections_;
  }
  Call& call = connection_->call;
  call = {};
  call.body = envelope(request);
  Status status = connection_->submit(method, headers, deadline);
  if (status.ok()) status = connection_->wait(deadline);
  if (status.ok()) {
    auto message = take_message(call);
    // The rest of such an answer is still on its way.
    if (call.too_large) connection_.reset();
    return message;
  }
  // A connection that went between two calls is nobody's news: all calls only ask, so that the
  // question can be put once more.
  may_retry = is_reused && !call.answered && status.error().code == Code::io;
  connection_.reset();
  return std::move(status).error();
}

Result<std::string> GrpcClient::call(std::string_view method, std::string_view request,
                                     std::chrono::milliseconds timeout,
                                     const GrpcHeaders& headers) {
  if (request.size() > kMaxMessage) return Error{Code::invalid, "request is too large"};
  const Clock::time_point deadline = Clock::now() + timeout;
  bool may_retry = false;
  auto answer = call_once(method, request, deadline, headers, may_retry);
  if (!answer.ok() && may_retry) {
    answer = call_once(method, request, deadline, headers, may_retry);
  }
  if (!answer.ok()) {
    answer.error().message = fmt::format("{} {}: {}", socket_path_, method, answer.error().message);
  }
  return answer;
}

}  // namespace saker::k8s
