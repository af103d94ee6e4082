// CRI-O and podman by fixtures in the shape that those programs document; runtimes that are down.
#include "k8s/runtimes.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>

#include "base/fd.h"
#include "container/fake_runtime.h"
#include "k8s/on_disk.h"
#include "k8s/proto/containerd.pb.h"
#include "k8s/proto/cri.pb.h"

namespace saker::k8s {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::FakeAnswer;
using test::FakeRuntime;
using Kind = FakeAnswer::Kind;

#define ID "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
#define SANDBOX "be4b2ee0bd3f226af6253016b74f671b4b8844c147d50293cdec65be295f5b93"
#define IMAGE_ID "0ca0fed353fb77c247abada85aebc667fd1f5fa0b5f6ab1efb26867ba18f2f0a"
#define DIGEST "sha256:b9ff6f23cceb5bde20bb1f79b492b98d71ef7a7ae518ca1b15b26661a11e6a94"
#define UID "0f90f31c-ebfb-4a0c-bc2e-3a8b2a0f1f6e"

class RuntimesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = "/tmp/saker-runtimes-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    config_.runtime_sockets = {folder_ + "/runtime.sock"};
    config_.docker_socket = folder_ + "/docker.sock";
    config_.podman_socket = folder_ + "/podman.sock";
    config_.bundle_roots = {folder_ + "/bundles"};
    config_.storage_root = folder_ + "/storage";
    config_.docker_root = folder_ + "/docker";
    config_.proc = folder_ + "/proc";
    config_.call_timeout = milliseconds(300);
    config_.first_pause = milliseconds(30);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void put(const std::string& path, std::string_view text) {
    const fs::path whole = folder_ + "/" + path;
    fs::create_directories(whole.parent_path());
    ASSERT_TRUE(replace_file(whole.string(), text).ok());
  }

  std::string folder_;
  RuntimeConfig config_;
};

FakeAnswer missing() {
  return {.kind = Kind::status, .status = 5, .text = "not found"};
}

// CRI-O knows one container of one pod, and speaks nothing but CRI.
FakeAnswer crio(std::string_view method, std::string_view request) {
  if (method == "/runtime.v1.RuntimeService/Version") {
    cri::VersionResponse answer;
    answer.set_runtime_name("cri-o");
    return {.body = answer.SerializeAsString()};
  }
  if (method == "/runtime.v1.RuntimeService/ContainerStatus") {
    cri::ContainerStatusRequest asked;
    asked.ParseFromString(std::string(request));
    // Older ones have no status for what they don't know.
    if (asked.container_id() != ID) {
      return {.kind = Kind::status, .status = 2, .text = "could not find container"};
    }
    cri::ContainerStatusResponse answer;
    cri::ContainerStatus& status = *answer.mutable_status();
    status.set_id(ID);
    status.mutable_metadata()->set_name("app");
    status.set_created_at(1700000000'000000000);
    status.mutable_image()->set_image("quay.io/shop/app:2.1");
    status.set_image_ref("quay.io/shop/app@" DIGEST);
    (*status.mutable_labels())["io.kubernetes.container.name"] = "app";
    cri::Mount& mount = *status.add_mounts();
    mount.set_host_path("/var/lib/kubelet/x");
    mount.set_container_path("/data");
    mount.set_propagation(cri::PROPAGATION_HOST_TO_CONTAINER);
    if (asked.verbose()) {
      (*answer.mutable_info())["info"] = R"({"sandboxID":")" SANDBOX R"(","pid":1234,
        "privileged":true,"runtimeSpec":{"process":{"user":{"uid":1000},"env":["A=1"]},
        "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/var/run/netns/x"},
        {"type":"ipc","path":"/proc/1/ns/ipc"}],"maskedPaths":["/proc/kcore"]}}})";
    }
    return {.body = answer.SerializeAsString()};
  }
  if (method == "/runtime.v1.RuntimeService/PodSandboxStatus") {
    cri::PodSandboxStatusRequest asked;
    asked.ParseFromString(std::string(request));
    if (asked.pod_sandbox_id() != SANDBOX) return missing();
    cri::PodSandboxStatusResponse answer;
    cri::PodSandboxStatus& status = *answer.mutable_status();
    status.set_id(SANDBOX);
    status.mutable_metadata()->set_name("shop-1");
    status.mutable_metadata()->set_namespace_("shop");
    status.mutable_metadata()->set_uid(UID);
    status.mutable_network()->set_ip("10.1.2.3");
    status.mutable_linux_status()->mutable_namespaces()->mutable_options()->set_pid(cri::NODE);
    (*status.mutable_labels())["app"] = "shop";
    (*answer.mutable_info())["info"] =
        R"({"runtimeSpec":{"annotations":
           {"io.kubernetes.cri-o.CNIResult":"{\"cniVersion\":\"1\"}"}}})";
    return {.body = answer.SerializeAsString()};
  }
  if (method == "/runtime.v1.ImageService/ImageStatus") {
    cri::ImageStatusResponse answer;
    answer.mutable_image()->set_id(IMAGE_ID);
    answer.mutable_image()->add_repo_tags("quay.io/shop/app:2.1");
    return {.body = answer.SerializeAsString()};
  }
  return {.kind = Kind::status, .status = 12, .text = "unknown service"};
}

