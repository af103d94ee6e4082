// saker audit install: switches auditing on in kube-apiserver's static-pod manifest.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "audit/apiserver_install.h"
#include "audit/policy_lint.h"
#include "audit/policy_new.h"
#include "audit/recipes.h"
#include "base/fd.h"
#include "base/strings.h"
#include "cmd/audit_install.h"
#include "cmd/audit_policy.h"
#include "net/digest.h"

namespace saker::cmd {

namespace {

struct Arguments {
  HostOptions host;
  std::string policy, log_path, webhook, max_age, max_backups, max_size, platform;
};

// What is to be where, and why.
struct Install {
  audit::ApiserverManifest manifest;
  audit::InstallPlan plan;
  audit::PolicyFile policy;
  std::string policy_origin;  // for people
  std::optional<InstallRecord> record;
  HostEdit edit;
};

Result<std::optional<uint64_t>> number_of(std::string_view name, const std::string& text) {
  if (text.empty()) return std::optional<uint64_t>();
  const auto number = parse_uint(text);
  if (!number) return Error{.message = std::string(name) + " wants a number, not " + text};
  return number;
}

Result<audit::InstallWishes> wishes_of(const Arguments& arguments) {
  audit::InstallWishes wishes;
  if (!arguments.log_path.empty()) wishes.log_path = arguments.log_path;
  wishes.max_age = SAKER_TRY(number_of("--max-age", arguments.max_age));
  wishes.max_backups = SAKER_TRY(number_of("--max-backups", arguments.max_backups));
  wishes.max_size = SAKER_TRY(number_of("--max-size", arguments.max_size));
  wishes.webhook = !arguments.webhook.empty();
  return wishes;
}

Result<audit::ApiserverManifest> read_manifest(const HostOptions& host) {
  const std::string path = host.manifest_path();
  Result<std::string> text = read_file(path, kLargestManifest);
  if (text.ok()) return audit::read_apiserver_manifest(*text, path);
  Error error = std::move(text).error();
  if (error.code == Code::not_found)
    error.hint =
        "no kubeadm control plane here? name its manifest with --manifest, or see "
        "saker audit install --for kind|minikube|k3s|rke2|eks|gke|aks";
  return error;
}

// A file's text where the server will read it. A folder is there when a mount had the runtime
// make one in the file's place: the server would not start.
Result<std::optional<std::string>> installed_file(const std::string& path, std::string_view what) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
    return Error{.message = path + " is a folder, but should be " + std::string(what),
                 .hint = "remove the folder; a mount of a missing file makes one"};
  return read_if_there(path);
}

// Prints what is wrong with it; an error when the server would not start.
Status check_policy(const audit::PolicyFile& policy) {
  for (const audit::PolicyProblem& problem : audit::lint_policy(policy))
    if (problem.severity != audit::PolicyProblem::Severity::note)
      std::fputs(to_text(policy, problem).c_str(), stderr);
  if (policy.verdict() != audit::Verdict::reject) return {};
  return Error{.message = policy.name + ": kube-apiserver would not start with this policy",
               .hint = "nothing was changed"};
}

// The policy that is asked for, or that is there, or a recommended one.
Status choose_policy(const Arguments& arguments, const std::optional<std::string>& installed,
                     Install& install) {
  const std::string place = arguments.host.root + install.plan.policy_host_path;
  if (!arguments.policy.empty()) {
    install.policy = SAKER_TRY(read_policy(arguments.policy));
    install.policy_origin = install.policy.name;
  } else if (installed) {
    install.policy = audit::load_policy(*installed, place);
    install.policy_origin = "the policy that is there";
  } else {
    const audit::PolicyDraft draft = SAKER_TRY(audit::draft_policy({.preset = "recommended"}));
    install.policy = audit::load_policy(
        audit::write_policy(draft, "saker audit policy new --preset recommended"),
        "the recommended policy");
    install.policy_origin = "the recommended policy";
  }
  return check_policy(install.policy);
}

Status add_file(Install& install, const std::string& path, std::string text, std::string what,
                bool secret) {
  std::optional<std::string> before = SAKER_TRY(installed_file(path, what));
  if (before && *before == text) return {};
  install.edit.files.push_back({.path = path,
                                .before = std::move(before),
                                .after = std::move(text),
                                .what = std::move(what),
                                .secret = secret});
  return {};
}

Status add_webhook(const Arguments& arguments, Install& install) {
  const std::string place = arguments.host.root + install.plan.webhook_host_path;
  if (arguments.webhook == "true") {
    if (SAKER_TRY(installed_file(place, "the webhook's kubeconfig"))) return {};
    return Error{.message = "there is no kubeconfig at " + place + ", and none was given",
                 .hint = "make one with saker audit webhook-config, then --webhook=FILE"};
  }
  std::string text = SAKER_TRY(read_file(arguments.webhook, kLargestManifest));
  return add_file(install, place, std::move(text), "the webhook's kubeconfig", true);
}

void add_folders(const std::string& root, Install& install) {
  HostEdit& edit = install.edit;
  const auto add = [&](const std::string& folder) {
    for (std::string& missing : missing_folders(folder))
      if (std::find(edit.folders.begin(), edit.folders.end(), missing) == edit.folders.end())
        edit.folders.push_back(std::move(missing));
  };
  for (const HostEdit::File& file : edit.files) add(audit::folder_of(file.path));
  if (install.plan.log_host_path.empty()) return;
  edit.log_folder = root + audit::folder_of(install.plan.log_host_path);
  add(edit.log_folder);
}

Result<Install> plan(const Arguments& arguments) {
  Install install;
  const HostOptions& host = arguments.host;
  install.manifest = SAKER_TRY(read_manifest(host));
  install.record = SAKER_TRY(load_record(host.backup_path()));
  audit::InstallWishes wishes = SAKER_TRY(wishes_of(arguments));
  install.plan = SAKER_TRY(audit::plan_install(install.manifest, wishes));
  const std::string place = host.root + install.plan.policy_host_path;
  const auto installed = SAKER_TRY(installed_file(place, "the policy"));
  SAKER_CHECK(choose_policy(arguments, installed, install));
  if (installed && *installed != install.policy.text) {
    wishes.policy_sum = net::sha256_hex(install.policy.text);
    install.plan = SAKER_TRY(audit::plan_install(install.manifest, wishes));
  }
  const size_t rules = install.policy.policy.rules.size();
  const std::string what =
      install.policy_origin + " (" + std::to_string(rules) + (rules == 1 ? " rule)" : " rules)");
  SAKER_CHECK(add_file(install, place, install.policy.text, what, false));
  if (!arguments.webhook.empty()) SAKER_CHECK(add_webhook(arguments, install));
  HostEdit& edit = install.edit;
  edit.manifest = host.manifest_path();
  edit.manifest_before = install.manifest.text;
  edit.manifest_after = install.plan.text;
  edit.user = install.manifest.user;
  edit.group = install.manifest.group;
  add_folders(host.root, install);
  return install;
}

// Things on this node that would keep the log from working, or that it would do harm to.
std::vector<std::string> warnings_of(const Arguments& arguments, const Install& install) {
  std::vector<std::string> warnings = install.plan.warnings;
  for (const std::string& stray : stray_manifests(install.edit.manifest))
    warnings.push_back(stray + " defines kube-apiserver, too: kubelet reads every file of the " +
                       "folder; move it elsewhere");
  const audit::InstallPlan& plan = install.plan;
  if (plan.log_host_path.empty()) return warnings;
  const std::string log = arguments.host.root + plan.log_host_path;
  struct stat info{};
  if (::stat(log.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
    warnings.push_back(log + " is a folder: remove it, or the server will not start");
  const uint64_t most = plan.max_size * (plan.max_backups + 1);  // MB
  const auto space = free_space(audit::folder_of(log));
  if (plan.max_backups == 0 || plan.max_size == 0)
    warnings.push_back("logs are kept without a bound: --max-size and --max-backups set one");
  else if (space && *space / 1'000'000 < most)
    warnings.push_back("the logs may take " + std::to_string(most) + " MB, and " +
                       audit::folder_of(log) + " has " + std::to_string(*space / 1'000'000) +
                       " MB left: --max-backups N keeps fewer");
  return warnings;
}

// What uninstall will need. An earlier installation's changes stay part of it: what was before is
// the manifest without them, whatever others have changed since.
Result<InstallRecord> record_of(const Install& install) {
  const HostEdit& edit = install.edit;
  InstallRecord record{.manifest_before = edit.manifest_before,
                       .manifest_after = edit.manifest_after,
                       .folders = edit.folders};
  if (install.record) {
    const InstallRecord& old = *install.record;
    record.files = old.files;
    record.folders.insert(record.folders.begin(), old.folders.begin(), old.folders.end());
    const auto before = audit::read_apiserver_manifest(old.manifest_before, edit.manifest);
    const auto after = audit::read_apiserver_manifest(old.manifest_after, edit.manifest);
    if (before.ok() && after.ok())
      record.manifest_before =
          SAKER_TRY(audit::plan_uninstall(install.manifest, *before, *after)).text;
  }
  for (const HostEdit::File& file : edit.files) {
    const auto known = std::find_if(record.files.begin(), record.files.end(),
                                    [&](const auto& other) { return other.path == file.path; });
    if (known == record.files.end()) {
      record.files.push_back({.path = file.path, .before = file.before, .after = *file.after});
      continue;
    }
    if (file.before != known->after) known->before = file.before;
    known->after = *file.after;
  }
  return record;
}

void print_plan(const Install& install, const std::vector<std::string>& warnings) {
  for (const std::string& change : install.plan.changes) std::printf("  %s\n", change.c_str());
  print("\n" + describe(install.edit) + "\n");
  std::fflush(stdout);
  for (const std::string& warning : warnings)
    std::fprintf(stderr, "saker: warning: %s\n", warning.c_str());
}

// The options by which uninstall finds the same manifest.
std::string same_place(const HostOptions& host) {
  std::string out;
  if (!host.manifest.empty()) out += " --manifest " + host.manifest;
  if (!host.root.empty()) out += " --root " + host.root;
  if (!host.backup.empty()) out += " --backup " + host.backup;
  return out;
}

void print_next(const Install& install, const HostOptions& host) {
  const audit::InstallPlan& plan = install.plan;
  std::printf("Copies from before: %s\n", host.backup_path().c_str());
  if (!plan.log_host_path.empty())
    std::printf("Look at the log:    saker audit analyze %s%s\n", host.root.c_str(),
                plan.log_host_path.c_str());
  std::printf("Take it out again:  saker audit uninstall%s\n", same_place(host).c_str());
  std::printf(
      "Each control-plane node has a manifest of its own: do the same on all of them.\n"
      "kubeadm upgrade writes manifests anew: saker audit install --for kubeadm prints what "
      "lasts.\n");
}

// The server is back: its first event comes with the next request, of which there are always some.
void look_for_log(const std::string& root, const audit::InstallPlan& plan) {
  if (plan.log_host_path.empty()) return;
  const std::string log = root + plan.log_host_path;
  constexpr int kTries = 50;
  struct stat info{};
  for (int i = 0; i < kTries; ++i) {
    if (::stat(log.c_str(), &info) == 0 && info.st_size > 0) {
      std::printf("Events are in %s.\n", log.c_str());
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  std::fprintf(stderr,
               "saker: warning: no event is in %s so far: the policy may log nothing of what goes "
               "on, or the server has not started anew\n",
               log.c_str());
}

Result<int> carry_out_install(const Arguments& arguments, Install& install) {
  const std::string backup = arguments.host.backup_path();
  HealthWatch watch(
      {.url = install.manifest.health_url, .timeout = std::chrono::seconds(arguments.host.wait)});
  const InstallRecord record = SAKER_TRY(record_of(install));
  SAKER_CHECK(save_record(backup, install.edit.manifest, record));
  EditOutcome outcome = carry_out(install.edit, watch);
  if (!outcome.applied) {
    Status undone = install.record ? save_record(backup, install.edit.manifest, *install.record)
                                   : remove_record(backup);
    if (!undone.ok()) std::fprintf(stderr, "saker: %s\n", undone.error().to_text().c_str());
  }
  SAKER_CHECK(std::move(outcome.status));
  if (outcome.restarted) look_for_log(arguments.host.root, install.plan);
  print_next(install, arguments.host);
  return kExitOk;
}

// Where there is no manifest to edit: the file or the commands that do it there.
Result<int> print_recipe(const Arguments& arguments) {
  if (!arguments.webhook.empty())
    return Error{.message = "--webhook and --for exclude each other: recipes are about the log",
                 .hint =
                     "saker audit webhook-config prints the webhook's kubeconfig; the flag for "
                     "it is --audit-webhook-config-file"};
  const audit::InstallWishes wishes = SAKER_TRY(wishes_of(arguments));
  audit::RecipeValues values{.log_path = arguments.log_path};
  values.max_age = wishes.max_age.value_or(values.max_age);
  values.max_backups = wishes.max_backups.value_or(values.max_backups);
  values.max_size = wishes.max_size.value_or(values.max_size);
  if (!arguments.policy.empty()) {
    SAKER_CHECK(check_policy(SAKER_TRY(read_policy(arguments.policy))));
    values.policy = arguments.policy;
  }
  print(SAKER_TRY(audit::recipe_for(arguments.platform, values)));
  return kExitOk;
}

Result<int> run(Arguments arguments) {
  arguments.host.settle();
  if (!arguments.platform.empty()) return print_recipe(arguments);
  Install install = SAKER_TRY(plan(arguments));
  const std::vector<std::string> warnings = warnings_of(arguments, install);
  if (install.edit.empty()) {
    for (const std::string& warning : warnings)
      std::fprintf(stderr, "saker: warning: %s\n", warning.c_str());
    std::printf("%s has it all already: nothing to change.\n", install.edit.manifest.c_str());
    return kExitOk;
  }
  print_plan(install, warnings);
  if (arguments.host.dry_run) {
    std::printf("Nothing was changed (--dry-run).\n");
    return kExitOk;
  }
  if (!SAKER_TRY(confirmed(arguments.host, "Change this?"))) return kExitFailed;
  return carry_out_install(arguments, install);
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  std::vector<Option> options = {
      {.names = "--policy",
       .value_name = "FILE",
       .help = "The audit policy; without it the one that is there stays, or a recommended one",
       .text = &arguments->policy},
      {.names = "--log-path",
       .value_name = "PATH",
       .help = "The log's file (/var/log/kubernetes/audit/audit.log)",
       .text = &arguments->log_path},
      {.names = "--max-age",
       .value_name = "DAYS",
       .help = "How long rotated logs are kept (30)",
       .text = &arguments->max_age},
      {.names = "--max-backups",
       .value_name = "FILES",
       .help = "How many rotated logs are kept (10)",
       .text = &arguments->max_backups},
      {.names = "--max-size",
       .value_name = "MB",
       .help = "Size at which a log is rotated (100)",
       .text = &arguments->max_size},
      {.names = "--webhook",
       .help = "Send events to a webhook, too: --webhook=KUBECONFIG, or the one that is there",
       .text = &arguments->webhook},
      {.names = "--for",
       .value_name = "PLATFORM",
       .help = "Print the file or the commands for kubeadm (what lasts), kind, minikube, k3s, "
               "rke2, eks, gke or aks",
       .text = &arguments->platform}};
  add_host_options(arguments->host, options);
  return {.options = std::move(options), .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_install_descriptor;
const Command audit_install_descriptor = {
    .path = "audit install",
    .summary = "Switch auditing on in kube-apiserver's static-pod manifest",
    .description =
        "Adds flags, mounts and volumes to the manifest and writes the policy; everything else in "
        "the file stays as it is, to\n"
        "the byte. Shows the difference and asks; keeps copies outside kubelet's folder; waits for "
        "kube-apiserver to come\n"
        "back, and puts everything back when it does not.\n"
        "  saker audit install --policy policy.yaml --dry-run\n"
        "  saker audit install --policy policy.yaml --yes\n"
        "  saker audit install --policy policy.yaml --for kind > kind.yaml\n"
        "Exit code 0: done, or nothing to do; 1: refused, or the server did not come back; 3: a "
        "file is in the way.",
    .prepare = prepare,
};

}  // namespace saker::cmd
