// docker and podman by answers written after their public API documentation.
#include "k8s/docker_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

namespace saker::k8s {
namespace {

using std::chrono::milliseconds;

#define ID "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
#define IMAGE_ID "0ca0fed353fb77c247abada85aebc667fd1f5fa0b5f6ab1efb26867ba18f2f0a"
#define DIGEST "sha256:b9ff6f23cceb5bde20bb1f79b492b98d71ef7a7ae518ca1b15b26661a11e6a94"

constexpr std::string_view kContainer = R"({"Id":")" ID R"(","Created":"2024-05-06T07:08:09.5Z",
  "Path":"nginx","State":{"Status":"running","Pid":1},"Image":"sha256:)" IMAGE_ID R"(",
  "Name":"/front","RestartCount":0,"HostConfig":{"NetworkMode":"host","Privileged":true,
  "PidMode":"host","IpcMode":"private","Binds":["/srv:/data:ro"]},
  "Mounts":[{"Type":"bind","Source":"/srv","Destination":"/data","Mode":"ro","RW":false,
  "Propagation":"rprivate"},{"Type":"volume","Name":"v",
  "Source":"/var/lib/docker/volumes/v/_data","Destination":"/v",
  "Driver":"local","Mode":"z","RW":true,"Propagation":""}],
  "Config":{"Hostname":"h","User":"101","Env":["A=1","PATH=/bin"],
  "Image":"registry:5000/nginx:1.25","Labels":{"com.example.team":"web"}},
  "NetworkSettings":{"IPAddress":"","Networks":{"net1":{"IPAddress":"172.18.0.2"}}}})";

constexpr std::string_view kImage = R"({"Id":"sha256:)" IMAGE_ID R"(",
  "RepoTags":["nginx:1.25","registry:5000/nginx:1.25"],"RepoDigests":["nginx@sha256:0000",
  "registry:5000/nginx@)" DIGEST R"("]})";

void expect_front(const ContainerInfo& info) {
  EXPECT_EQ(info.id, "3ad7b26ded6d");
  EXPECT_EQ(info.full_id, ID);
  EXPECT_EQ(info.name, "front");
  EXPECT_EQ(info.image, "registry:5000/nginx:1.25");
  EXPECT_EQ(info.image_repository, "registry:5000/nginx");
  EXPECT_EQ(info.image_tag, "1.25");
  EXPECT_EQ(info.image_id, IMAGE_ID);
  EXPECT_EQ(info.labels.at("com.example.team"), "web");
  EXPECT_EQ(info.env, (std::vector<std::string>{"A=1", "PATH=/bin"}));
  EXPECT_EQ(info.user, "101");
  EXPECT_TRUE(info.privileged && info.host_network && info.host_pid);
  EXPECT_FALSE(info.host_ipc);
  EXPECT_EQ(info.ip, "172.18.0.2");
  EXPECT_EQ(info.created_time, 1714979289'500'000'000);
  ASSERT_EQ(info.mounts.size(), 2U);
  EXPECT_EQ(info.mounts[0].source, "/srv");
  EXPECT_EQ(info.mounts[0].destination, "/data");
  EXPECT_EQ(info.mounts[0].propagation, "rprivate");
  EXPECT_FALSE(info.mounts[0].read_write);
  EXPECT_TRUE(info.mounts[1].read_write);
}

TEST(Docker, ReadsAContainer) {
  auto info = from_docker_container(*formats::parse_json(kContainer), ContainerType::docker);
  ASSERT_TRUE(info.ok());
  expect_front(*info);
  EXPECT_EQ(info->type, ContainerType::docker);
  apply_docker_image(*formats::parse_json(kImage), *info);
  EXPECT_EQ(info->image_digest, DIGEST);
  EXPECT_EQ(info->image_tag, "1.25");
}

TEST(Docker, ReadsItsFiles) {
  constexpr std::string_view kConfig = R"({"ID":")" ID R"(","Name":"/front",
    "Created":"2024-05-06T09:08:09.5+02:00","Image":"sha256:)" IMAGE_ID R"(",
    "Config":{"User":"101","Env":["A=1","PATH=/bin"],"Image":"registry:5000/nginx:1.25",
    "Labels":{"com.example.team":"web"}},
    "MountPoints":{"/data":{"Source":"/srv","Destination":"/data","RW":false,"Relabel":"ro",
    "Propagation":"rprivate","Type":"bind"},"/v":{"Source":"","Destination":"/v","RW":true}},
    "NetworkSettings":{"Networks":{"net1":{"IPAddress":"172.18.0.2"}}}})";
  auto info = from_docker_files(
      *formats::parse_json(kConfig),
      *formats::parse_json(R"({"NetworkMode":"host","Privileged":true,"PidMode":"host"})"));
  ASSERT_TRUE(info.ok());
  expect_front(*info);
}

