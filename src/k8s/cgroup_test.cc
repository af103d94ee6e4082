// Paths of cgroups as the runtimes make them, and paths that only look like a container's.
#include <gtest/gtest.h>

#include <string>

#include "k8s/container.h"

namespace saker::k8s {
namespace {

using Type = ContainerType;

#define ID_A "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
#define ID_B "be4b2ee0bd3f226af6253016b74f671b4b8844c147d50293cdec65be295f5b93"
#define UID "0f90f31c-ebfb-4a0c-bc2e-3a8b2a0f1f6e"
#define UID_UNDERSCORES "0f90f31c_ebfb_4a0c_bc2e_3a8b2a0f1f6e"
#define STATIC_UID "5ed4c1fb05ea73ec2f5aebe37cf5cc7c"

struct Container {
  std::string_view path;
  Type type;
  std::string_view id;
  std::string_view pod_uid = {};
};

constexpr Container kContainers[] = {
    // docker
    {"/docker/" ID_A, Type::docker, ID_A},
    {"/" ID_A, Type::docker, ID_A},
    {"/system.slice/docker-" ID_A ".scope", Type::docker, ID_A},
    {"/system.slice/docker.service/docker/" ID_A, Type::docker, ID_A},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID_A ".scope", Type::docker,
     ID_A},
    {"/actions_job/" ID_A, Type::docker, ID_A},
    {"/ecs/0f90f31cebfb4a0c/" ID_A, Type::docker, ID_A},
    {"/../../docker/" ID_A, Type::docker, ID_A},
    {"/../" ID_A, Type::docker, ID_A},
    {"docker/" ID_A, Type::docker, ID_A},
    {"/docker/" ID_A "/", Type::docker, ID_A},
    {"/docker/" ID_A " (deleted)", Type::docker, ID_A},
    // what runs below the container's own cgroup
    {"/docker/" ID_A "/init.scope", Type::docker, ID_A},
    {"/docker/" ID_A "/system.slice/ssh.service", Type::docker, ID_A},
    {"/system.slice/docker-" ID_A ".scope/init.scope", Type::docker, ID_A},
    // nested: the innermost
    {"/docker/" ID_A "/docker/" ID_B, Type::docker, ID_B},
    {"/system.slice/docker-" ID_A ".scope/docker/" ID_B, Type::docker, ID_B},
    {"/docker/" ID_A "/kubelet/kubepods/burstable/pod" UID "/" ID_B, Type::cri, ID_B, UID},
    {"/system.slice/docker-" ID_A
     ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
     "kubelet-kubepods-burstable-pod" UID_UNDERSCORES ".slice/cri-containerd-" ID_B ".scope",
     Type::containerd, ID_B, UID},
    {"/kubepods/besteffort/pod" UID "/" ID_A "/docker/" ID_B, Type::docker, ID_B, UID},
    {"/lxc/build/docker/" ID_A, Type::docker, ID_A},
    {"/lxc.payload.node1/kubepods/pod" UID "/" ID_A, Type::cri, ID_A, UID},
    // CRI: containerd
    {"/kubepods/besteffort/pod" UID "/" ID_A, Type::cri, ID_A, UID},
    {"/kubepods/burstable/pod" UID "/" ID_A, Type::cri, ID_A, UID},
    {"/kubepods/pod" UID "/" ID_A, Type::cri, ID_A, UID},
    {"/kubepods/burstable/pod" STATIC_UID "/" ID_A, Type::cri, ID_A, STATIC_UID},
    {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_UNDERSCORES
     ".slice/cri-containerd-" ID_A ".scope",
     Type::containerd, ID_A, UID},
    {"/kubepods.slice/kubepods-pod" UID_UNDERSCORES ".slice/cri-containerd-" ID_A ".scope",
     Type::containerd, ID_A, UID},
    {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" STATIC_UID
     ".slice/cri-containerd-" ID_A ".scope",
     Type::containerd, ID_A, STATIC_UID},
    {"/kubepods.slice/kubepods-pod" UID_UNDERSCORES ".slice/cri-containerd-" ID_A
     ".scope/system.slice/nginx.service",
     Type::containerd, ID_A, UID},
    {"/system.slice/containerd.service/kubepods-burstable-pod" UID_UNDERSCORES
     ".slice:cri-containerd:" ID_A,
     Type::containerd, ID_A, UID},
    {"/kubepods-besteffort-pod" UID_UNDERSCORES ".slice:cri-containerd:" ID_A, Type::containerd,
     ID_A, UID},
    {"/../../kubepods-podx.slice:cri-containerd:" ID_A, Type::containerd, ID_A},
    {"/k8s.io/" ID_A, Type::containerd, ID_A},
    {"/kubelet/kubepods/besteffort/pod" UID "/" ID_A, Type::cri, ID_A, UID},
    // CRI: docker by cri-dockerd
    {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_UNDERSCORES
     ".slice/docker-" ID_A ".scope",
     Type::docker, ID_A, UID},
    // CRI-O
    {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_UNDERSCORES
     ".slice/crio-" ID_A ".scope",
     Type::crio, ID_A, UID},
    {"/kubepods/burstable/pod" UID "/crio-" ID_A, Type::crio, ID_A, UID},
    {"/kubepods.slice/kubepods-pod" UID_UNDERSCORES ".slice/crio-" ID_A ".scope/container",
     Type::crio, ID_A, UID},
    {"/crio-" ID_A ".scope", Type::crio, ID_A},
    {"/machine.slice/crio-" ID_A, Type::crio, ID_A},
    // podman
    {"/machine.slice/libpod-" ID_A ".scope", Type::podman, ID_A},
    {"/machine.slice/libpod-" ID_A ".scope/container", Type::podman, ID_A},
    {"/machine.slice/libpod-" ID_A ".scope/container/init.scope", Type::podman, ID_A},
    {"/libpod_parent/libpod-" ID_A, Type::podman, ID_A},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID_A ".scope/container",
     Type::podman, ID_A},
    {"/machine.slice/machine-libpod_pod_" ID_B ".slice/libpod-" ID_A ".scope", Type::podman, ID_A},
    {"/libpod_parent/" ID_B "/libpod-" ID_A, Type::podman, ID_A},
    {"/system.slice/web.service/libpod-payload-" ID_A, Type::podman, ID_A},
    // nerdctl
    {"/system.slice/nerdctl-" ID_A ".scope", Type::containerd, ID_A},
    {"/default/" ID_A, Type::containerd, ID_A},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/nerdctl-" ID_A ".scope",
     Type::containerd, ID_A},
    // containerd by its own tool
    {"/default/web", Type::containerd, "web"},
    {"/default/web-1.test_2", Type::containerd, "web-1.test_2"},
    {"/my-team.prod/job1", Type::containerd, "job1"},
    {"/default/web/sub/cgroup", Type::containerd, "web"},
    {"/default/0123456789012345678901234567890123456789012345678901234567890123", Type::containerd,
     "0123456789012345678901234567890123456789012345678901234567890123"},
    // lxc
    {"/lxc/web", Type::lxc, "web"},
    {"/lxc/web/init.scope", Type::lxc, "web"},
    {"/lxc.payload/web", Type::lxc, "web"},
    {"/lxc.payload.web-with-a-long-name", Type::lxc, "web-with-a-long-name"},
    {"/lxc.payload.web/system.slice/cron.service", Type::lxc, "web"},
    {"/lxc/101/ns", Type::lxc, "101"},
    // libvirt-lxc
    {"/machine/web.libvirt-lxc", Type::libvirt_lxc, "web"},
    {"/machine.slice/machine-lxc\\x2d2293906\\x2dlibvirt\\x2dcontainer.scope", Type::libvirt_lxc,
     "2293906\\x2dlibvirt\\x2dcontainer"},
    {"/machine.slice/machine-lxc\\x2d2293906\\x2dlibvirt\\x2dcontainer.scope/libvirt",
     Type::libvirt_lxc, "2293906\\x2dlibvirt\\x2dcontainer"},
    {"/libvirt/lxc/web", Type::libvirt_lxc, "web"},
    {"/system.slice/libvirtd.service/libvirt/lxc/web", Type::libvirt_lxc, "web"},
    // bpm, mesos
    {"/bpm-galera-agent", Type::bpm, "galera-agent"},
    {"/system.slice/runc-bpm-galera-agent.scope", Type::bpm, "galera-agent"},
    {"/mesos/7d1d9c5c-9d9e-4c2b-8f0c-2f3c0a8b7c11", Type::mesos,
     "7d1d9c5c-9d9e-4c2b-8f0c-2f3c0a8b7c11"},
};

