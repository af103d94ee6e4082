#include "k8s/container_json.h"

#include <gtest/gtest.h>

#include <limits>

namespace saker::k8s {
namespace {

// As Falco's container plugin documents it.
constexpr std::string_view kDocker = R"({"container":{"Mounts":[{"Destination":"/home/f","Mode":"",
  "Propagation":"rprivate","RW":true,"Source":"/home/x"},{"Destination":"/b","RW":false}],
  "User":"1000","cni_json":"","cpu_period":100000,"cpu_quota":0,"cpu_shares":1024,
  "cpuset_cpu_count":0,"created_time":1730971086,"env":["A=1","B=2"],
  "full_id":"32a1026ccb88a551e2a38eb8f260b4700aefec7e8c007344057e58a9fa302374","host_ipc":false,
  "host_network":true,"host_pid":false,"id":"32a1026ccb88","image":"fedora:38",
  "imagedigest":"sha256:b9ff6f23cceb5bde20bb1f79b492b98d71ef7a7ae518ca1b15b26661a11e6a94",
  "imageid":"0ca0fed353fb","imagerepo":"fedora","imagetag":"38","ip":"172.17.0.2",
  "is_pod_sandbox":false,"labels":{"maintainer":"A B <a@b>"},"lookup_state":1,"memory_limit":0,
  "metadata_deadline":0,"name":"youthful_babbage","pod_sandbox_id":"","pod_sandbox_labels":null,
  "port_mappings":[],"privileged":true,"swap_limit":0,"type":0}})";