TEST(Docker, TakesTheNameOfAnImageThatWasRunById) {
  ContainerInfo info;
  info.image = info.image_id = IMAGE_ID;
  apply_docker_image(*formats::parse_json(kImage), info);
  EXPECT_EQ(info.image_repository, "nginx");
  EXPECT_EQ(info.image_tag, "1.25");
}

TEST(Docker, RefusesAContainerWithoutId) {
  for (std::string_view text : {"{}", "[]", R"({"Id":3})"}) {
    EXPECT_FALSE(from_docker_container(*formats::parse_json(text), ContainerType::docker).ok());
  }
}

TEST(Docker, ReadsTimes) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01Z"), 1'000'000'000);
  EXPECT_EQ(parse_rfc3339("2024-05-06T07:08:09.123456789Z"), 1714979289'123'456'789);
  EXPECT_EQ(parse_rfc3339("2024-05-06T07:08:09.1234567891234Z"), 1714979289'123'456'789);
  EXPECT_EQ(parse_rfc3339("2024-05-06T02:08:09-05:00"), 1714979289'000'000'000);
  for (std::string_view text :
       {"", "x", "2024-05-06", "2024-05-06T07:08:09", "0001-01-01T00:00:00Z",
        "2024-05-06T07:08:09+5", "9999-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_rfc3339(text), 0) << text;
  }
}

// Answers each connection with the next text, after the request came.
class HttpServer {
 public:
  explicit HttpServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    ::unlink(path().c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 4), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    ::unlink(path().c_str());
  }
  static std::string path() { return "/tmp/saker-http-" + std::to_string(::getpid()) + ".sock"; }

  std::vector<std::string> requests;

 private:
  void serve() {
    for (const std::string& answer : answers_) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      char buffer[4096];
      const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
      requests.emplace_back(buffer, count > 0 ? static_cast<size_t>(count) : 0);
      (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(fd);
    }
  }

  std::vector<std::string> answers_;
  int listener_ = -1;
  std::thread thread_;
};

std::string ok(std::string_view body) {
  return "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + std::string(body);
}

TEST(Docker, AsksOverItsSocket) {
  HttpServer server({ok(kContainer), ok(kImage)});
  auto info =
      DockerClient(HttpServer::path(), ContainerType::podman, milliseconds(2000)).look_up(ID);
  ASSERT_TRUE(info.ok()) << info.error().to_text();
  expect_front(*info);
  EXPECT_EQ(info->type, ContainerType::podman);
  EXPECT_EQ(info->image_digest, DIGEST);
  ASSERT_EQ(server.requests.size(), 2U);
  EXPECT_TRUE(server.requests[0].starts_with("GET /containers/" ID "/json HTTP/1.0\r\n"));
  EXPECT_TRUE(server.requests[1].starts_with("GET /images/" IMAGE_ID "/json HTTP/1.0\r\n"));
}

struct BadAnswer {
  std::string answer;
  Code code;
};

TEST(Docker, TellsBadAnswersApart) {
  for (const auto& [answer, code] :
       {BadAnswer{"HTTP/1.0 404 Not Found\r\n\r\n{}", Code::not_found},
        BadAnswer{"HTTP/1.0 403 Forbidden\r\n\r\n", Code::denied},
        BadAnswer{"HTTP/1.0 500 Internal\r\n\r\n", Code::busy}, BadAnswer{"", Code::corrupt},
        BadAnswer{"SSH-2.0-x\r\n\r\n", Code::corrupt}, BadAnswer{ok("{\"Id\":"), Code::invalid},
        BadAnswer{ok(R"({"Id":"ffff"})"), Code::not_found}}) {
    HttpServer server({answer});
    auto info =
        DockerClient(HttpServer::path(), ContainerType::docker, milliseconds(2000)).look_up(ID);
    ASSERT_FALSE(info.ok());
    EXPECT_EQ(info.error().code, code) << info.error().to_text();
  }
}

TEST(Docker, NeverPutsAnythingButAnIdIntoAPath) {
  for (std::string_view id : {"", "../images", "a b", "x\r\nHost:y"}) {
    auto info =
        DockerClient("/tmp/saker-none.sock", ContainerType::docker, milliseconds(100)).look_up(id);
    ASSERT_FALSE(info.ok());
    EXPECT_EQ(info.error().code, Code::not_found);
  }
}

}  // namespace
}  // namespace saker::k8s
