#include "agent/reloader.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/log.h"
#include "base/strings.h"
#include "filter/host_names.h"

namespace saker::agent {

namespace fs = std::filesystem;

Reloader::Reloader(Policy policy, LoadPolicy load_policy, Prepare prepare)
    : policy_(std::move(policy)),
      load_policy_(std::move(load_policy)),
      prepare_(std::move(prepare)) {
  watch();
}

Reloader::~Reloader() {
  if (loader_.joinable()) loader_.join();
}

std::vector<std::string> Reloader::paths() const {
  std::vector<std::string> all = policy_.rules.paths;
  all.insert(all.end(), policy_.config_files.begin(), policy_.config_files.end());
  return all;
}

// Folders are watched, not files: editors and Kubernetes' ConfigMaps put a new file (or link) in
// place of the old.
void Reloader::watch() {
  inotify_.reset();
  seen_ = fingerprint();
  if (!policy_.config.watch_config_files) return;
  inotify_ = UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_.valid()) {
    log::warning("files are not watched for changes; SIGHUP loads them anew");
    return;
  }
  std::set<std::string> folders;
  std::error_code ignored;
  for (const std::string& path : paths()) {
    const fs::path folder =
        fs::is_directory(path, ignored) ? fs::path(path) : fs::path(path).parent_path();
    folders.insert(folder.empty() ? "." : folder.string());
  }
  for (const std::string& folder : folders)
    ::inotify_add_watch(
        inotify_.get(), folder.c_str(),
        IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_CREATE | IN_MOVED_FROM);
}

// Once the files were left alone for a moment, so that several that change together are read
// together.
bool Reloader::files_changed(Clock::time_point now) {
  constexpr auto kCalm = std::chrono::milliseconds(100);
  if (!inotify_.valid()) return false;
  char buffer[16384];
  while (::read(inotify_.get(), buffer, sizeof buffer) > 0) settled_at_ = now + kCalm;
  if (!settled_at_ || now < *settled_at_) return false;
  settled_at_.reset();
  const uint64_t print = fingerprint();  // something else in the folder may have changed
  return std::exchange(seen_, print) != print;
}

bool Reloader::is_calm(Clock::time_point now) {
  constexpr auto kPatience = std::chrono::seconds(2);
  if (!wanted_since_) wanted_since_ = now;
  return !settled_at_ || now - *wanted_since_ > kPatience;
}

uint64_t Reloader::fingerprint() const {
  uint64_t sum = 0;
  const auto add = [&](const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return;
    sum += mix64(hash_bytes(path) ^ static_cast<uint64_t>(info.st_mtim.tv_nsec) ^
                     hash_int(static_cast<uint64_t>(info.st_mtim.tv_sec)),
                 hash_int(info.st_ino) ^ static_cast<uint64_t>(info.st_size));
  };
  std::error_code ignored;
  for (const std::string& path : paths()) {
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

Result<Reloader::Loaded> Reloader::load_all() const {
  Loaded loaded{.policy = SAKER_TRY(load_policy_()), .engine = nullptr};
  std::string warnings;
  rules::RuleSet set = SAKER_TRY(load_rule_files(loaded.policy.rules, warnings));
  loaded.engine = std::make_unique<rules::Engine>(std::move(set), loaded.policy.matching,
                                                  loaded.policy.hostname);
  filter::look_up_host_names_ahead();
  SAKER_CHECK(prepare_(loaded.policy.config));
  return loaded;
}

void Reloader::load() {
  Result<Loaded> loaded = load_all();
  if (!loaded.ok()) {
    count_failure();
    log::error("what changed is not used, the old rules and configuration stay: " +
               loaded.error().to_text());
  } else {
    std::lock_guard lock(mutex_);
    ready_ = std::move(*loaded);
  }
  loading_.store(false, std::memory_order_release);
}

void Reloader::start() {
  if (loader_.joinable()) loader_.join();
  loading_.store(true, std::memory_order_relaxed);
  loading_print_ = fingerprint();
  loader_ = std::jthread([this] { load(); });
}

std::optional<Reloader::Loaded> Reloader::poll() {
  const Clock::time_point now = Clock::now();
  if (files_changed(now)) requested_.store(true, std::memory_order_relaxed);
  if (loading_.load(std::memory_order_acquire)) return {};
  {
    std::lock_guard lock(mutex_);
    std::optional<Loaded> loaded = std::exchange(ready_, std::nullopt);
    // What was written to while it was read may be half of it: even an empty file is valid.
    constexpr unsigned kMostDiscarded = 3;
    if (loaded && (loading_print_ == fingerprint() || ++discarded_ > kMostDiscarded)) {
      discarded_ = 0;
      return loaded;
    }
    if (loaded) requested_.store(true, std::memory_order_relaxed);
  }
  if (!requested_.load(std::memory_order_relaxed) || !is_calm(now)) return {};
  requested_.store(false, std::memory_order_relaxed);
  wanted_since_.reset();
  start();
  return {};
}

void Reloader::adopt(Policy policy) {
  ++reloads_;
  const std::vector<std::string> waiting = keys_for_restart(policy_.config, policy.config);
  if (!waiting.empty())
    log::warning("these keys changed and take effect at the next start: " + join(waiting, ", "));
  const bool same_files = policy.rules.paths == policy_.rules.paths &&
                          policy.config_files == policy_.config_files &&
                          policy.config.watch_config_files == policy_.config.watch_config_files;
  policy_ = std::move(policy);
  if (same_files) return;
  watch();
}

}  // namespace saker::agent