TEST(ContainerJson, ReadsWhatFalcoWrites) {
  auto info = parse_container_json(kDocker);
  ASSERT_TRUE(info.ok()) << info.error().to_text();
  EXPECT_EQ(info->id, "32a1026ccb88");
  EXPECT_EQ(info->full_id, "32a1026ccb88a551e2a38eb8f260b4700aefec7e8c007344057e58a9fa302374");
  EXPECT_EQ(info->type, ContainerType::docker);
  EXPECT_EQ(info->name, "youthful_babbage");
  EXPECT_EQ(info->image, "fedora:38");
  EXPECT_EQ(info->image_id, "0ca0fed353fb");
  EXPECT_EQ(info->image_repository, "fedora");
  EXPECT_EQ(info->image_tag, "38");
  EXPECT_EQ(info->image_digest,
            "sha256:b9ff6f23cceb5bde20bb1f79b492b98d71ef7a7ae518ca1b15b26661a11e6a94");
  EXPECT_EQ(info->labels.at("maintainer"), "A B <a@b>");
  ASSERT_EQ(info->mounts.size(), 2U);
  EXPECT_EQ(info->mounts[0].source, "/home/x");
  EXPECT_EQ(info->mounts[0].destination, "/home/f");
  EXPECT_EQ(info->mounts[0].propagation, "rprivate");
  EXPECT_TRUE(info->mounts[0].read_write);
  EXPECT_FALSE(info->mounts[1].read_write);
  EXPECT_EQ(info->env, (std::vector<std::string>{"A=1", "B=2"}));
  EXPECT_TRUE(info->privileged);
  EXPECT_TRUE(info->host_network);
  EXPECT_FALSE(info->host_pid);
  EXPECT_EQ(info->ip, "172.17.0.2");
  EXPECT_EQ(info->user, "1000");
  EXPECT_EQ(info->created_time, 1730971086'000000000LL);
  EXPECT_TRUE(info->pod_sandbox_labels.empty());
}

ContainerInfo pod_container() {
  ContainerInfo info;
  info.id = "be4b2ee0bd3f";
  info.full_id = "be4b2ee0bd3f226af6253016b74f671b4b8844c147d50293cdec65be295f5b93";
  info.type = ContainerType::crio;
  info.name = "a\"b\\c\n\x01";
  info.image = "r/i:1";
  info.labels = {{"io.kubernetes.pod.name", "p"}, {"k", "\xc3\xa9"}};
  info.mounts = {{.source = "/s", .destination = "/d", .mode = "ro", .propagation = "private"},
                 {.source = "/t", .destination = "/e", .mode = "", .propagation = ""}};
  info.mounts[1].read_write = false;
  info.env = {"X=1", ""};
  info.host_ipc = info.host_pid = info.is_pod_sandbox = true;
  info.cni_json = R"({"a":[1]})";
  info.pod_sandbox_id = "ff";
  info.pod_sandbox_labels = {{"app", "web"}};
  info.created_time = 1700000000'000000000LL;
  info.user = "root";
  return info;
}

TEST(ContainerJson, WritesWhatItReads) {
  const ContainerInfo info = pod_container();
  const std::string json = to_container_json(info);
  auto back = parse_container_json(json);
  ASSERT_TRUE(back.ok()) << back.error().to_text() << "\n" << json;
  EXPECT_EQ(to_container_json(*back), json);
  EXPECT_EQ(back->name, info.name);
  EXPECT_EQ(back->labels, info.labels);
  EXPECT_EQ(back->mounts[0].mode, "ro");
  EXPECT_FALSE(back->mounts[1].read_write);
  EXPECT_EQ(back->env, info.env);
  EXPECT_EQ(back->pod_sandbox_labels, info.pod_sandbox_labels);
  EXPECT_EQ(back->cni_json, info.cni_json);
  EXPECT_EQ(back->created_time, info.created_time);
  EXPECT_TRUE(back->host_ipc && back->host_pid && back->is_pod_sandbox);
  EXPECT_EQ(back->type, ContainerType::crio);
}

TEST(ContainerJson, MakesBytesOfARuntimeText) {
  ContainerInfo info = pod_container();
  info.name = "bad\xff";
  auto back = parse_container_json(to_container_json(info));
  ASSERT_TRUE(back.ok()) << back.error().to_text();
  EXPECT_EQ(back->name, "bad\xef\xbf\xbd");
}

TEST(ContainerJson, NumbersTypes) {
  for (int64_t number : {0, 1, 2, 3, 4, 6, 7, 8, 9, 11}) {
    EXPECT_EQ(static_cast<int64_t>(to_container_type(number)), number);
  }
  for (int64_t number :
       {int64_t{-1}, int64_t{10}, int64_t{12}, int64_t{256}, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(to_container_type(number), ContainerType::unknown);
  }
  ContainerInfo host;
  host.id = "host";
  host.type = ContainerType::host;
  EXPECT_EQ(parse_container_json(to_container_json(host))->type, ContainerType::host);
}

TEST(ContainerJson, RefusesWhatNamesNoContainer) {
  for (std::string_view json : {"", "{}", "[]", R"({"container":null})", R"({"container":[]})",
                                R"({"container":{"name":"x"}})", R"({"container":{"id":7}})"}) {
    EXPECT_FALSE(parse_container_json(json).ok()) << json;
  }
}

TEST(ContainerJson, TakesWrongKindsAsMissing) {
  auto info = parse_container_json(
      R"({"container":{"id":"x","labels":[],"Mounts":{"a":1},"env":"x","type":"docker",)"
      R"("created_time":9223372036854775807,"privileged":"yes","name":null}})");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->type, ContainerType::unknown);
  EXPECT_EQ(info->created_time, 0);
  EXPECT_FALSE(info->privileged);
  EXPECT_TRUE(info->labels.empty() && info->mounts.empty() && info->env.empty());
}

TEST(ContainerJson, ReadsTheOldEvent) {
  const ContainerInfo info = from_container_event("3ad7b26ded6d8e7b", 0, "n", "i:1");
  EXPECT_EQ(info.id, "3ad7b26ded6d");
  EXPECT_EQ(info.type, ContainerType::docker);
  EXPECT_EQ(info.name, "n");
  EXPECT_EQ(info.image, "i:1");
}

struct Reference {
  std::string_view text, repository, tag, digest;
};

TEST(ContainerJson, SplitsImageReferences) {
  for (const Reference& expected :
       {Reference{"nginx", "nginx", "", ""}, Reference{"nginx:1.2", "nginx", "1.2", ""},
        Reference{"docker.io/library/nginx:1@sha256:ab", "docker.io/library/nginx", "1",
                  "sha256:ab"},
        Reference{"r:5000/a/b", "r:5000/a/b", "", ""}, Reference{"r:5000/a:t", "r:5000/a", "t", ""},
        Reference{"a@sha256:ab", "a", "", "sha256:ab"}, Reference{"", "", "", ""}}) {
    ContainerInfo info;
    split_image_reference(expected.text, info);
    EXPECT_EQ(info.image_repository, expected.repository) << expected.text;
    EXPECT_EQ(info.image_tag, expected.tag) << expected.text;
    EXPECT_EQ(info.image_digest, expected.digest) << expected.text;
  }
}

}  // namespace
}  // namespace saker::k8s