// Near misses.
constexpr std::string_view kNoContainers[] = {
    "",
    "/",
    "//",
    "/init.scope",
    "/system.slice",
    "/system.slice/ssh.service",
    "/system.slice/containerd.service",
    "/system.slice/dev-hugepages.mount",
    "/system.slice/docker.socket",
    "/system.slice/system-getty.slice/getty@tty1.service",
    "/user.slice/user-0.slice/session-100000.scope",
    "/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/"
    "vte-spawn-1.scope",
    "/machine.slice",
    "/machine.slice/machine-debian.scope",
    "/machine.slice/systemd-nspawn@debian.service/payload",
    "/kubepods",
    "/kubepods/besteffort",
    "/kubepods/besteffort/pod" UID,
    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_UNDERSCORES ".slice",
    "/docker",
    "/docker/web",
    "/docker/buildkit/x1",
    "/lxc",
    "/lxc.monitor/web",
    "/lxc.monitor.web",
    "/lxc.payload.",
    "/libpod_parent",
    "/web",
    "/default",
    "/default/",
    "/default/web.service",
    "/team/web/sub",
    "/-team/web",
    "/team_/web",
    "/te am/web",
    // an id that is too short, too long, in capitals, or not hexadecimal
    "/system.slice/docker-3ad7b26ded6d.scope",
    "/system.slice/docker-" ID_A "0.scope",
    "/docker/" ID_A "0",
    "/docker/3AD7B26DED6D8E7B23DA7D48FE889434573036C27AE5A74837233DE441C3601E",
    "/docker/3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601g",
    "/default/01234567890123456789012345678901234567890123456789012345678901234",
    // what stands beside a container
    "/machine.slice/libpod-conmon-" ID_A ".scope",
    "/system.slice/crio-conmon-" ID_A ".scope",
    "/machine.slice/machine-libpod_pod_" ID_A ".slice",
    "/system.slice/docker-" ID_A ".mount",
    "/system.slice/docker-" ID_A,
    "/system.slice/xdocker-" ID_A ".scope",
    "/kubepods.slice/kubepods-pod" UID_UNDERSCORES ".slice/cri-containerd-" ID_A ".slice",
    "/a.slice:containerd:" ID_A,
    ":cri-containerd:3ad7",
    "/machine.slice/machine-lxc\\x2d.scope",
    "/machine/.libvirt-lxc",
    "/system.slice/bpm-.scope",
    "/system.slice/xbpm-galera.scope",
    "/mesos/7d1d9c5c-9d9e-4c2b-8f0c-2f3c0a8b7c1g/x.service",
};

