#include "agent/progress.h"

#include <unistd.h>

#include <cstdio>

namespace saker::agent {

Progress::Progress() : shown_(::isatty(STDERR_FILENO) == 1) {}

void Progress::clear() {
  if (told_) std::fputs("\r\033[K", stderr);
  told_ = false;
}

void Progress::update(uint64_t bytes, uint64_t total) {
  constexpr double kInterval = 0.2;
  if (!shown_) return;
  const Clock::time_point now = Clock::now();
  if (std::chrono::duration<double>(now - last_).count() < kInterval) return;
  last_ = now;
  told_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(bytes) / seconds;
  std::fprintf(stderr, "\r\033[K%.0f MB, %.0f MB/s", static_cast<double>(bytes) / 1e6, rate / 1e6);
  if (total < bytes || rate <= 0) return;
  std::fprintf(stderr, ", %.0f %%, %.0f s left",
               100.0 * static_cast<double>(bytes) / static_cast<double>(total),
               static_cast<double>(total - bytes) / rate);
}

}  // namespace saker::agent