const ContainerRequest kCrioRequest{
    .full_id = ID,
    .type = ContainerType::crio,
    .cgroup_path = "/kubepods.slice/kubepods-pod0f90f31c.slice/crio-" ID ".scope"};

TEST_F(RuntimesTest, TellsOfAContainerOfCrio) {
  FakeRuntime server(config_.runtime_sockets[0],
                     [](auto method, auto request, auto) { return crio(method, request); });
  auto found = Runtimes(config_).look_up(kCrioRequest);
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_TRUE(found->complete);
  const ContainerInfo& info = found->info;
  EXPECT_EQ(info.type, ContainerType::crio);
  EXPECT_EQ(info.id, "3ad7b26ded6d");
  EXPECT_EQ(info.name, "app");
  EXPECT_EQ(info.image, "quay.io/shop/app:2.1");
  EXPECT_EQ(info.image_repository, "quay.io/shop/app");
  EXPECT_EQ(info.image_tag, "2.1");
  EXPECT_EQ(info.image_digest, DIGEST);
  EXPECT_EQ(info.image_id, IMAGE_ID);
  EXPECT_EQ(info.pod_sandbox_id, SANDBOX);
  EXPECT_EQ(info.labels.at("io.kubernetes.pod.name"), "shop-1");
  EXPECT_EQ(info.labels.at("io.kubernetes.pod.namespace"), "shop");
  EXPECT_EQ(info.labels.at("io.kubernetes.pod.uid"), UID);
  EXPECT_EQ(info.pod_sandbox_labels.at("app"), "shop");
  EXPECT_EQ(info.ip, "10.1.2.3");
  EXPECT_EQ(info.cni_json, R"({"cniVersion":"1"})");
  EXPECT_TRUE(info.privileged);
  EXPECT_TRUE(info.host_pid);
  EXPECT_FALSE(info.host_network || info.host_ipc);
  EXPECT_EQ(info.user, "1000");
  EXPECT_EQ(info.env, std::vector<std::string>{"A=1"});
  ASSERT_EQ(info.mounts.size(), 1U);
  EXPECT_EQ(info.mounts[0].propagation, "rslave");
  EXPECT_TRUE(info.mounts[0].read_write);
  EXPECT_EQ(info.created_time, 1700000000'000000000);
}

TEST_F(RuntimesTest, TakesCriosWordForWhatItDoesNotKnow) {
  FakeRuntime server(config_.runtime_sockets[0],
                     [](auto method, auto request, auto) { return crio(method, request); });
  ContainerRequest request = kCrioRequest;
  request.full_id = std::string(64, 'f');
  auto found = Runtimes(config_).look_up(request);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, Code::not_found) << found.error().to_text();
}

