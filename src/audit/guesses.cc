// See guesses.h.
#include "audit/guesses.h"

#include "base/time.h"

namespace saker::audit {

namespace {

constexpr uint64_t kPause = kHourNs / 6;  // guesses go on; an expired token is tried now and then
constexpr uint64_t kAfter = kHourNs;      // a credential that fits is used soon
constexpr uint32_t kGuesses = 5;
constexpr uint32_t kShared = 3;  // as many come from an address of a proxy or an office

}  // namespace

void Guesses::failed(const AuditDigest& digest) {
  auto place = failures_.find(digest.address);
  if (place == failures_.end()) {
    if (failures_.size() >= kMostAddresses) {
      ++forgotten_;
      return;
    }
    place = failures_.emplace(digest.address, Failures{}).first;
  }
  Failures& failures = place->second;
  if (digest.time_ns > failures.last_ns + kPause) failures.count = 0;
  ++failures.count;
  failures.last_ns = digest.time_ns;
  failures.program = digest.program;
}

// Behind a shared address somebody else may have failed: there it takes the same program.
bool Guesses::accepted(const AuditDigest& digest) {
  uint32_t others = 0;
  if (const auto sharing = actors_.find(digest.address); sharing != actors_.end())
    others = sharing->second++;
  else if (actors_.size() < kMostAddresses)
    actors_.emplace(digest.address, 1);
  const auto place = failures_.find(digest.address);
  if (place == failures_.end()) return false;
  const Failures& failures = place->second;
  return failures.count >= kGuesses && digest.time_ns <= failures.last_ns + kAfter &&
         (others < kShared || failures.program == digest.program);
}

}  // namespace saker::audit
