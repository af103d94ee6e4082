// Against a real containerd, which tests/container/harness starts on folders of its own: containers
// made with ctr and pods made by CRI are found from the cgroups of their processes, with the
// runtime up, down and back again. Skipped, with the reason, where the harness can't run.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <thread>

#include "base/fd.h"
#include "base/strings.h"
#include "container/pod.h"
#include "k8s/containerd_client.h"
#include "k8s/cri_client.h"
#include "k8s/resolver.h"
#include "k8s/runtimes.h"

namespace saker::k8s {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

struct Ran {
  int status = -1;
  std::string output;
};

Ran run(const std::string& command) {
  Ran ran;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return ran;
  std::array<char, 4096> buffer;
  while (const size_t count = ::fread(buffer.data(), 1, buffer.size(), pipe)) {
    ran.output.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ran.output = std::string(trim(ran.output));
  return ran;
}

class Containerd : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string folder = "/tmp/saker-containerd-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    const Ran started = harness("start");
    if (started.status != 0) {
      skip_reason_ = started.status == 77 ? started.output : "";
      failure_ = started.output;
      harness("stop");
      return;
    }
    auto text = read_file(folder_ + "/env", 65536);
    std::istringstream lines(text.ok() ? *text : "");
    for (std::string line; std::getline(lines, line);) {
      const size_t equal = line.find('=');
      env_[line.substr(0, equal)] = line.substr(equal + 1);
    }
  }

  static void TearDownTestSuite() { harness("stop"); }

  void SetUp() override {
    if (!skip_reason_.empty()) GTEST_SKIP() << "skipped: " << skip_reason_;
    ASSERT_EQ(failure_, "");
  }

  static Ran harness(const std::string& verb, const std::string& arguments = "") {
    return run(std::string(SAKER_SOURCE_DIR "/tests/container/harness ") + verb + " " + folder_ +
               " " + arguments);
  }
  static Ran ctr(const std::string& arguments) { return harness("ctr", arguments); }

  static RuntimeConfig config() {
    RuntimeConfig config;
    config.runtime_sockets = {env_["SOCKET"]};
    config.docker_socket = config.podman_socket = folder_ + "/none.sock";
    config.bundle_roots = {folder_ + "/run/io.containerd.runtime.v2.task"};
    config.storage_root = config.docker_root = folder_ + "/none";
    return config;
  }

  // What the event thread knows of a container: the cgroup of one of its processes.
  static ContainerRequest request_for(int64_t pid) {
    auto text = read_file("/proc/" + std::to_string(pid) + "/cgroup", 65536);
    std::istringstream lines(text.ok() ? *text : "");
    for (std::string line; std::getline(lines, line);) {
      const std::string path = line.substr(line.find(':', line.find(':') + 1) + 1);
      if (auto match = match_cgroup(path)) {
        return {.full_id = std::string(match->full_id),
                .type = match->type,
                .cgroup_path = path,
                .pid = pid};
      }
    }
    return {};
  }

  static int64_t pid_of(const std::string& name_space, const std::string& id) {
    std::istringstream lines(ctr("-n " + name_space + " task ls").output);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name;
      int64_t pid = 0;
      if (words >> name >> pid && name == id) return pid;
    }
    return 0;
  }

  // runc keeps one list of the containers of all containerds: tests that run at once need own
  // names.
  static std::string own(const std::string& name) { return name + "-" + std::to_string(getpid()); }

  static ContainerRequest run_with_ctr(const std::string& id, const std::string& options,
                                       const std::string& command = "") {
    const Ran ran = ctr("run -d --snapshotter " + env_["SNAPSHOTTER"] + " " + options + " " +
                        env_["IMAGE"] + " " + id + " " + command);
    EXPECT_EQ(ran.status, 0) << ran.output;
    return request_for(pid_of("default", id));
  }

  static test::Pod run_pod(test::PodSpec spec) {
    spec.image = env_["IMAGE"];
    auto pod = test::run_pod(env_["SOCKET"], spec);
    EXPECT_TRUE(pod.ok()) << (pod.ok() ? "" : pod.error().to_text());
    return pod.ok() ? *pod : test::Pod{};
  }

  static std::string hex_of(const std::string& digest) { return digest.substr(7); }

  static inline std::string folder_, skip_reason_, failure_;
  static inline std::map<std::string, std::string> env_;
};

