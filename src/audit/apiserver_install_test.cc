// Auditing switched on in manifests of many layouts (fuzz/corpus/apiserver_manifest): what was
// there stays to the byte, a second time changes nothing, and taking it out gives the file from
// before, also when others have changed it in between.
#include "audit/apiserver_install.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/strings.h"

namespace saker::audit {
namespace {

namespace fs = std::filesystem;

const fs::path kLayouts = fs::path(SAKER_SOURCE_DIR) / "fuzz/corpus/apiserver_manifest";

std::string text_of(const std::string& layout) {
  std::ifstream file(kLayouts / (layout + ".yaml"), std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << layout;
  return text.str();
}

ApiserverManifest manifest_of(const std::string& text) {
  auto manifest = read_apiserver_manifest(text, "k.yaml");
  EXPECT_TRUE(manifest.ok()) << (manifest.ok() ? "" : manifest.error().to_text());
  return manifest.ok() ? std::move(*manifest) : ApiserverManifest{};
}

InstallPlan installed(const std::string& text, const InstallWishes& wishes = {}) {
  auto plan = plan_install(manifest_of(text), wishes);
  EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().to_text());
  return plan.ok() ? std::move(*plan) : InstallPlan{};
}

std::string refusal(const std::string& text, const InstallWishes& wishes = {}) {
  auto manifest = read_apiserver_manifest(text, "k.yaml");
  if (!manifest.ok()) return manifest.error().to_text();
  auto plan = plan_install(*manifest, wishes);
  return plan.ok() ? "no error" : plan.error().to_text();
}

UninstallPlan uninstalled(const std::string& now, const std::string& before,
                          const std::string& after) {
  auto plan = plan_uninstall(manifest_of(now), manifest_of(before), manifest_of(after));
  EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().to_text());
  return plan.ok() ? std::move(*plan) : UninstallPlan{};
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

// Lines of `before` that are not, in their order, in `after`.
std::vector<std::string> lost_lines(const std::string& before, const std::string& after) {
  std::vector<std::string> lost;
  const auto lines = split(after, '\n');
  size_t next = 0;
  for (const std::string_view line : split(before, '\n')) {
    const auto found =
        std::find(lines.begin() + static_cast<std::ptrdiff_t>(next), lines.end(), line);
    if (found == lines.end())
      lost.emplace_back(trim(line));
    else
      next = static_cast<size_t>(found - lines.begin()) + 1;
  }
  return lost;
}

struct Layout {
  const char* name;
  std::vector<std::string> changed = {};  // lines that can't stay as they are
};

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"kubeadm-1.18"},
      {"kubeadm-1.24"},
      {"kubeadm-1.29"},
      {"kubeadm-1.34"},
      {"windows-lines"},
      {"no-last-newline"},
      {"byte-order-mark"},
      {"quoted-flags"},
      {"folded-flags"},
      {"flags-in-args"},
      {"comments"},
      {"indented-lists"},
      {"wide-dashes"},
      {"side-car"},
      {"audited-already"},
      {"no-volumes"},
      {"empty-lists", {"volumes: []", "args: []"}},
      {"log-as-file",
       {"- mountPath: /var/log/kubernetes/audit/audit.log",
        "path: /var/log/kubernetes/audit/audit.log", "type: FileOrCreate"}},
      {"read-only-log", {"readOnly: true   # wrong"}},
      {"values-apart", {"- {mountPath: /var/log/audit/kube, name: kube-logs, readOnly: true}"}},
      {"flow",
       {"'--secure-port=6443'   # no comma here",
        "volumeMounts: [{mountPath: /etc/kubernetes/pki, name: certs, readOnly: true}]"}},
      {"json", {"\"--etcd-servers=https://127.0.0.1:2379\"", "}", "}"}},
  };
  return all;
}

// The server finds its policy read-only on the host, and can write and rotate its log there.
void expect_working(const std::string& text) {
  const ApiserverManifest manifest = manifest_of(text);
  for (const std::string_view name : {"audit-policy-file", "audit-log-path", "audit-log-maxage",
                                      "audit-log-maxbackup", "audit-log-maxsize"})
    ASSERT_NE(manifest.find_flag(name), nullptr) << name;
  const auto policy = manifest.resolve(manifest.find_flag("audit-policy-file")->value);
  ASSERT_TRUE(policy && policy->volume != nullptr);
  EXPECT_TRUE(policy->mount->read_only);
  EXPECT_TRUE(policy->host_path.starts_with('/'));
  const std::string log = manifest.find_flag("audit-log-path")->value;
  const auto place = manifest.resolve(log);
  ASSERT_TRUE(place && place->volume != nullptr);
  EXPECT_FALSE(place->mount->read_only);
  EXPECT_NE(place->mount->path, log);
  EXPECT_TRUE(place->host_path.starts_with('/'));
}

