// audit webhook-config: what it takes from options, files of its own and the configuration, and
// what it refuses.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cmd/cli.h"
#include "cmd/command.h"
#include "formats/yaml_edit.h"
#include "net/digest.h"

namespace saker::cmd {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class WebhookConfig : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "saker-hook-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  int run(std::vector<std::string> words) {
    words.insert(words.begin(), {"saker", "audit", "webhook-config"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_command_line(static_cast<int>(arguments.size()), arguments.data());
    std::fflush(stdout);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }
  std::string path(const char* name) { return (folder_ / name).string(); }
  std::string write(const char* name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return path(name);
  }
  // "cluster" or "user"; what is not there is empty.
  static std::string value(const std::string& kubeconfig, const char* what, const char* key) {
    const auto documents = formats::parse_yaml(kubeconfig, "k");
    if (!documents.ok() || documents->empty()) return "no YAML";
    const auto* node = formats::find_node(
        documents->front(),
        {{.key = std::string(what) + "s"}, {.index = 0}, {.key = what}, {.key = key}});
    return node == nullptr ? "" : node->text;
  }

  fs::path folder_;
  std::string out_, err_;
};

TEST_F(WebhookConfig, MakesFilesOnceAndPutsThemIntoIt) {
  const std::string file = path("hook.yaml");
  ASSERT_EQ(run({"--new", path("tls"), "--server", "https://10.1.2.3:9443/audit", "-o", file}),
            kExitOk)
      << err_;
  const std::string text = text_of(file);
  struct stat info{};
  for (const char* name :
       {"hook.yaml", "tls/webhook.crt", "tls/webhook.key", "tls/webhook.token"}) {
    ASSERT_EQ(::stat(path(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 07777, 0600U) << name;
  }
  EXPECT_EQ(value(text, "cluster", "server"), "https://10.1.2.3:9443/audit");
  EXPECT_EQ(value(text, "cluster", "certificate-authority-data"),
            net::base64(text_of(folder_ / "tls/webhook.crt")));
  EXPECT_EQ(value(text, "user", "token") + "\n", text_of(folder_ / "tls/webhook.token"));
  EXPECT_EQ(err_.find("warning"), std::string::npos) << err_;
  EXPECT_TRUE(err_.contains("--audit-webhook 10.1.2.3:9443 --audit-webhook-cert ")) << err_;
  // A second time the same, for whom has lost it; for another host it says that it will not do.
  ASSERT_EQ(run({"--new", path("tls"), "--server", "https://10.1.2.3:9443/audit"}), kExitOk);
  EXPECT_EQ(out_, text);
  ASSERT_EQ(run({"--new", path("tls"), "--server", "https://10.9.9.9:9443"}), kExitOk);
  EXPECT_TRUE(err_.contains("is for 10.1.2.3, not for 10.9.9.9")) << err_;
  fs::remove(folder_ / "tls/webhook.token");
  EXPECT_EQ(run({"--new", path("tls")}), kExitFailed);
}

TEST_F(WebhookConfig, TakesWhatTheConfigurationSaysOfTheReceiver) {
  ASSERT_EQ(run({"--new", path("tls"), "--server", "https://127.0.0.1:7443"}), kExitOk) << err_;
  const std::string config = write(
      "saker.yaml", "audit:\n  webhook:\n    listen: 127.0.0.1:7443\n    certificate_file: " +
                        path("tls/webhook.crt") + "\n    key_file: " + path("tls/webhook.key") +
                        "\n    token_file: " + path("tls/webhook.token") + "\n");
  const std::string made = out_;
  ASSERT_EQ(run({"-c", config}), kExitOk) << err_;
  EXPECT_EQ(out_, made);
  write("saker.yaml", "audit:\n  webhook:\n    listen: 0.0.0.0:7443\n");
  EXPECT_EQ(run({"-c", config}), kExitFailed);
  EXPECT_TRUE(err_.contains("--server https://ADDRESS:7443")) << err_;
  EXPECT_EQ(run({"-c", config, "--server", "http://10.1.2.3:7443"}), kExitOk) << err_;
  EXPECT_EQ(value(out_, "cluster", "server"), "http://10.1.2.3:7443");
  EXPECT_TRUE(err_.contains("unencrypted")) << err_;
  write("saker.yaml", "priority: debug\n");
  EXPECT_EQ(run({"-c", config}), kExitFailed);
  EXPECT_TRUE(err_.contains("has no receiver")) << err_;
}

TEST_F(WebhookConfig, RefusesWhatDoesNotFitTogether) {
  const std::string server = "https://127.0.0.1:9443";
  ASSERT_EQ(run({"--new", path("a"), "--server", server}), kExitOk);
  ASSERT_EQ(run({"--new", path("b"), "--server", server}), kExitOk);
  const std::string certificate = path("a/webhook.crt");
  EXPECT_EQ(run({"--server", server, "--ca", path("a/webhook.key")}), kExitFailed);
  EXPECT_TRUE(err_.contains("holds a private key")) << err_;
  EXPECT_EQ(run({"--server", server, "--ca", path("a/webhook.token")}), kExitFailed);
  EXPECT_EQ(run({"--server", server, "--client-cert", certificate}), kExitFailed);
  EXPECT_EQ(run({"--server", server, "--client-cert", certificate, "--client-key",
                 path("b/webhook.key")}),
            kExitFailed);
  EXPECT_TRUE(err_.contains("not that of the certificate")) << err_;
  EXPECT_EQ(run({"--server", server, "--client-cert", certificate, "--client-key",
                 path("a/webhook.key")}),
            kExitOk);
  EXPECT_EQ(value(out_, "user", "client-key-data"),
            net::base64(text_of(folder_ / "a/webhook.key")));
  EXPECT_EQ(run({"--server", "http://10.0.0.1", "--token-file", path("a/webhook.token")}),
            kExitFailed);
  EXPECT_EQ(run({"--server", server, "--insecure", "--ca", certificate}), kExitFailed);
  EXPECT_EQ(run({"--server", "https://me:secret@10.0.0.1"}), kExitFailed);
  EXPECT_EQ(run({"--server", "ftp://10.0.0.1"}), kExitFailed);
  EXPECT_EQ(run({"--server", server, "--token-file", write("two", "two words\n")}), kExitFailed);
  EXPECT_EQ(run({"--server", "https://audit.kube-system.svc", "--ca", certificate}), kExitOk);
  EXPECT_TRUE(err_.contains("a name inside the cluster")) << err_;
}

}  // namespace
}  // namespace saker::cmd
