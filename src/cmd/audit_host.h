// The node that auditing is switched on at: its files, their copies from before, and whether its
// kube-apiserver comes back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::cmd {

inline constexpr std::string_view kApiserverManifest =
    "/etc/kubernetes/manifests/kube-apiserver.yaml";
inline constexpr size_t kLargestManifest = size_t{4} << 20;

// A file's bytes; nothing when there is no such file.
Result<std::optional<std::string>> read_if_there(const std::string& path);

// Writes anew through a file whose name begins with a dot, which kubelet passes over, keeping mode
// and owner of the old one; new files get 0600 and the given owner.
Status write_host_file(const std::string& path, std::string_view data,
                       std::optional<uint32_t> user = {}, std::optional<uint32_t> group = {});
// What is missing of a folder and its parents, the topmost first.
std::vector<std::string> missing_folders(std::string path);
// With its parents.
Status make_folders(const std::string& path, unsigned mode);
Status remove_file(const std::string& path);

// Other files in the manifest's folder that define kube-apiserver once more: kubelet reads each
// file whose name does not begin with a dot, also an editor's copies.
std::vector<std::string> stray_manifests(const std::string& manifest);

// Free bytes where `path` would be; nothing when that can't be told.
std::optional<uint64_t> free_space(std::string path);

// What an installation changed, kept outside of kubelet's folder.
struct InstallRecord {
  struct File {
    std::string path;                   // with the node's root in front
    std::optional<std::string> before;  // nothing: it was not there
    std::string after;
  };
  std::string manifest_before, manifest_after;
  std::vector<File> files;
  std::vector<std::string> folders;  // that were made for the files and the log, the topmost first
};

// The folder for one manifest below the folder of all backups.
std::string backup_folder(const std::string& folder, const std::string& manifest);
Result<std::optional<InstallRecord>> load_record(const std::string& folder);
Status save_record(const std::string& folder, const std::string& manifest,
                   const InstallRecord& record);
Status remove_record(const std::string& folder);

struct HealthOptions {
  std::string url;
  std::chrono::seconds timeout{240};
};

// Watches kube-apiserver across a change of its manifest.
class HealthWatch {
 public:
  enum class Outcome : uint8_t { not_running, restarted, not_seen, down };
  // How long it may take until the old server leaves: kubelet looks at its folder at once, and
  // gives a Pod half a minute to end. Without a kubelet that we see, nobody may be there to do it.
  static constexpr std::chrono::seconds kMostToLeave{90};
  static constexpr std::chrono::seconds kMostToLeaveAlone{20};

  // Looks whether it runs now, before the change.
  explicit HealthWatch(HealthOptions options);
  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] bool has_kubelet() const { return has_kubelet_; }
  [[nodiscard]] const std::string& url() const { return options_.url; }
  // Waits until it went away and came back, or until the time is over.
  Outcome wait();
  // Waits until it answers at all.
  bool wait_until_up();

 private:
  [[nodiscard]] bool is_up() const;

  HealthOptions options_;
  bool running_ = false, has_kubelet_ = false;
  std::vector<int> processes_;
};

// Asks on the terminal; false without one.
bool ask(std::string_view question);

}  // namespace saker::cmd
