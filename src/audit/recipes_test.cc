// Recipes are complete files, and the webhook's kubeconfig has what kube-apiserver reads.
#include "audit/recipes.h"

#include <gtest/gtest.h>

#include "audit/webhook_config.h"
#include "formats/yaml_edit.h"

namespace saker::audit {
namespace {

formats::YamlNode yaml_of(const std::string& text) {
  auto documents = formats::parse_yaml(text, "recipe.yaml");
  EXPECT_TRUE(documents.ok() && documents->size() == 1) << text;
  return documents.ok() && !documents->empty() ? (*documents)[0] : formats::YamlNode{};
}

std::string text_at(const formats::YamlNode& root, const formats::YamlPath& path) {
  const formats::YamlNode* node = formats::find_node(root, path);
  return node == nullptr ? "nothing" : node->text;
}

std::string recipe(std::string_view platform, const RecipeValues& values = {}) {
  auto text = recipe_for(platform, values);
  EXPECT_TRUE(text.ok()) << platform;
  return text.ok() ? *text : "";
}

TEST(Recipes, EachIsYamlOrAScriptWithEverythingFilledIn) {
  for (const std::string& platform : recipe_platforms()) {
    SCOPED_TRACE(platform);
    const std::string text = recipe(platform, {.policy = "my-policy.yaml"});
    EXPECT_TRUE(text.starts_with("#"));
    EXPECT_TRUE(text.ends_with("\n"));
    EXPECT_TRUE(text.contains("my-policy.yaml") || platform == "kubeadm");
    for (const char* name : {"{POLICY}", "{LOG", "{AGE}", "{BACKUPS}", "{SIZE}", "{ETC"})
      EXPECT_FALSE(text.contains(name)) << name;
    EXPECT_TRUE(text.starts_with("#!") || yaml_of(text).is_map());
  }
  EXPECT_FALSE(recipe_for("nomad", {}).ok());
}

TEST(Recipes, ValuesGoWhereTheyBelong) {
  const RecipeValues values{.policy = "p.yaml",
                            .log_path = "/srv/a/b.log",
                            .max_age = 7,
                            .max_backups = 3,
                            .max_size = 50};
  const formats::YamlNode kind = yaml_of(recipe("KIND", values));
  const formats::YamlPath node = {{.key = "nodes"}, {.index = 0}};
  formats::YamlPath patch = node, mount = node;
  patch.insert(patch.end(), {{.key = "kubeadmConfigPatches"}, {.index = 0}});
  mount.insert(mount.end(), {{.key = "extraMounts"}, {.index = 0}, {.key = "hostPath"}});
  EXPECT_EQ(text_at(kind, mount), "p.yaml");
  const formats::YamlNode cluster = yaml_of(text_at(kind, patch));
  const formats::YamlPath arguments = {{.key = "apiServer"}, {.key = "extraArgs"}};
  formats::YamlPath log = arguments, age = arguments;
  log.push_back({.key = "audit-log-path"});
  age.push_back({.key = "audit-log-maxage"});
  EXPECT_EQ(text_at(cluster, log), "/srv/a/b.log");
  EXPECT_EQ(text_at(cluster, age), "7");
  EXPECT_EQ(
      text_at(cluster,
              {{.key = "apiServer"}, {.key = "extraVolumes"}, {.index = 1}, {.key = "hostPath"}}),
      "/srv/a");
  EXPECT_EQ(text_at(yaml_of(recipe("k3s", values)), {{.key = "kube-apiserver-arg"}, {.index = 3}}),
            "audit-log-maxbackup=3");
  EXPECT_FALSE(recipe_for("eks", values).ok());  // has no log's path
}

TEST(WebhookConfig, HasWhatTheServerReads) {
  const formats::YamlNode config =
      yaml_of(write_webhook_config({.server = "https://10.0.0.4:9443/audit",
                                    .server_name = "audit.example",
                                    .authority = "QUJD",
                                    .client_certificate = "REVG",
                                    .client_key = "R0hJ",
                                    .token = "123456"}));
  const formats::YamlPath cluster = {{.key = "clusters"}, {.index = 0}, {.key = "cluster"}};
  const formats::YamlPath user = {{.key = "users"}, {.index = 0}, {.key = "user"}};
  const auto below = [&](formats::YamlPath path, const char* key) {
    path.push_back({.key = key});
    return text_at(config, path);
  };
  EXPECT_EQ(text_at(config, {{.key = "kind"}}), "Config");
  EXPECT_EQ(below(cluster, "server"), "https://10.0.0.4:9443/audit");
  EXPECT_EQ(below(cluster, "certificate-authority-data"), "QUJD");
  EXPECT_EQ(below(cluster, "tls-server-name"), "audit.example");
  EXPECT_EQ(below(cluster, "insecure-skip-tls-verify"), "nothing");
  EXPECT_EQ(below(user, "client-certificate-data"), "REVG");
  EXPECT_EQ(below(user, "client-key-data"), "R0hJ");
  EXPECT_EQ(below(user, "token"), "123456");
  // A token of digits must stay a text.
  formats::YamlPath token = user;
  token.push_back({.key = "token"});
  EXPECT_TRUE(formats::find_node(config, token)->quoted);
  // The names fit together.
  const std::string context = text_at(config, {{.key = "current-context"}});
  EXPECT_EQ(text_at(config, {{.key = "contexts"}, {.index = 0}, {.key = "name"}}), context);
  const formats::YamlPath inner = {{.key = "contexts"}, {.index = 0}, {.key = "context"}};
  EXPECT_EQ(below(inner, "cluster"),
            text_at(config, {{.key = "clusters"}, {.index = 0}, {.key = "name"}}));
  EXPECT_EQ(below(inner, "user"),
            text_at(config, {{.key = "users"}, {.index = 0}, {.key = "name"}}));
  EXPECT_TRUE(write_webhook_config({.server = "https://x", .insecure = true})
                  .contains("insecure-skip-tls-verify: true"));
}

}  // namespace
}  // namespace saker::audit
