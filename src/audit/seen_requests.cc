// See seen_requests.h.
#include "audit/seen_requests.h"

#include "base/hash.h"

namespace saker::audit {

// A server sends a batch again when it got no answer, and a log may be given twice: then all of the
// event is the same. A server behind another one gets the id handed on: both log the same request,
// so that two events of one stage are no sign of anything.
SeenRequests::Sighting SeenRequests::see(const AuditDigest& digest) {
  const Use use{static_cast<uint32_t>(digest.identity),
                static_cast<uint32_t>(digest.request) | 1};  // never kMany
  Use* const first = seen_.find_or_insert(digest.id, use);
  if (first == nullptr) return Sighting::fresh;
  if (first->event == use.event) return Sighting::repeated;
  const bool handed_on = first->request == use.request;
  first->request = kMany;
  const uint64_t other = hash_int(digest.id ^ digest.identity);
  if (seen_.find_or_insert(other, use) != nullptr) return Sighting::repeated;
  return handed_on ? Sighting::fresh : Sighting::id_reused;
}

}  // namespace saker::audit
