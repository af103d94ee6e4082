#include "base/hash.h"

#include <sys/random.h>

namespace saker {

HashSeed::HashSeed() : value(0x2545f4914f6cdd1dULL) {
  if (::getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value) value ^= 0x9e3779b9;
  value |= 1;
}

__attribute__((init_priority(101))) const HashSeed kHashSeed;

}  // namespace saker
