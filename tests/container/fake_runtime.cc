#include "fake_runtime.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>

namespace saker::test {
namespace {

constexpr int kTick = 20;  // ms between looks at the flags

struct Stream {
  std::string path, name_space, body;
  std::string out;
  size_t sent = 0;
  bool ends_plainly = false;
};

struct Session {
  int fd = -1;
  nghttp2_session* http = nullptr;
  const FakeRuntime::Handler* handler = nullptr;
  std::map<int32_t, Stream> streams;
  bool close = false;
};

nghttp2_nv field(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

ssize_t read_out(nghttp2_session* http, int32_t id, uint8_t* buffer, size_t length, uint32_t* flags,
                 nghttp2_data_source* source, void* /*user*/) {
  auto& stream = *static_cast<Stream*>(source->ptr);
  const size_t count = std::min(length, stream.out.size() - stream.sent);
  std::memcpy(buffer, stream.out.data() + stream.sent, count);
  stream.sent += count;
  if (stream.sent == stream.out.size()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.ends_plainly) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::array trailers = {field("grpc-status", "0")};
      nghttp2_submit_trailer(http, id, trailers.data(), trailers.size());
    }
  }
  return static_cast<ssize_t>(count);
}

std::string envelope(const std::string& message) {
  std::string out(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(message.size() >> static_cast<unsigned>(shift));
  }
  return out + message;
}

void send_raw(const Session& session, std::string_view bytes) {
  (void)!::send(session.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void answer(Session& session, int32_t id) {
  Stream& stream = session.streams[id];
  const FakeAnswer reply = (*session.handler)(stream.path, stream.body, stream.name_space);
  using Kind = FakeAnswer::Kind;
  if (reply.kind == Kind::hang) return;
  if (reply.kind == Kind::close || reply.kind == Kind::garbage) {
    if (reply.kind == Kind::garbage) send_raw(session, std::string(64, 'x'));
    session.close = true;
    return;
  }
  const std::string number = std::to_string(reply.status);
  std::array fields = {field(":status", "200"), field("content-type", "application/grpc"),
                       field("grpc-status", number), field("grpc-message", reply.text)};
  if (reply.kind == Kind::status) {
    nghttp2_submit_response(session.http, id, fields.data(), fields.size(), nullptr);
    return;
  }
  if (reply.kind == Kind::half) {
    // Not a response without a body: that would be a whole answer.
    nghttp2_submit_headers(session.http, NGHTTP2_FLAG_NONE, id, nullptr, fields.data(), 2, nullptr);
    session.close = true;
    return;
  }
  stream.out = reply.kind == Kind::raw_body ? reply.body : envelope(reply.body);
  stream.ends_plainly = reply.kind == Kind::no_status;
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = read_out;
  nghttp2_submit_response(session.http, id, fields.data(), 2, &provider);
}

int on_header(nghttp2_session* /*http*/, const nghttp2_frame* frame, const uint8_t* name,
              size_t name_length, const uint8_t* value, size_t value_length, uint8_t /*flags*/,
              void* user) {
  Stream& stream = static_cast<Session*>(user)->streams[frame->hd.stream_id];
  const std::string_view key(reinterpret_cast<const char*>(name), name_length);
  const std::string text(reinterpret_cast<const char*>(value), value_length);
  if (key == ":path") stream.path = text;
  if (key == "containerd-namespace") stream.name_space = text;
  return 0;
}

int on_data(nghttp2_session* /*http*/, uint8_t /*flags*/, int32_t id, const uint8_t* data,
            size_t length, void* user) {
  auto& session = *static_cast<Session*>(user);
  session.streams[id].body.append(reinterpret_cast<const char*>(data), length);
  return 0;
}

int on_frame(nghttp2_session* /*http*/, const nghttp2_frame* frame, void* user) {
  auto& session = *static_cast<Session*>(user);
  const bool is_request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (is_request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
    Stream& stream = session.streams[frame->hd.stream_id];
    stream.body.erase(0, 5);  // the envelope
    answer(session, frame->hd.stream_id);
  }
  return 0;
}

void flush(Session& session) {
  const uint8_t* data = nullptr;
  while (true) {
    const ssize_t length = nghttp2_session_mem_send(session.http, &data);
    if (length <= 0) return;
    send_raw(session, {reinterpret_cast<const char*>(data), static_cast<size_t>(length)});
  }
}

}  // namespace

FakeRuntime::FakeRuntime(std::string socket, Handler handler)
    : socket_(std::move(socket)), handler_(std::move(handler)) {
  ::unlink(socket_.c_str());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 8) != 0) {
    std::abort();
  }
  thread_ = std::thread([this] { serve(); });
}

FakeRuntime::~FakeRuntime() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
  ::unlink(socket_.c_str());
}

void FakeRuntime::serve() {
  while (!stopping_) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, kTick) <= 0) continue;
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) continue;
    talk(fd);
    ::close(fd);
  }
}

void FakeRuntime::talk(int fd) {
  Session session{.fd = fd, .handler = &handler_};
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_server_new(&session.http, callbacks, &session);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session.http, NGHTTP2_FLAG_NONE, nullptr, 0);
  hang_up_ = false;
  while (!stopping_ && !hang_up_ && !session.close) {
    flush(session);
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, kTick) <= 0) continue;
    std::array<uint8_t, 16384> buffer;
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    if (nghttp2_session_mem_recv(session.http, buffer.data(), static_cast<size_t>(count)) < 0) {
      break;
    }
  }
  flush(session);
  nghttp2_session_del(session.http);
}

}  // namespace saker::test
