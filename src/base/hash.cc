#include "base/hash.h"

#include <sys/random.h>

#include "base/bytes.h"

namespace saker {

uint64_t hash_seed() {
  static const uint64_t seed = [] {
    uint64_t value = 0x2545f4914f6cdd1dULL;
    if (::getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value) value ^= 0x9e3779b9;
    return value | 1;
  }();
  return seed;
}

uint64_t hash_bytes(std::string_view text) {
  const char* data = text.data();
  size_t size = text.size();
  uint64_t state = hash_seed() ^ size;
  while (size >= 8) {
    state = mix64(state ^ load<uint64_t>(data), 0xa0761d6478bd642fULL);
    data += 8;
    size -= 8;
  }
  if (size >= 4) {
    state ^= load<uint32_t>(data) | static_cast<uint64_t>(load<uint32_t>(data + size - 4)) << 32;
  } else if (size > 0) {
    state ^= static_cast<uint64_t>(static_cast<uint8_t>(data[0])) << 16 |
             static_cast<uint64_t>(static_cast<uint8_t>(data[size / 2])) << 8 |
             static_cast<uint8_t>(data[size - 1]);
  }
  return mix64(state ^ 0xe7037ed1a0b428dbULL, 0x8ebc6af09c88c6e3ULL);
}

}  // namespace saker
