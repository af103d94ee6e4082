// A fast non-cryptographic hash for tables, with a per-process seed so that hostile keys can't be
// chosen to collide. Mixing by 64x64->128 bit multiplication.
#pragma once

#include <cstdint>
#include <string_view>

namespace saker {

inline uint64_t mix64(uint64_t a, uint64_t b) {
  unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t hash_seed();

inline uint64_t hash_int(uint64_t value) {
  return mix64(value ^ 0x9e3779b97f4a7c15ULL, 0xd6e8feb86659fd93ULL);
}

uint64_t hash_bytes(std::string_view text);

// For std containers with heterogeneous look-up by string_view.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return hash_bytes(text); }
};

}  // namespace saker
