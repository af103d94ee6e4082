#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <ctime>
#include <string>

namespace saker::log {

static std::atomic<Level> current_level{Level::info};

static std::atomic<bool> level_given{false};

static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error", "off"};

void set_level(Level level) {
  current_level.store(level, std::memory_order_relaxed);
}

static bool apply_level(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) {
      current_level.store(static_cast<Level>(i), std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

bool set_level(std::string_view name) {
  if (!apply_level(name)) return false;
  level_given = true;
  return true;
}

void set_default_level(std::string_view name) {
  if (!level_given) apply_level(name);
}

bool enabled(Level level) {
  return level >= current_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message) {
  if (!enabled(level)) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  char stamp[32];
  size_t length = std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  std::string line(stamp, length);
  line += ' ';
  line += kNames[static_cast<size_t>(level)];
  line += ' ';
  line += message;
  line += '\n';
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace saker::log