TEST_F(Containerd, TellsOfAContainerOfCtr) {
  const ContainerRequest request =
      run_with_ctr(own("web-of-the-blue-team"),
                   "--label team=blue --env COLOR=blue "
                   "--mount type=bind,src=/usr,dst=/host-usr,options=rbind:ro:rslave");
  ASSERT_EQ(request.full_id, own("web-of-the-blue-team"));
  EXPECT_EQ(request.type, ContainerType::containerd);
  auto found = Runtimes(config()).look_up(request);
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_TRUE(found->complete);
  const ContainerInfo& info = found->info;
  EXPECT_EQ(info.id, "web-of-the-b");
  EXPECT_EQ(info.full_id, own("web-of-the-blue-team"));
  EXPECT_EQ(info.type, ContainerType::containerd);
  EXPECT_EQ(info.name, "web-of-the-b");
  EXPECT_EQ(info.image, "saker.test/tiny:1.0");
  EXPECT_EQ(info.image_repository, "saker.test/tiny");
  EXPECT_EQ(info.image_tag, "1.0");
  EXPECT_EQ(info.image_digest, env_["DIGEST"]);
  EXPECT_EQ(info.labels.at("team"), "blue");
  EXPECT_NE(std::ranges::find(info.env, "COLOR=blue"), info.env.end());
  EXPECT_NE(std::ranges::find(info.env, "FROM_IMAGE=yes"), info.env.end());
  const auto mount = std::ranges::find(info.mounts, "/host-usr", &Mount::destination);
  ASSERT_NE(mount, info.mounts.end());
  EXPECT_EQ(mount->source, "/usr");
  EXPECT_FALSE(mount->read_write);
  EXPECT_EQ(mount->propagation, "rslave");
  EXPECT_FALSE(info.privileged || info.host_pid || info.host_network || info.host_ipc);
  EXPECT_FALSE(info.is_pod_sandbox);
  EXPECT_GT(info.created_time, 1'700'000'000'000'000'000);
  EXPECT_EQ(info.user, "0");
}

TEST_F(Containerd, TellsThatAContainerOfCtrIsPrivileged) {
  const ContainerRequest request = run_with_ctr(own("priv"), "--privileged --net-host");
  auto found = Runtimes(config()).look_up(request);
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_TRUE(found->info.privileged);
  EXPECT_TRUE(found->info.host_network);
  EXPECT_FALSE(found->info.host_pid);
}

TEST_F(Containerd, FindsAContainerInANamespaceOfItsOwn) {
  ASSERT_EQ(ctr("-n team.x image import --snapshotter " + env_["SNAPSHOTTER"] + " " + folder_ +
                "/image.tar")
                .status,
            0);
  const std::string job = own("job");
  ASSERT_EQ(
      ctr("-n team.x run -d --snapshotter " + env_["SNAPSHOTTER"] + " " + env_["IMAGE"] + " " + job)
          .status,
      0);
  const ContainerRequest request = request_for(pid_of("team.x", job));
  EXPECT_EQ(request.cgroup_path, "/team.x/" + job);
  auto found = Runtimes(config()).look_up(request);
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_EQ(found->info.image_digest, env_["DIGEST"]);
  // Its own namespace is left to this test to clean.
  ctr("-n team.x task rm -f " + job);
  ctr("-n team.x container rm " + job);
}

