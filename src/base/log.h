// Saker's own log: lines on stderr, "time level message". Level from --log-level or SAKER_LOG.
#pragma once

#include <string_view>

namespace saker::log {

enum class Level : unsigned char { debug, info, warning, error, off };

void set_level(Level level);
// False when the name is not debug, info, warning, error or off.
bool set_level(std::string_view name);
// The same for what a configuration says: a level that was set otherwise stays.
void set_default_level(std::string_view name);
bool enabled(Level level);

// Thread-safe; one write(2) a line.
void write(Level level, std::string_view message);

inline void debug(std::string_view message) {
  if (enabled(Level::debug)) write(Level::debug, message);
}
inline void info(std::string_view message) {
  write(Level::info, message);
}
inline void warning(std::string_view message) {
  write(Level::warning, message);
}
inline void error(std::string_view message) {
  write(Level::error, message);
}

}  // namespace saker::log