TEST_F(RuntimesTest, LeavesARuntimeAloneThatHangs) {
  std::atomic<int> calls = 0;
  std::atomic<bool> hangs = true;
  FakeRuntime server(config_.runtime_sockets[0], [&](auto method, auto request, auto) {
    ++calls;
    return hangs ? FakeAnswer{.kind = Kind::hang} : crio(method, request);
  });
  config_.first_pause = config_.longest_pause = milliseconds(400);
  Runtimes runtimes(config_);
  const auto start = steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    auto found = runtimes.look_up(kCrioRequest);
    ASSERT_FALSE(found.ok());
    EXPECT_NE(found.error().code, Code::not_found);
  }
  EXPECT_LT(steady_clock::now() - start, milliseconds(1500));
  EXPECT_LE(calls, 3);
  hangs = false;
  bool found = false;
  while (!found && steady_clock::now() - start < std::chrono::seconds(10)) {
    found = runtimes.look_up(kCrioRequest).ok();
  }
  EXPECT_TRUE(found);
}

TEST_F(RuntimesTest, KnowsADeadRuntimeFromOneThatNeverWas) {
  Runtimes runtimes(config_);
  auto never = runtimes.look_up(kCrioRequest);
  ASSERT_FALSE(never.ok());
  EXPECT_EQ(never.error().code, Code::not_found);
  {
    FakeRuntime server(config_.runtime_sockets[0],
                       [](auto method, auto request, auto) { return crio(method, request); });
    ASSERT_TRUE(runtimes.look_up(kCrioRequest).ok());
  }
  auto dead = runtimes.look_up(kCrioRequest);
  ASSERT_FALSE(dead.ok());
  EXPECT_EQ(dead.error().code, Code::io) << dead.error().to_text();
}

TEST_F(RuntimesTest, ChecksEachSocket) {
  FakeRuntime server(config_.runtime_sockets[0],
                     [](auto method, auto request, auto) { return crio(method, request); });
  const auto statuses = Runtimes(config_).check();
  ASSERT_EQ(statuses.size(), 3U);
  EXPECT_TRUE(statuses[0].present && statuses[0].answers) << statuses[0].error;
  EXPECT_FALSE(statuses[1].present || statuses[2].present);
}

TEST_F(RuntimesTest, AsksContainerdInTheRightNamespace) {
  std::string asked;
  FakeRuntime server(config_.runtime_sockets[0], [&](auto method, auto, auto name_space) {
    if (method == "/containerd.services.containers.v1.Containers/Get" && name_space == "team.x") {
      containerd::GetContainerResponse answer;
      answer.mutable_container()->set_id("job");
      answer.mutable_container()->set_image("r/i:1");
      return FakeAnswer{.body = answer.SerializeAsString()};
    }
    if (method == "/containerd.services.images.v1.Images/Get") {
      containerd::GetImageResponse answer;
      answer.mutable_image()->mutable_target()->set_digest(DIGEST);
      asked = name_space;
      return FakeAnswer{.body = answer.SerializeAsString()};
    }
    return missing();
  });
  auto found = Runtimes(config_).look_up(
      {.full_id = "job", .type = ContainerType::containerd, .cgroup_path = "/team.x/job"});
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_EQ(found->info.image_digest, DIGEST);
  EXPECT_EQ(found->info.name, "job");
  EXPECT_EQ(asked, "team.x");
}

TEST_F(RuntimesTest, NamesContainersWithoutARuntime) {
  auto found = Runtimes(config_).look_up(
      {.full_id = "a-container-of-lxc", .type = ContainerType::lxc, .cgroup_path = {}});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->info.id, "a-container-of-lxc");
  EXPECT_EQ(found->info.type, ContainerType::lxc);
}

