// saker audit uninstall: takes out of the manifest what audit install has put in.
#include <cstdio>
#include <memory>

#include "audit/apiserver_install.h"
#include "base/fd.h"
#include "cmd/audit_install.h"
#include "cmd/listing.h"

namespace saker::cmd {

namespace {

struct Uninstall {
  audit::ApiserverManifest manifest;
  audit::UninstallPlan plan;
  HostEdit edit;
};

bool has_audit_flags(const audit::ApiserverManifest& manifest) {
  return manifest.find_flag("audit-policy-file") != nullptr ||
         manifest.find_flag("audit-log-path") != nullptr ||
         manifest.find_flag("audit-webhook-config-file") != nullptr;
}

Status plan_files(const InstallRecord& record, Uninstall& uninstall) {
  for (const InstallRecord::File& file : record.files) {
    std::optional<std::string> now = SAKER_TRY(read_if_there(file.path));
    if (now == file.before) continue;
    if (now != file.after) {
      uninstall.plan.kept.push_back(file.path + ", which was changed since");
      continue;
    }
    uninstall.edit.files.push_back({.path = file.path,
                                    .before = std::move(now),
                                    .after = file.before,
                                    .what = file.before ? "as it was before" : "install wrote it",
                                    .secret = true});
  }
  return {};
}

Result<Uninstall> plan(const HostOptions& host, const InstallRecord& record) {
  Uninstall uninstall;
  const std::string path = host.manifest_path();
  const std::string text = SAKER_TRY(read_file(path, kLargestManifest));
  uninstall.manifest = SAKER_TRY(audit::read_apiserver_manifest(text, path));
  const std::string backup = host.backup_path();
  const auto before = SAKER_TRY(
      audit::read_apiserver_manifest(record.manifest_before, backup + "/manifest.before"));
  const auto after =
      SAKER_TRY(audit::read_apiserver_manifest(record.manifest_after, backup + "/manifest.after"));
  uninstall.plan = SAKER_TRY(audit::plan_uninstall(uninstall.manifest, before, after));
  HostEdit& edit = uninstall.edit;
  edit.manifest = path;
  edit.manifest_before = text;
  edit.manifest_after = uninstall.plan.text;
  edit.user = uninstall.manifest.user;
  edit.group = uninstall.manifest.group;
  edit.folders = record.folders;
  edit.removes_folders = true;
  edit.files_first = false;
  SAKER_CHECK(plan_files(record, uninstall));
  return uninstall;
}

Result<int> nothing_known(const HostOptions& host) {
  const std::string path = host.manifest_path();
  const std::string text = SAKER_TRY(read_file(path, kLargestManifest));
  const auto manifest = SAKER_TRY(audit::read_apiserver_manifest(text, path));
  if (has_audit_flags(manifest))
    return Error{.message = path + " has audit flags, but nothing is known of an installation (" +
                            host.backup_path() + ")",
                 .hint = "--backup names another folder; flags set by hand are taken out by hand"};
  std::printf("%s has no auditing that saker installed: nothing to do.\n", path.c_str());
  return kExitOk;
}

Result<int> carry_out_uninstall(const HostOptions& host, const Uninstall& uninstall) {
  HealthWatch watch(
      {.url = uninstall.manifest.health_url, .timeout = std::chrono::seconds(host.wait)});
  SAKER_CHECK(carry_out(uninstall.edit, watch).status);
  SAKER_CHECK(remove_record(host.backup_path()));
  std::printf("Auditing is taken out of %s.\n", uninstall.edit.manifest.c_str());
  return kExitOk;
}

Result<int> run(HostOptions host) {
  host.settle();
  const std::optional<InstallRecord> record = SAKER_TRY(load_record(host.backup_path()));
  if (!record) return nothing_known(host);
  const Uninstall uninstall = SAKER_TRY(plan(host, *record));
  for (const std::string& change : uninstall.plan.changes) std::printf("  %s\n", change.c_str());
  print("\n" + describe(uninstall.edit) + "\n");
  std::fflush(stdout);
  for (const std::string& kept : uninstall.plan.kept)
    std::fprintf(stderr, "saker: warning: stays: %s\n", kept.c_str());
  if (host.dry_run) {
    std::printf("Nothing was changed (--dry-run).\n");
    return kExitOk;
  }
  if (!SAKER_TRY(confirmed(host, "Change this?"))) return kExitFailed;
  return carry_out_uninstall(host, uninstall);
}

Invocation prepare() {
  auto host = std::make_shared<HostOptions>();
  std::vector<Option> options;
  add_host_options(*host, options);
  return {.options = std::move(options), .run = [host] { return run(*host); }};
}

}  // namespace

extern const Command audit_uninstall_descriptor;
const Command audit_uninstall_descriptor = {
    .path = "audit uninstall",
    .summary = "Take out of kube-apiserver's manifest what audit install put in",
    .description =
        "When nothing else was changed since, the manifest is afterwards what it was before, to "
        "the byte; else only what\n"
        "install put in goes. The policy that it wrote goes, too; logs stay.\n"
        "  saker audit uninstall --dry-run",
    .prepare = prepare,
};

}  // namespace saker::cmd
