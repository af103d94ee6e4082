// Which events came already, and whose audit id another request had: a client may choose it.
#pragma once

#include <cstdint>

#include "audit/digest.h"
#include "base/recent_map.h"

namespace saker::audit {

class SeenRequests {
 public:
  static constexpr size_t kWindow = 65'536;

  enum class Sighting : uint8_t {
    fresh,
    repeated,   // the same event again
    id_reused,  // another request had its id, on purpose
  };

  // This event comes soon: what it needs is fetched meanwhile.
  [[gnu::always_inline]] void expect(const AuditDigest& digest) const { seen_.expect(digest.id); }
  // Of the next event of the log.
  Sighting see(const AuditDigest& digest);

 private:
  struct Use {
    uint32_t event = 0;    // a part of its identity
    uint32_t request = 0;  // of verb and path; kMany: different ones had the id, or more than two
  };
  static constexpr uint32_t kMany = 0;

  RecentMap<Use> seen_{kWindow};
};

}  // namespace saker::audit
