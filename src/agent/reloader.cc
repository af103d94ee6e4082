#include "agent/reloader.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/hash.h"
#include "base/log.h"

namespace saker::agent {

Reloader::Reloader(RuleFileOptions options, rules::Matching matching, std::string hostname,
                   bool watch_files)
    : options_(std::move(options)), matching_(matching), hostname_(std::move(hostname)) {
  if (watch_files) watch();
  seen_ = fingerprint();
}

Reloader::~Reloader() {
  if (loader_.joinable()) loader_.join();
}

// Folders are watched, not files: editors and Kubernetes' ConfigMaps put a new file (or link) in
// place of the old.
void Reloader::watch() {
  inotify_ = UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_.valid()) {
    log::warning("rule files are not watched for changes; SIGHUP loads them anew");
    return;
  }
  namespace fs = std::filesystem;
  std::set<std::string> folders;
  std::error_code ignored;
  for (const std::string& path : options_.paths) {
    const fs::path folder =
        fs::is_directory(path, ignored) ? fs::path(path) : fs::path(path).parent_path();
    folders.insert(folder.empty() ? "." : folder.string());
  }
  for (const std::string& folder : folders)
    ::inotify_add_watch(inotify_.get(), folder.c_str(),
                        IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_CREATE | IN_MOVED_FROM);
}

bool Reloader::files_changed() {
  if (!inotify_.valid()) return false;
  char buffer[16384];
  bool changed = false;
  while (::read(inotify_.get(), buffer, sizeof buffer) > 0) changed = true;
  if (!changed) return false;
  const uint64_t now = fingerprint();  // something else in the folder may have changed
  return std::exchange(seen_, now) != now;
}

uint64_t Reloader::fingerprint() const {
  namespace fs = std::filesystem;
  uint64_t sum = 0;
  const auto add = [&](const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return;
    sum += mix64(hash_bytes(path) ^ static_cast<uint64_t>(info.st_mtim.tv_nsec) ^
                     hash_int(static_cast<uint64_t>(info.st_mtim.tv_sec)),
                 hash_int(info.st_ino) ^ static_cast<uint64_t>(info.st_size));
  };
  std::error_code ignored;
  for (const std::string& path : options_.paths) {
    if (!fs::is_directory(path, ignored)) {
      add(path);
      continue;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(path, ignored))
      if (const fs::path extension = entry.path().extension();
          extension == ".yaml" || extension == ".yml")
        add(entry.path().string());
  }
  return sum;
}

void Reloader::load() {
  std::string warnings;
  Result<rules::RuleSet> set = load_rule_files(options_, warnings);
  if (!set.ok()) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    log::error("the changed rules are not used, the old ones stay: " + set.error().to_text());
  } else {
    auto engine = std::make_unique<rules::Engine>(std::move(*set), matching_, hostname_);
    std::lock_guard lock(mutex_);
    ready_ = std::move(engine);
  }
  loading_.store(false, std::memory_order_release);
}

void Reloader::start() {
  if (loader_.joinable()) loader_.join();
  loading_.store(true, std::memory_order_relaxed);
  loader_ = std::jthread([this] { load(); });
}

std::unique_ptr<rules::Engine> Reloader::poll() {
  if (files_changed()) requested_.store(true, std::memory_order_relaxed);
  if (!loading_.load(std::memory_order_acquire) &&
      requested_.exchange(false, std::memory_order_relaxed))
    start();
  std::lock_guard lock(mutex_);
  if (ready_) ++reloads_;
  return std::move(ready_);
}

}  // namespace saker::agent
