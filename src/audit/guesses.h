// Failed authentications by address, to know an accepted credential that came after guesses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "audit/digest.h"

namespace saker::audit {

class Guesses {
 public:
  static constexpr size_t kMostAddresses = 20'000;

  // A credential was not accepted.
  void failed(const AuditDigest& digest);
  // Somebody was known by the server at an address that is new for them; called for every such
  // event, to know which addresses many share. True: after guesses from there.
  bool accepted(const AuditDigest& digest);

  // Failures and addresses that there was no room for.
  [[nodiscard]] uint64_t forgotten() const { return forgotten_; }

 private:
  struct Failures {
    uint64_t last_ns = 0;
    uint64_t program = 0;  // of the last one
    uint32_t count = 0;    // without a pause
  };

  std::unordered_map<uint64_t, Failures> failures_;  // by address
  std::unordered_map<uint64_t, uint32_t> actors_;    // how many come from an address
  uint64_t forgotten_ = 0;
};

}  // namespace saker::audit
