#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace saker {
void assert_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "saker: internal error: %s is false at %s:%d\n", condition, file, line);
  std::abort();
}
}  // namespace saker