TEST_F(Containerd, TellsOfAPodsContainer) {
  const test::Pod pod = run_pod({.name = "web-1",
                                 .name_space = "shop",
                                 .labels = {{"app", "web"}},
                                 .container = "app",
                                 .env = {{"TIER", "front"}},
                                 .mount_source = "/usr",
                                 .mount_destination = "/data"});
  const ContainerRequest request = request_for(pid_of("k8s.io", pod.container_id));
  ASSERT_EQ(request.full_id, pod.container_id);
  auto found = Runtimes(config()).look_up(request);
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_TRUE(found->complete);
  const ContainerInfo& info = found->info;
  EXPECT_EQ(info.id, pod.container_id.substr(0, 12));
  EXPECT_EQ(info.full_id, pod.container_id);
  EXPECT_EQ(info.type, ContainerType::containerd);
  EXPECT_EQ(info.name, "app");
  EXPECT_EQ(info.image, "saker.test/tiny:1.0");
  EXPECT_EQ(info.image_repository, "saker.test/tiny");
  EXPECT_EQ(info.image_tag, "1.0");
  EXPECT_EQ(info.image_digest, env_["DIGEST"]);
  EXPECT_EQ(info.image_id, hex_of(env_["CONFIG_DIGEST"]));
  EXPECT_EQ(info.labels.at("io.kubernetes.pod.name"), "web-1");
  EXPECT_EQ(info.labels.at("io.kubernetes.pod.namespace"), "shop");
  EXPECT_EQ(info.labels.at("io.kubernetes.pod.uid"), "0f90f31c-ebfb-4a0c-bc2e-3a8b2a0f1f6e");
  EXPECT_EQ(info.pod_sandbox_id, pod.sandbox_id);
  EXPECT_EQ(info.pod_sandbox_labels.at("app"), "web");
  const auto mount = std::ranges::find(info.mounts, "/data", &Mount::destination);
  ASSERT_NE(mount, info.mounts.end());
  EXPECT_EQ(mount->source, "/usr");
  EXPECT_FALSE(mount->read_write);
  EXPECT_NE(std::ranges::find(info.env, "TIER=front"), info.env.end());
  EXPECT_TRUE(info.host_network);
  EXPECT_FALSE(info.privileged || info.host_pid || info.is_pod_sandbox);

  auto sandbox = Runtimes(config()).look_up(request_for(pid_of("k8s.io", pod.sandbox_id)));
  ASSERT_TRUE(sandbox.ok()) << sandbox.error().to_text();
  EXPECT_TRUE(sandbox->info.is_pod_sandbox);
  EXPECT_EQ(sandbox->info.full_id, pod.sandbox_id);
  EXPECT_EQ(sandbox->info.name, "web-1");
  EXPECT_EQ(sandbox->info.labels.at("io.kubernetes.pod.namespace"), "shop");
  EXPECT_EQ(sandbox->info.image_repository, "saker.test/tiny");
}

TEST_F(Containerd, TellsThatAPodsContainerIsPrivilegedInItsCgroup) {
  const test::Pod pod = run_pod({.name = "agent",
                                 .name_space = "kube-system",
                                 .uid = "5ed4c1fb05ea73ec2f5aebe37cf5cc7c",
                                 .cgroup_parent = "/kubepods/besteffort/pod5ed4c1fb05ea73ec2f5a"
                                                  "ebe37cf5cc7c",
                                 .container = "agent",
                                 .privileged = true,
                                 .host_pid = true});
  const ContainerRequest request = request_for(pid_of("k8s.io", pod.container_id));
  EXPECT_EQ(request.type, ContainerType::cri);
  const auto match = match_cgroup(request.cgroup_path);
  ASSERT_TRUE(match) << request.cgroup_path;
  EXPECT_EQ(match->pod_uid, "5ed4c1fb05ea73ec2f5aebe37cf5cc7c");
  auto found = Runtimes(config()).look_up(request);
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_TRUE(found->info.privileged);
  EXPECT_TRUE(found->info.host_pid);
  EXPECT_EQ(found->info.labels.at("io.kubernetes.pod.name"), "agent");
}

TEST_F(Containerd, DeniesWhatItDoesNotKnow) {
  Runtimes runtimes(config());
  for (const ContainerType type : {ContainerType::cri, ContainerType::containerd}) {
    auto found = runtimes.look_up({.full_id = std::string(64, 'a'), .type = type});
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, Code::not_found) << found.error().to_text();
  }
}

TEST_F(Containerd, ListsAndNamesItself) {
  const test::Pod pod = run_pod({.name = "listed"});
  GrpcClient grpc(env_["SOCKET"]);
  CriClient cri(&grpc, seconds(2));
  EXPECT_EQ(cri.runtime_name().value(), "containerd");
  auto ids = cri.list();
  ASSERT_TRUE(ids.ok());
  EXPECT_NE(std::ranges::find(*ids, pod.container_id), ids->end());
  EXPECT_NE(std::ranges::find(*ids, pod.sandbox_id), ids->end());
  ContainerdClient containerd(&grpc, seconds(2));
  auto names = containerd.namespaces();
  ASSERT_TRUE(names.ok());
  EXPECT_NE(std::ranges::find(*names, "k8s.io"), names->end());
  auto others = containerd.list("k8s.io");
  ASSERT_TRUE(others.ok());
  EXPECT_NE(std::ranges::find(*others, pod.container_id), others->end());
  EXPECT_EQ(grpc.connections(), 1U);
  EXPECT_TRUE(test::remove_pod(env_["SOCKET"], pod.sandbox_id).ok());
}