// podman has no daemon: its store tells.
TEST_F(RuntimesTest, ReadsPodmansStore) {
  put("storage/overlay-containers/containers.json",
      R"([{"id":"ff","names":["other"],"image":"x"},{"id":")" ID R"(","names":["web"],
          "image":")" IMAGE_ID
      R"(","layer":"l","metadata":"{\"image-name\":\"docker.io/library/nginx:1.25\",)"
      R"(\"image-id\":\")" IMAGE_ID R"(\",\"name\":\"web\",\"created-at\":1700000000}"}])");
  put("storage/overlay-images/images.json", R"([{"id":")" IMAGE_ID R"(","digest":")" DIGEST
                                            R"(","names":["docker.io/library/nginx:1.25"]}])");
  put("storage/overlay-containers/" ID "/userdata/config.json",
      R"({"process":{"user":{"uid":7},"env":["B=2"],"capabilities":{"bounding":["CAP_SYS_ADMIN"]}},
          "mounts":[{"destination":"/d","source":"/s","type":"bind",
          "options":["rbind","ro","rslave"]}],
          "linux":{"namespaces":[{"type":"pid"},{"type":"ipc"},{"type":"mount"}]}})");
  auto found = Runtimes(config_).look_up({.full_id = ID,
                                          .type = ContainerType::podman,
                                          .cgroup_path = "/machine.slice/libpod-" ID ".scope"});
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_TRUE(found->complete);
  const ContainerInfo& info = found->info;
  EXPECT_EQ(info.type, ContainerType::podman);
  EXPECT_EQ(info.name, "web");
  EXPECT_EQ(info.image_repository, "docker.io/library/nginx");
  EXPECT_EQ(info.image_tag, "1.25");
  EXPECT_EQ(info.image_id, IMAGE_ID);
  EXPECT_EQ(info.image_digest, DIGEST);
  EXPECT_EQ(info.created_time, 1700000000'000000000);
  EXPECT_EQ(info.user, "7");
  EXPECT_EQ(info.env, std::vector<std::string>{"B=2"});
  EXPECT_TRUE(info.privileged && info.host_network);
  EXPECT_FALSE(info.host_pid || info.host_ipc);
  ASSERT_EQ(info.mounts.size(), 1U);
  EXPECT_EQ(info.mounts[0].propagation, "rslave");
  EXPECT_FALSE(info.mounts[0].read_write);
}

TEST_F(RuntimesTest, ReadsABundleOfKubernetes) {
  put("bundles/k8s.io/" ID "/config.json",
      R"({"annotations":{"io.kubernetes.cri.container-type":"container",
          "io.kubernetes.cri.container-name":"app","io.kubernetes.cri.image-name":"quay.io/a/b:3",
          "io.kubernetes.cri.sandbox-id":")" SANDBOX R"(","io.kubernetes.cri.sandbox-name":"p",
          "io.kubernetes.cri.sandbox-namespace":"n","io.kubernetes.cri.sandbox-uid":")" UID
      R"("}})");
  auto found = Runtimes(config_).look_up({.full_id = ID,
                                          .type = ContainerType::containerd,
                                          .cgroup_path = "/x.slice/cri-containerd-" ID ".scope"});
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_EQ(found->info.name, "app");
  EXPECT_EQ(found->info.image_repository, "quay.io/a/b");
  EXPECT_EQ(found->info.pod_sandbox_id, SANDBOX);
  EXPECT_EQ(found->info.labels.at("io.kubernetes.pod.namespace"), "n");
  EXPECT_EQ(found->info.labels.at("io.kubernetes.pod.uid"), UID);
}

// Names in a cgroup's path lead nowhere else on disk.
TEST_F(RuntimesTest, StaysBelowItsRoots) {
  put("secret/config.json", R"({"process":{"env":["S=1"]}})");
  fs::create_directories(folder_ + "/bundles/x");
  for (const char* id : {"..", ".", "../secret", "", "../../secret"}) {
    EXPECT_FALSE(look_up_bundle(folder_ + "/bundles", "..", id).ok()) << id;
    EXPECT_FALSE(look_up_bundle(folder_ + "/bundles", "x", id).ok()) << id;
    EXPECT_FALSE(look_up_bundle(folder_ + "/bundles", "", id).ok()) << id;
    EXPECT_FALSE(look_up_docker_files(folder_, id).ok()) << id;
  }
}

TEST_F(RuntimesTest, SurvivesBrokenFiles) {
  for (std::string_view text : {"", "{", "[]", "null", R"({"process":[],"linux":1,"mounts":"x"})",
                                R"({"annotations":{"io.kubernetes.cri-o.Labels":"{"}})"}) {
    put("bundles/default/web/config.json", text);
    put("storage/overlay-containers/containers.json", text);
    (void)look_up_bundle(folder_ + "/bundles", "default", "web");
    EXPECT_FALSE(look_up_storage(folder_ + "/storage", ID, ContainerType::podman).ok());
  }
}

}  // namespace
}  // namespace saker::k8s
