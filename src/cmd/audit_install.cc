#include "cmd/audit_install.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "audit/apiserver_manifest.h"
#include "formats/line_diff.h"
#include "store/schema.h"

namespace saker::cmd {

namespace {

// The folder of the log belongs to whom the server runs as, and is for nobody else.
Status make_edit_folders(const HostEdit& edit) {
  for (const std::string& folder : edit.folders) {
    const bool log = folder == edit.log_folder;
    SAKER_CHECK(make_folders(folder, log ? 0700 : 0755));
    if (!log || !edit.user) continue;
    const gid_t group = edit.group.value_or(::getegid());
    if (::chown(folder.c_str(), *edit.user, group) != 0)
      return errno_error("cannot give " + folder + " its owner", errno);
  }
  return {};
}

// What holds something by now stays: logs are not ours to remove.
void remove_edit_folders(const HostEdit& edit) {
  for (auto folder = edit.folders.rbegin(); folder != edit.folders.rend(); ++folder)
    ::rmdir(folder->c_str());
}

Status write_files(const HostEdit& edit) {
  if (!edit.removes_folders) SAKER_CHECK(make_edit_folders(edit));
  for (const HostEdit::File& file : edit.files)
    SAKER_CHECK(file.after ? write_host_file(file.path, *file.after, edit.user, edit.group)
                           : remove_file(file.path));
  if (edit.removes_folders) remove_edit_folders(edit);
  return {};
}

Status write_manifest(const HostEdit& edit) {
  if (edit.manifest_before == edit.manifest_after) return {};
  return write_host_file(edit.manifest, edit.manifest_after);
}

Status write_all_files(const HostEdit& edit) {
  if (edit.files_first) SAKER_CHECK(write_files(edit));
  SAKER_CHECK(write_manifest(edit));
  return {};
}

// As it was before; errors are told, since there is nobody else to undo it.
void put_back(const HostEdit& edit) {
  const HostEdit back = edit.reversed();
  const auto tell = [](const Status& status) {
    if (!status.ok())
      std::fprintf(stderr, "saker: cannot put back: %s\n", status.error().to_text().c_str());
  };
  if (back.files_first) tell(write_files(back));
  tell(write_manifest(back));
  if (!back.files_first) tell(write_files(back));
}

Error came_not_back(const HostEdit& edit, HealthWatch& watch) {
  std::fprintf(stderr, "saker: kube-apiserver does not answer: putting everything back\n");
  put_back(edit);
  const bool up = watch.wait_until_up();
  return Error{.message = std::string("kube-apiserver did not come back with the new manifest; "
                                      "everything is as it was before, and ") +
                          (up ? "it answers again" : "it does not answer yet"),
               .hint =
                   "see why: crictl ps -a, crictl logs ID, /var/log/pods/kube-system_kube-"
                   "apiserver-*, journalctl -u kubelet"};
}

// Waits for the server where one answered before.
EditOutcome watch_server(const HostEdit& edit, HealthWatch& watch) {
  if (!watch.running()) {
    std::printf("No kube-apiserver answers at %s: nothing to watch.\n", watch.url().c_str());
    return {};
  }
  std::printf("Waiting for kube-apiserver to start anew (%s) …\n", watch.url().c_str());
  std::fflush(stdout);
  switch (watch.wait()) {
    case HealthWatch::Outcome::not_running: return {};
    case HealthWatch::Outcome::restarted:
      std::printf("kube-apiserver is back.\n");
      return {.restarted = true};
    case HealthWatch::Outcome::down:
      return {.status = came_not_back(edit, watch), .applied = false};
    case HealthWatch::Outcome::not_seen: break;
  }
  const std::string what = edit.manifest + " is changed, but kube-apiserver was not started anew";
  if (watch.has_kubelet())
    return {Error{.message = what,
                  .hint = "is this the file that kubelet reads (staticPodPath)? journalctl -u "
                          "kubelet"}};
  std::fprintf(stderr, "saker: warning: %s, and no kubelet is seen here: start it yourself\n",
               what.c_str());
  return {};
}

}  // namespace

HostEdit HostEdit::reversed() const {
  HostEdit back = *this;
  std::swap(back.manifest_before, back.manifest_after);
  for (File& file : back.files) std::swap(file.before, file.after);
  back.files_first = !files_first;
  back.removes_folders = !removes_folders;
  return back;
}

std::string describe(const HostEdit& edit) {
  std::string out = formats::unified_diff(edit.manifest_before, edit.manifest_after, edit.manifest,
                                          edit.manifest);
  for (const HostEdit::File& file : edit.files) {
    if (file.before && file.after && !file.secret) {
      out += formats::unified_diff(*file.before, *file.after, file.path, file.path);
      continue;
    }
    const std::string_view verb = !file.after ? "Removes " : file.before ? "Replaces " : "Writes ";
    out += std::string(verb) + file.path + ": " + file.what + "\n";
  }
  return out;
}

void HostOptions::settle() {
  if (!root.empty()) root = std::filesystem::absolute(root).lexically_normal();
  while (root.ends_with('/')) root.pop_back();
}

std::string HostOptions::manifest_path() const {
  return manifest.empty() ? root + std::string(kApiserverManifest) : manifest;
}

std::string HostOptions::backup_path() const {
  const std::string folder =
      backup.empty() ? root + store::default_data_dir() + "/audit-install" : backup;
  return backup_folder(folder, manifest_path());
}

void add_host_options(HostOptions& options, std::vector<Option>& out) {
  out.push_back({.names = "--manifest",
                 .value_name = "PATH",
                 .help = "kube-apiserver's static-pod manifest "
                         "(/etc/kubernetes/manifests/kube-apiserver.yaml)",
                 .text = &options.manifest});
  out.push_back({.names = "--root",
                 .value_name = "DIR",
                 .help = "Where the node's file system is (/), as /host in a container",
                 .text = &options.root});
  out.push_back({.names = "--backup",
                 .value_name = "DIR",
                 .help = "Where copies from before are kept (/var/lib/saker/audit-install)",
                 .text = &options.backup});
  out.push_back({.names = "--wait",
                 .value_name = "SECONDS",
                 .help = "How long kube-apiserver may take to come back (240); 0: don't watch",
                 .number = &options.wait});
  out.push_back({.names = "--dry-run",
                 .help = "Print what would change, and change nothing",
                 .flag = &options.dry_run});
  out.push_back({.names = "-y,--yes", .help = "Don't ask", .flag = &options.yes});
}

Result<bool> confirmed(const HostOptions& options, std::string_view question) {
  if (options.yes) return true;
  std::fflush(stdout);
  if (::isatty(STDIN_FILENO) == 0)
    return Error{.message = "nothing was changed: there is no terminal to ask on",
                 .hint = "--yes does it, --dry-run only shows it"};
  if (ask(question)) return true;
  std::printf("Nothing was changed.\n");
  return false;
}

EditOutcome carry_out(const HostEdit& edit, HealthWatch& watch) {
  if (Status written = write_all_files(edit); !written.ok()) {
    put_back(edit);
    return {.status = std::move(written), .applied = false};
  }
  EditOutcome outcome;
  if (edit.manifest_before != edit.manifest_after) outcome = watch_server(edit, watch);
  if (outcome.status.ok() && !edit.files_first) outcome.status = write_files(edit);
  return outcome;
}

}  // namespace saker::cmd
