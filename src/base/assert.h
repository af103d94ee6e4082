// SAKER_ASSERT: for Saker's own mistakes, on in every build. Never reachable from input.
#pragma once

namespace saker {
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);
}  // namespace saker

#define SAKER_ASSERT(condition)                               \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::saker::assert_failed(#condition, __FILE__, __LINE__); \
  } while (false)
