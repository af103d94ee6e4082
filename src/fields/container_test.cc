// Fields of containers and pods, and constants of the configuration.
#include "fields/test_driver.h"

namespace saker::fields {
namespace {

using namespace event;

constexpr std::string_view kId = "3b9aa142fefa44aab83ab1c0909f6929fd53656b895ec2fc0e47d412ea62ba54";

class Containers : public FieldTest {
 protected:
  Containers() {
    process(1, 0, "init");
    fork(1, 20);
    cgroups_ = "cpu=/docker/" + std::string(kId) + std::string(1, '\0');
    exec({.pid = 20, .comm = "nginx", .cgroups = cgroups_}).run();
    at(openat(20, 3, "/a"));
  }

  void describe() {
    k8s::ContainerInfo info;
    info.id = kId.substr(0, 12);
    info.full_id = kId;
    info.type = k8s::ContainerType::docker;
    info.name = "web";
    info.image = "docker.io/nginx:1.25";
    info.image_id = "abcdef";
    info.image_repository = "docker.io/nginx";
    info.image_tag = "1.25";
    info.image_digest = "sha256:00";
    info.labels = {{"app", "shop"},
                   {"io.kubernetes.pod.name", "web-0"},
                   {"io.kubernetes.pod.namespace", "prod"},
                   {"io.kubernetes.pod.uid", "u-1"}};
    info.mounts = {{.source = "/srv", .destination = "/data", .mode = "rw", .propagation = "p"},
                   {.source = "/etc", .destination = "/cfg", .read_write = false}};
    info.privileged = true;
    info.host_network = true;
    info.ip = "172.17.0.2";
    info.cni_json = "{}";
    info.pod_sandbox_id = "0123456789abcdef";
    info.pod_sandbox_labels = {{"tier", "web"}, {"zone", "a"}};
    state.set_container(info);
  }

 private:
  std::string cgroups_;
};

TEST_F(Containers, Host) {
  at(openat(1, 3, "/a"));
  for (std::string_view field :
       {"container.id", "container.full_id", "container.name", "container.type"})
    EXPECT_EQ(text(field), "host") << field;
  EXPECT_EQ(text("container.image"), "");
  EXPECT_EQ(text("container.image.repository"), "");
  EXPECT_EQ(text("container.privileged"), "false");
  EXPECT_EQ(text("k8s.pod.name"), kNone);
  EXPECT_EQ(text("k8s.pod.uid"), kNone);
  EXPECT_EQ(text("container.start_ts"), kNone);
  EXPECT_EQ(text("container.duration"), kNone);
}

TEST_F(Containers, WithoutMetadata) {
  EXPECT_EQ(text("container.id"), "3b9aa142fefa");
  EXPECT_EQ(text("container.name"), kNone);
  EXPECT_EQ(text("container.image.repository"), kNone);
  EXPECT_EQ(text("container.privileged"), kNone);
  EXPECT_EQ(text("container.mounts"), kNone);
  EXPECT_FALSE(holds("container.privileged = false"));
}

TEST_F(Containers, Metadata) {
  describe();
  EXPECT_EQ(text("container.full_id"), kId);
  EXPECT_EQ(text("container.name"), "web");
  EXPECT_EQ(text("container.type"), "docker");
  EXPECT_EQ(text("container.image"), "docker.io/nginx:1.25");
  EXPECT_EQ(text("container.image.id"), "abcdef");
  EXPECT_EQ(text("container.image.repository"), "docker.io/nginx");
  EXPECT_EQ(text("container.image.tag"), "1.25");
  EXPECT_EQ(text("container.image.digest"), "sha256:00");
  EXPECT_EQ(text("container.privileged"), "true");
  EXPECT_EQ(text("container.host_pid"), "false");
  EXPECT_EQ(text("container.host_network"), "true");
  EXPECT_EQ(text("container.host_ipc"), "false");
  EXPECT_EQ(text("container.ip"), "172.17.0.2");
  EXPECT_EQ(text("container.cni.json"), "{}");
  EXPECT_EQ(text("container.label[app]"), "shop");
  EXPECT_EQ(text("container.label.app"), "shop");
  EXPECT_EQ(text("container.label[none]"), kNone);
  EXPECT_EQ(text("container.labels"), "app:shop");
}

TEST_F(Containers, Mounts) {
  describe();
  EXPECT_EQ(text("container.mounts"), "/srv:/data:rw:true:p,/etc:/cfg::false:");
  EXPECT_EQ(text("container.mount[0]"), "/srv:/data:rw:true:p");
  EXPECT_EQ(text("container.mount[2]"), kNone);
  EXPECT_EQ(text("container.mount[/e*]"), "/etc:/cfg::false:");
  EXPECT_EQ(text("container.mount.dest[/etc]"), "/cfg");
  EXPECT_EQ(text("container.mount.dest[/nope]"), kNone);
  EXPECT_EQ(text("container.mount.source[/data]"), "/srv");
  EXPECT_EQ(text("container.mount.mode[0]"), "rw");
  EXPECT_EQ(text("container.mount.rdwr[1]"), "false");
  EXPECT_EQ(text("container.mount.propagation[0]"), "p");
}

TEST_F(Containers, Pods) {
  describe();
  EXPECT_EQ(text("k8s.pod.name"), "web-0");
  EXPECT_EQ(text("k8s.ns.name"), "prod");
  EXPECT_EQ(text("k8s.pod.id"), "u-1");
  EXPECT_EQ(text("k8s.pod.uid"), "u-1");
  EXPECT_EQ(text("k8s.pod.sandbox_id"), "0123456789ab");
  EXPECT_EQ(text("k8s.pod.full_sandbox_id"), "0123456789abcdef");
  EXPECT_EQ(text("k8s.pod.label[tier]"), "web");
  EXPECT_EQ(text("k8s.pod.labels"), "tier:web, zone:a");
  EXPECT_EQ(text("k8s.pod.ip"), "172.17.0.2");
  EXPECT_EQ(text("k8s.pod.cni.json"), "{}");
}

TEST_F(Containers, Constants) {
  set_static_fields({{"cluster", "east"}});
  EXPECT_EQ(text("static.cluster"), "east");
  EXPECT_NE(error("static.other = a"), "");
  set_static_fields({});
}

}  // namespace
}  // namespace saker::fields
