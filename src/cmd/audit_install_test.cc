// audit install and uninstall on files of a node that is a folder, with a kubelet and a
// kube-apiserver of the test's own: what is written with which modes, what happens when the server
// comes back and when it does not.
#include "cmd/audit_install.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "cmd/cli.h"
#include "net/http_server.h"

namespace saker::cmd {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kPolicy =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n"
    "rules:\n- level: Metadata\n";

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

unsigned mode_of(const fs::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

class AuditInstall : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "saker-install-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);  // no terminal to ask on
    ::close(nothing);
    write(manifest(),
          text_of(fs::path(SAKER_SOURCE_DIR) / "fuzz/corpus/apiserver_manifest/comments.yaml"));
    write(root_ / "policy.yaml", kPolicy);
  }
  void TearDown() override { fs::remove_all(root_); }

  [[nodiscard]] fs::path manifest() const {
    return root_ / "etc/kubernetes/manifests/kube-apiserver.yaml";
  }
  [[nodiscard]] fs::path policy() const { return root_ / "etc/kubernetes/audit/policy.yaml"; }
  [[nodiscard]] fs::path backups() const { return root_ / "var/lib/saker/audit-install"; }
  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  // The exit code; what was printed is in out_ and err_.
  int run(std::vector<std::string> words) {
    words.insert(words.begin(), {"saker", "audit"});
    words.insert(words.end(), {"--root", root_.string()});
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
  int install(std::vector<std::string> more) {
    more.insert(more.begin(), {"install", "--policy", (root_ / "policy.yaml").string()});
    return run(std::move(more));
  }

  fs::path root_;
  std::string out_, err_;
};

TEST_F(AuditInstall, PrintsWithoutChangingAnything) {
  const std::string before = text_of(manifest());
  EXPECT_EQ(install({"--dry-run"}), kExitOk);
  EXPECT_TRUE(out_.contains("+    - --audit-policy-file=/etc/kubernetes/audit/policy.yaml\n"));
  EXPECT_TRUE(out_.contains("policy.yaml (1 rule)\n")) << out_;
  EXPECT_EQ(install({}), kExitFailed);  // nobody to ask
  EXPECT_TRUE(err_.contains("--yes")) << err_;
  EXPECT_EQ(text_of(manifest()), before);
  EXPECT_FALSE(fs::exists(policy()));
  EXPECT_FALSE(fs::exists(backups()));
}

TEST_F(AuditInstall, WritesForItsOwnerAloneAndTakesAllOutAgain) {
  const std::string before = text_of(manifest());
  ::chmod(manifest().c_str(), 0640);
  ASSERT_EQ(install({"--yes"}), kExitOk) << err_;
  EXPECT_EQ(text_of(policy()), kPolicy);
  EXPECT_EQ(mode_of(policy()), 0600U);
  EXPECT_EQ(mode_of(manifest()), 0640U);
  EXPECT_EQ(mode_of(root_ / "var/log/kubernetes/audit"), 0700U);
  size_t copies = 0;
  for (const auto& entry : fs::recursive_directory_iterator(backups())) {
    EXPECT_EQ(mode_of(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
    copies += entry.path().filename() == "manifest.before" && text_of(entry.path()) == before;
  }
  EXPECT_EQ(copies, 1U);
  const std::string after = text_of(manifest());
  EXPECT_EQ(install({"--yes"}), kExitOk);
  EXPECT_TRUE(out_.contains("nothing to change")) << out_;
  EXPECT_EQ(text_of(manifest()), after);
  ASSERT_EQ(run({"uninstall", "--yes"}), kExitOk) << err_;
  EXPECT_EQ(text_of(manifest()), before);
  EXPECT_EQ(mode_of(manifest()), 0640U);
  EXPECT_FALSE(fs::exists(root_ / "etc/kubernetes/audit"));
  EXPECT_FALSE(fs::exists(root_ / "var/log/kubernetes"));
  EXPECT_TRUE(fs::is_empty(backups()));
  // Kubelet's folder holds the manifest and nothing else.
  EXPECT_EQ(std::distance(fs::directory_iterator(manifest().parent_path()), {}), 1);
  EXPECT_EQ(run({"uninstall", "--yes"}), kExitOk);
  EXPECT_TRUE(out_.contains("nothing to do")) << out_;
}

TEST_F(AuditInstall, LogsStayWhenAllElseGoes) {
  ASSERT_EQ(install({"--yes"}), kExitOk) << err_;
  write(root_ / "var/log/kubernetes/audit/audit.log", "{}\n");
  ASSERT_EQ(run({"uninstall", "--yes"}), kExitOk) << err_;
  EXPECT_TRUE(fs::exists(root_ / "var/log/kubernetes/audit/audit.log"));
}

TEST_F(AuditInstall, APolicyThatTheServerRefusesStopsAll) {
  const std::string before = text_of(manifest());
  write(root_ / "policy.yaml",
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Much\n");
  EXPECT_EQ(install({"--yes"}), kExitFailed);
  EXPECT_TRUE(err_.contains("policy.yaml:4:10: error:")) << err_;
  EXPECT_EQ(text_of(manifest()), before);
  EXPECT_FALSE(fs::exists(policy()));
}

TEST_F(AuditInstall, ANewPolicyTakesThePlaceOfTheOldAndStartsTheServerAnew) {
  const std::string before = text_of(manifest());
  write(policy(), std::string(kPolicy) + "# by hand\n");
  ASSERT_EQ(run({"install", "--yes"}), kExitOk) << err_;  // keeps the one that is there
  EXPECT_TRUE(text_of(policy()).ends_with("# by hand\n"));
  const std::string once = text_of(manifest());
  ASSERT_EQ(install({"--yes"}), kExitOk) << err_;
  EXPECT_EQ(text_of(policy()), kPolicy);
  EXPECT_NE(text_of(manifest()), once);
  EXPECT_TRUE(text_of(manifest()).contains("saker/audit-policy-sha256: ")) << out_;
  ASSERT_EQ(run({"uninstall", "--yes"}), kExitOk) << err_;
  EXPECT_EQ(text_of(manifest()), before);
  EXPECT_TRUE(text_of(policy()).ends_with("# by hand\n"));
}

TEST_F(AuditInstall, WhatOthersHaveChangedInBetweenStays) {
  const auto with_image = [](std::string text) {
    return text.replace(text.find("v1.30.0"), 7, "v1.31.5");
  };
  const std::string before = text_of(manifest());
  ASSERT_EQ(install({"--yes"}), kExitOk) << err_;
  write(manifest(), with_image(text_of(manifest())));
  ASSERT_EQ(install({"--yes", "--max-age", "90"}), kExitOk) << err_;
  write(policy(), "changed\n");
  ASSERT_EQ(run({"uninstall", "--yes"}), kExitOk) << err_;
  EXPECT_EQ(text_of(manifest()), with_image(before));
  EXPECT_EQ(text_of(policy()), "changed\n");
  EXPECT_TRUE(err_.contains("policy.yaml, which was changed since")) << err_;
}

TEST_F(AuditInstall, TheWebhooksKubeconfigIsWrittenAndNotShown) {
  const std::string kubeconfig = (root_ / "hook.yaml").string();
  ASSERT_EQ(run({"install", "--webhook", "--dry-run"}), kExitFailed);
  EXPECT_TRUE(err_.contains("saker audit webhook-config")) << err_;
  write(kubeconfig, "token: very-secret\n");
  ASSERT_EQ(install({"--webhook=" + kubeconfig, "--yes"}), kExitOk) << err_;
  EXPECT_FALSE(out_.contains("very-secret"));
  EXPECT_EQ(text_of(root_ / "etc/kubernetes/audit/webhook.yaml"), "token: very-secret\n");
  EXPECT_EQ(mode_of(root_ / "etc/kubernetes/audit/webhook.yaml"), 0600U);
  EXPECT_TRUE(text_of(manifest())
                  .contains("--audit-webhook-config-file=/etc/kubernetes/audit/webhook.yaml"));
  ASSERT_EQ(run({"uninstall", "--yes"}), kExitOk) << err_;
  EXPECT_FALSE(fs::exists(root_ / "etc/kubernetes/audit"));
}

TEST_F(AuditInstall, DangersAreNamed) {
  fs::copy_file(manifest(), manifest().string() + "~");
  fs::create_directories(policy());
  EXPECT_EQ(install({"--dry-run"}), kExitFailed);
  EXPECT_TRUE(err_.contains("policy.yaml is a folder")) << err_;
  fs::remove(policy());
  EXPECT_EQ(install({"--dry-run"}), kExitOk);
  EXPECT_TRUE(err_.contains("kube-apiserver.yaml~ defines kube-apiserver, too")) << err_;
  EXPECT_EQ(install({"--dry-run", "--max-size", "1000000", "--max-backups", "1000000"}), kExitOk);
  EXPECT_TRUE(err_.contains("MB left")) << err_;
}

TEST_F(AuditInstall, AFailureInTheMiddleLeavesAllAsItWas) {
  const std::string before = text_of(manifest());
  write(root_ / "var/log", "a file where a folder should be");
  EXPECT_NE(install({"--yes"}), kExitOk);
  EXPECT_EQ(text_of(manifest()), before);
  EXPECT_FALSE(fs::exists(root_ / "etc/kubernetes/audit")) << err_;
  EXPECT_EQ(run({"uninstall", "--yes"}), kExitOk);
  EXPECT_TRUE(out_.contains("nothing to do")) << out_;
}

// Runs a server for the manifest, and another one after each change of it, if it likes the change.
class Kubelet {
 public:
  Kubelet(fs::path manifest, bool likes_audit)
      : manifest_(std::move(manifest)), likes_audit_(likes_audit) {
    start("127.0.0.1:0");
    port_ = server_->port();
  }
  ~Kubelet() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    server_->stop();
  }
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] int starts() const { return starts_; }
  void watch() {
    seen_ = text_of(manifest_);
    thread_ = std::jthread([this](const std::stop_token& stop) { follow(stop); });
  }

 private:
  void start(const std::string& address) {
    auto server = net::HttpServer::open({.listen = address});
    ASSERT_TRUE(server.ok()) << server.error().to_text();
    server_ = std::make_unique<net::HttpServer>(std::move(*server));
    server_->route(
        "GET", "/livez", [](const net::HttpRequest&) { return net::HttpResponse{.body = "ok"}; },
        true);
    ASSERT_TRUE(server_->start().ok());
    ++starts_;
  }
  void follow(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(20ms);
      const std::string now = text_of(manifest_);
      if (now == seen_) continue;
      seen_ = now;
      server_->stop();
      std::this_thread::sleep_for(1500ms);  // as long as a restart must take to be seen
      if (likes_audit_ || !now.contains("audit-policy-file"))
        start("127.0.0.1:" + std::to_string(port_));
      if (now.contains("--audit-log-path=")) log("{}\n");
    }
  }

  // As the server does with its first event.
  void log(const std::string& text) const {
    std::ofstream(manifest_.parent_path() / "../../../var/log/kubernetes/audit/audit.log") << text;
  }

  fs::path manifest_;
  bool likes_audit_;
  uint16_t port_ = 0;
  std::string seen_;
  std::atomic<int> starts_ = 0;
  std::unique_ptr<net::HttpServer> server_;
  std::jthread thread_;
};

std::string small_manifest(uint16_t port) {
  return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: kube-apiserver\nspec:\n  containers:\n"
         "  - name: kube-apiserver\n    command:\n    - kube-apiserver\n    livenessProbe:\n"
         "      httpGet: {host: 127.0.0.1, path: /livez, scheme: HTTP, port: " +
         std::to_string(port) + "}\n";
}

TEST_F(AuditInstall, WaitsForTheServerToComeBack) {
  Kubelet kubelet(manifest(), true);
  const std::string before = small_manifest(kubelet.port());
  write(manifest(), before);
  kubelet.watch();
  ASSERT_EQ(install({"--yes", "--wait", "120"}), kExitOk) << err_;
  EXPECT_TRUE(out_.contains("kube-apiserver is back")) << out_;
  EXPECT_TRUE(out_.contains("Events are in ")) << out_ << err_;
  EXPECT_EQ(kubelet.starts(), 2);
  ASSERT_EQ(run({"uninstall", "--yes", "--wait", "120"}), kExitOk) << err_;
  EXPECT_EQ(text_of(manifest()), before);
  EXPECT_EQ(kubelet.starts(), 3);
}

TEST_F(AuditInstall, PutsEverythingBackWhenTheServerStaysAway) {
  Kubelet kubelet(manifest(), false);
  const std::string before = small_manifest(kubelet.port());
  write(manifest(), before);
  kubelet.watch();
  EXPECT_EQ(install({"--yes", "--wait", "5"}), kExitFailed);
  EXPECT_TRUE(err_.contains("everything is as it was before")) << err_;
  EXPECT_EQ(text_of(manifest()), before);
  EXPECT_FALSE(fs::exists(root_ / "etc/kubernetes/audit"));
  EXPECT_EQ(run({"uninstall", "--yes"}), kExitOk);
  EXPECT_TRUE(out_.contains("nothing to do")) << out_;
}

TEST_F(AuditInstall, SaysWhenNobodyStartedTheServerAnew) {
  Kubelet kubelet(manifest(), true);
  write(manifest(), small_manifest(kubelet.port()));
  EXPECT_EQ(install({"--yes", "--wait", "1"}), kExitOk);  // nobody watches the manifest
  EXPECT_TRUE(err_.contains("was not started anew")) << err_;
  EXPECT_TRUE(text_of(manifest()).contains("audit-policy-file"));
  EXPECT_EQ(run({"uninstall", "--yes", "--wait", "0"}), kExitOk) << err_;
  EXPECT_EQ(text_of(manifest()), small_manifest(kubelet.port()));
}

}  // namespace
}  // namespace saker::cmd
