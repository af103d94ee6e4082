// A fast non-cryptographic hash for tables, with a per-process seed so that hostile keys can't be
// chosen to collide. Mixing by 64x64->128 bit multiplication.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace saker {

inline uint64_t mix64(uint64_t a, uint64_t b) {
  unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Chosen before other objects are made: tables that are filled while the program starts use it.
struct HashSeed {
  HashSeed();
  uint64_t value;
};
extern const HashSeed kHashSeed;

inline uint64_t hash_seed() {
  return kHashSeed.value;
}

inline uint64_t hash_int(uint64_t value) {
  return mix64(value ^ 0x9e3779b97f4a7c15ULL, 0xd6e8feb86659fd93ULL);
}

inline uint64_t hash_bytes(std::string_view text) {
  const char* data = text.data();
  size_t size = text.size();
  uint64_t state = hash_seed() ^ size;
  while (size >= 16) {
    state = mix64(state ^ load<uint64_t>(data), load<uint64_t>(data + 8) ^ 0xa0761d6478bd642fULL);
    data += 16;
    size -= 16;
  }
  if (size >= 8) {
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

// For std containers with heterogeneous look-up by string_view.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return hash_bytes(text); }
};

}  // namespace saker
