// What switching auditing on changes in kube-apiserver's manifest, and how to take it out again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/apiserver_manifest.h"

namespace saker::audit {

inline constexpr std::string_view kAuditFolder = "/etc/kubernetes/audit";
inline constexpr std::string_view kAuditPolicyPath = "/etc/kubernetes/audit/policy.yaml";
inline constexpr std::string_view kAuditWebhookPath = "/etc/kubernetes/audit/webhook.yaml";
inline constexpr std::string_view kAuditLogPath = "/var/log/kubernetes/audit/audit.log";
inline constexpr std::string_view kPolicyAnnotation = "saker/audit-policy-sha256";

// What is not given stays as it is in the manifest, or becomes the default.
struct InstallWishes {
  std::optional<std::string> log_path;
  std::optional<uint64_t> max_age, max_backups, max_size;  // days, files, MB
  bool webhook = false;
  // The policy in use changes: when nothing else does, this goes into an annotation, so that
  // kubelet starts the server again, which reads its policy only then.
  std::string policy_sum;
};

struct InstallPlan {
  std::string text;                  // the manifest to be
  std::vector<std::string> changes;  // for people, one each: "flag --audit-log-path=…"
  std::vector<std::string> warnings;
  std::string policy_path, policy_host_path;
  std::string log_path, log_host_path;  // host path empty: the server's standard output
  std::string webhook_path, webhook_host_path;
  uint64_t max_size = 0, max_backups = 0;

  [[nodiscard]] bool changes_manifest() const { return !changes.empty(); }
};

Result<InstallPlan> plan_install(const ApiserverManifest& manifest, const InstallWishes& wishes);

struct UninstallPlan {
  std::string text;
  std::vector<std::string> changes;
  std::vector<std::string> kept;  // what was changed since and stays
};

// `before` and `after` are the manifest as install found and left it. When nothing was changed
// since, the result is `before` to the byte.
Result<UninstallPlan> plan_uninstall(const ApiserverManifest& manifest,
                                     const ApiserverManifest& before,
                                     const ApiserverManifest& after);

}  // namespace saker::audit