TEST(ApiserverInstall, EveryLayoutIsTested) {
  std::set<std::string> files, tested;
  for (const auto& entry : fs::directory_iterator(kLayouts))
    if (entry.path().extension() == ".yaml") files.insert(entry.path().stem());
  for (const Layout& layout : layouts()) tested.insert(layout.name);
  EXPECT_EQ(files, tested);
}

TEST(ApiserverInstall, AuditingWorksAndWhatWasThereStays) {
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    const std::string before = text_of(layout.name);
    const InstallPlan plan = installed(before);
    EXPECT_TRUE(plan.changes_manifest());
    EXPECT_EQ(lost_lines(before, plan.text), layout.changed);
    expect_working(plan.text);
  }
}

TEST(ApiserverInstall, ASecondTimeChangesNothing) {
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    const std::string once = installed(text_of(layout.name)).text;
    const InstallPlan twice = installed(once);
    EXPECT_FALSE(twice.changes_manifest());
    EXPECT_EQ(twice.text, once);
  }
}

TEST(ApiserverInstall, UninstallGivesTheFileFromBefore) {
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    const std::string before = text_of(layout.name);
    const std::string after = installed(before).text;
    EXPECT_EQ(uninstalled(after, before, after).text, before);
  }
}

TEST(ApiserverInstall, UninstallKeepsWhatOthersHaveChangedSince) {
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    const std::string before = text_of(layout.name);
    const std::string after = installed(before).text;
    const UninstallPlan plan = uninstalled(replaced(after, ":v1.", ":v1.9"), before, after);
    EXPECT_TRUE(plan.kept.empty());
    EXPECT_EQ(plan.text, replaced(before, ":v1.", ":v1.9"));
  }
}

TEST(ApiserverInstall, WebhookAndOtherValuesAsAsked) {
  const InstallWishes wishes{.log_path = "/var/log/apiserver/a.log",
                             .max_age = 7,
                             .max_backups = 2,
                             .max_size = 500,
                             .webhook = true};
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    const std::string before = text_of(layout.name);
    const std::string after = installed(before, wishes).text;
    const ApiserverManifest manifest = manifest_of(after);
    EXPECT_EQ(manifest.find_flag("audit-log-path")->value, "/var/log/apiserver/a.log");
    EXPECT_EQ(manifest.find_flag("audit-log-maxage")->value, "7");
    EXPECT_EQ(manifest.find_flag("audit-log-maxbackup")->value, "2");
    EXPECT_EQ(manifest.find_flag("audit-log-maxsize")->value, "500");
    ASSERT_NE(manifest.find_flag("audit-webhook-config-file"), nullptr);
    expect_working(after);
    EXPECT_FALSE(installed(after, wishes).changes_manifest());
    EXPECT_EQ(uninstalled(after, before, after).text, before);
  }
}

TEST(ApiserverInstall, ANewPolicyStartsTheServerAnew) {
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    const std::string once = installed(text_of(layout.name)).text;
    const InstallPlan plan = installed(once, {.policy_sum = "abc123"});
    EXPECT_TRUE(plan.text.contains("abc123"));
    EXPECT_FALSE(installed(plan.text, {.policy_sum = "abc123"}).changes_manifest());
    EXPECT_TRUE(installed(plan.text, {.policy_sum = "def456"}).changes_manifest());
    EXPECT_EQ(uninstalled(plan.text, once, plan.text).text, once);
  }
}

