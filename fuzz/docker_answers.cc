// Any bytes as docker's answers over its socket: to the question for a container, then for its
// image.
// parser: src/k8s/docker_client.cc src/k8s/unix_socket.cc
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "base/fd.h"
#include "k8s/container_json.h"
#include "k8s/docker_client.h"
#include "parts.h"
#include "scratch_folder.h"

namespace {

using namespace saker;

// Answers each connection with the next text and closes it. Lives as long as the process.
class Server {
 public:
  explicit Server(const std::string& path)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 8) != 0)
      std::abort();
    thread_ = std::jthread([this] { serve(); });
  }
  ~Server() { ::shutdown(listener_.get(), SHUT_RDWR); }

  // Before the client asks: connecting orders this before the answer.
  std::string_view answers[2];

 private:
  void serve() {
    for (;;) {
      const UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid()) return;
      char request[512];
      const ssize_t length = ::recv(fd.get(), request, sizeof request, 0);
      const std::string_view text(request, length > 0 ? static_cast<size_t>(length) : 0);
      const std::string_view answer = answers[text.starts_with("GET /images/") ? 1 : 0];
      (void)!::send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  UniqueFd listener_;
  std::jthread thread_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFolder folder;
  static const std::string socket = folder.path() + "/s";
  static Server server(socket);
  const auto parts = fuzz::parts_of({reinterpret_cast<const char*>(data), size}, 2);
  server.answers[0] = parts[0];
  server.answers[1] = parts[1];
  k8s::DockerClient client(socket, k8s::ContainerType::docker, std::chrono::seconds(10));
  const Result<k8s::ContainerInfo> info = client.look_up("abc123");
  const bool sound = info.ok() ? info->full_id == "abc123" && !k8s::to_container_json(*info).empty()
                               : !info.error().message.empty();
  if (!sound) std::abort();
  // The same texts as docker's files of a container.
  const Result<formats::JsonNode> config = formats::parse_json(parts[0]);
  const Result<formats::JsonNode> host_config = formats::parse_json(parts[1]);
  if (!config.ok() || !host_config.ok()) return 0;
  const Result<k8s::ContainerInfo> stored = k8s::from_docker_files(*config, *host_config);
  if (stored.ok() ? stored->full_id.empty() : stored.error().message.empty()) std::abort();
  return 0;
}