// The runtime dies: what its bundles tell comes at once, the rest when it is back.
TEST_F(Containerd, SurvivesTheDeathOfTheRuntime) {
  const test::Pod pod = run_pod({.name = "survivor", .container = "app"});
  const ContainerRequest pod_request = request_for(pid_of("k8s.io", pod.container_id));
  const ContainerRequest ctr_request = run_with_ctr(own("survivor"), "");
  RuntimeConfig blind = config();
  blind.bundle_roots.clear();
  blind.proc = folder_ + "/none";
  MetadataResolver resolver(config()), without_disk(blind);
  GrpcClient grpc(env_["SOCKET"]);
  ASSERT_TRUE(CriClient(&grpc, seconds(2)).runtime_name().ok());
  // Both have to have seen the socket to wait for it.
  ASSERT_TRUE(without_disk.request(ctr_request));
  ASSERT_EQ(without_disk.wait_for(ctr_request.full_id, steady_clock::now() + seconds(5)),
            Outcome::resolved);

  ASSERT_EQ(harness("kill").status, 0);
  std::vector<ContainerInfo> found;
  ASSERT_TRUE(resolver.request(pod_request));
  ASSERT_TRUE(without_disk.request(pod_request));
  ASSERT_EQ(resolver.wait_for(pod.container_id, steady_clock::now() + seconds(5)),
            Outcome::resolved);
  ASSERT_EQ(resolver.poll(found), 1U);
  EXPECT_EQ(found[0].name, "app");
  EXPECT_EQ(found[0].image, "saker.test/tiny:1.0");
  EXPECT_EQ(found[0].labels.at("io.kubernetes.pod.name"), "survivor");
  EXPECT_EQ(found[0].labels.at("io.kubernetes.pod.namespace"), "shop");
  EXPECT_EQ(found[0].pod_sandbox_id, pod.sandbox_id);
  EXPECT_EQ(found[0].image_digest, "");
  EXPECT_EQ(without_disk.wait_for(pod.container_id, steady_clock::now() + milliseconds(300)),
            Outcome::pending);
  EXPECT_FALSE(CriClient(&grpc, seconds(2)).runtime_name().ok());

  ASSERT_EQ(harness("restart").status, 0);
  EXPECT_EQ(without_disk.wait_for(pod.container_id, steady_clock::now() + seconds(15)),
            Outcome::resolved);
  found.clear();
  for (int i = 0; i < 300 && resolver.poll(found) == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].image_digest, env_["DIGEST"]);
  EXPECT_EQ(found[0].name, "app");
  EXPECT_EQ(resolver.stats().partial, 1U);
  EXPECT_EQ(resolver.stats().resolved, 1U);
  EXPECT_GT(without_disk.stats().failures, 0U);
  EXPECT_TRUE(CriClient(&grpc, seconds(2)).runtime_name().ok());
  EXPECT_EQ(grpc.connections(), 2U);
}

// A runtime whose folders nobody told us of: a process of the container leads to its bundle.
TEST_F(Containerd, FindsTheBundleByAProcess) {
  const ContainerRequest request =
      run_with_ctr(own("lonely"), "--privileged", "/bin/sh -c 'sleep 99'");
  RuntimeConfig blind = config();
  blind.bundle_roots.clear();
  blind.runtime_sockets = {folder_ + "/none.sock"};
  auto found = Runtimes(blind).look_up(request);
  ASSERT_TRUE(found.ok()) << found.error().to_text();
  EXPECT_EQ(found->info.full_id, own("lonely"));
  EXPECT_TRUE(found->info.privileged);
  EXPECT_NE(std::ranges::find(found->info.env, "FROM_IMAGE=yes"), found->info.env.end());
}

}  // namespace
}  // namespace saker::k8s