// What can't be done safely is refused, with its place.
TEST(ApiserverInstall, RefusesWhatItCanNotDoSafely) {
  const std::string good = text_of("flags-in-args");
  const auto has = [](const std::string& error, std::string_view wanted) {
    EXPECT_TRUE(error.contains(wanted)) << error;
  };
  has(refusal(""), "the file is empty");
  has(refusal("a: [1\n"), "k.yaml:2:1: did not find expected");
  has(refusal("kind: ConfigMap\n"), "k.yaml:1:1: not a Pod");
  has(refusal(good + "---\nkind: Pod\n"), "a second document");
  has(refusal(good + "kind: Pod\n"), "k.yaml:25:1: the key kind is here twice");
  has(refusal(replaced(good, "  hostNetwork: true", "  <<: {}")), "a merge key");
  has(refusal(replaced(good, "kube-apiserver\n    image", "etcd\n    image")), "no error");
  has(refusal(replaced(replaced(good, "name: kube-apiserver\n    image", "name: etcd\n    image"),
                       "bin/kube-apiserver", "bin/etcd")),
      "k.yaml:9:3: no container here runs kube-apiserver");
  has(refusal(replaced(good, "- /usr/local/bin/kube-apiserver",
                       "- sh\n    - -c\n    - kube-apiserver --secure-port=6443")),
      "a line for a shell");
  has(refusal(replaced(good, "    - --secure-port=443", "    - --")), "-- ends the flags");
  has(refusal(replaced(good, "    args:", "    args: &flags")), "an anchor");
  has(refusal(replaced(good, "--secure-port=443", "--audit-policy-file=policy.yaml")),
      "k.yaml:15:7: --audit-policy-file=policy.yaml is no absolute path");
  has(refusal(replaced(good, "--secure-port=443", "--audit-policy-file=/etc/policy.yaml")),
      "/etc can't be mounted");
  has(refusal(replaced(good, "https://127.0.0.1:2379",
                       "https://127.0.0.1:2379\n    - --audit-log-path")),
      "k.yaml:17:7: --audit-log-path has no value");
  has(refusal(good, {.log_path = "/etc/audit.log"}), "/etc can't be mounted");
  has(refusal(good, {.log_path = "/etc/kubernetes/audit/audit.log"}), "mounted read-only");
  has(refusal(good, {.log_path = "/etc/kubernetes/pki/logs/audit.log"}), "mounted read-only");
  has(refusal(good, {.log_path = "/var/log/../lib/audit.log"}), "no plain absolute path");
  const std::string alone = text_of("log-as-file");
  has(refusal(replaced(alone, "      readOnly: false\n",
                       "    - {mountPath: /var/log/kubernetes/audit/b.log, name: audit-log}\n")),
      "mounted as a single file");
  has(refusal(replaced(alone, "name: audit-log\n      readOnly", "name: missing\n      readOnly")),
      "names a volume that is not there");
}

TEST(ApiserverInstall, WhatWasChangedSinceStaysAndIsNamed) {
  const std::string before = text_of("kubeadm-1.29");
  const std::string after = installed(before).text;
  std::string now = replaced(after, "--audit-log-maxage=30", "--audit-log-maxage=90");
  now = replaced(now, "path: /var/log/kubernetes/audit", "path: /srv/audit");
  const UninstallPlan plan = uninstalled(now, before, after);
  ASSERT_EQ(plan.kept.size(), 2U);
  EXPECT_TRUE(plan.kept[0].contains("--audit-log-maxage=90")) << plan.kept[0];
  EXPECT_TRUE(plan.kept[1].contains("audit-log")) << plan.kept[1];
  const ApiserverManifest left = manifest_of(plan.text);
  EXPECT_EQ(left.find_flag("audit-policy-file"), nullptr);
  EXPECT_EQ(left.find_volume("audit-policy"), nullptr);
  EXPECT_NE(left.find_volume("audit-log"), nullptr);
}

TEST(ApiserverManifest, PathsAreFoundThroughTheDeepestMount) {
  const ApiserverManifest manifest = manifest_of(text_of("values-apart"));
  const auto place = manifest.resolve("/var/log/audit/kube/audit.log");
  ASSERT_TRUE(place && place->volume != nullptr);
  EXPECT_EQ(place->volume->name, "kube-logs");
  EXPECT_EQ(place->host_path, "/var/log/audit/kube/audit.log");
  EXPECT_EQ(manifest.resolve("/var/log/auditor/x"), std::nullopt);
  EXPECT_EQ(manifest_of(text_of("read-only-log")).resolve("/var/log/kubernetes/audit/a")->host_path,
            "/var/log/all/kube/a");
}

TEST(ApiserverManifest, TheProbeSaysWhereTheServerAnswers) {
  EXPECT_EQ(manifest_of(text_of("kubeadm-1.34")).health_url, "https://192.168.56.10:6443/livez");
  EXPECT_EQ(manifest_of(text_of("flags-in-args")).health_url, "https://127.0.0.1:443/livez");
  EXPECT_EQ(manifest_of(text_of("no-volumes")).health_url, "https://127.0.0.1:6443/livez");
}

}  // namespace
}  // namespace saker::audit