TEST(Cgroup, FindsTheContainer) {
  static_assert(std::size(kContainers) >= 60);
  for (const Container& expected : kContainers) {
    auto match = match_cgroup(expected.path);
    ASSERT_TRUE(match.has_value()) << expected.path;
    EXPECT_EQ(to_string(match->type), to_string(expected.type)) << expected.path;
    EXPECT_EQ(match->full_id, expected.id) << expected.path;
    EXPECT_EQ(match->pod_uid, expected.pod_uid) << expected.path;
    EXPECT_GE(match->full_id.data(), expected.path.data());
    EXPECT_LE(match->full_id.data() + match->full_id.size(),
              expected.path.data() + expected.path.size());
  }
}

TEST(Cgroup, FindsNoneInNearMisses) {
  for (std::string_view path : kNoContainers) {
    auto match = match_cgroup(path);
    EXPECT_FALSE(match.has_value())
        << path << " -> " << to_string(match->type) << " " << match->full_id;
  }
}

TEST(Cgroup, ShortIdKeepsNames) {
  EXPECT_EQ(short_id(Type::docker, ID_A), "3ad7b26ded6d");
  EXPECT_EQ(short_id(Type::containerd, "web"), "web");
  EXPECT_EQ(short_id(Type::lxc, "web-with-a-long-name"), "web-with-a-long-name");
}

TEST(Cgroup, SurvivesLongPaths) {
  std::string path;
  for (int i = 0; i < 100'000; ++i) path += "/pod";
  EXPECT_FALSE(match_cgroup(path).has_value());
  path += "/" ID_A;
  EXPECT_EQ(match_cgroup(path)->full_id, ID_A);
}

}  // namespace
}  // namespace saker::k8s
