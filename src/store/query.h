// Asking the store: which alerts, how many of what.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/record.h"

namespace saker::store {

// Which alerts. Empty members don't restrict.
struct AlertFilter {
  std::optional<uint64_t> since_ns;           // of the event's time, inclusive
  std::optional<uint64_t> until_ns;           // exclusive
  std::string rule;                           // glob
  std::optional<finding::Severity> priority;  // this one or more severe
  std::string source;
  std::string container;  // a prefix of its id
  std::string tag;        // glob
  int64_t after_id = 0;   // alerts that came later than this one
  uint64_t limit = 0;     // the newest so many; 0: all

  [[nodiscard]] bool matches(const finding::Finding& finding) const;
};

// "90s", "1h", "2d" before `now_ns`, or RFC 3339 ("2024-05-01T10:00:00Z", "2024-05-01
// 10:00:00+02:00", "2024-05-01", without a zone in UTC).
Result<uint64_t> parse_time(std::string_view text, uint64_t now_ns);

// Sets one member by its name, as query parameters and options spell it: since, until, rule,
// priority, source, container, tag, limit, after.
Status set_filter(AlertFilter& filter, std::string_view name, std::string_view value,
                  uint64_t now_ns);

struct AlertStats {
  uint64_t total = 0;
  uint64_t first_ns = 0, last_ns = 0;
  std::map<finding::Severity, uint64_t> by_priority;
  std::vector<std::pair<std::string, uint64_t>> by_rule;  // most frequent first
  std::vector<std::pair<std::string, uint64_t>> by_source;
  std::vector<std::pair<std::string, uint64_t>> by_container;  // the ten most frequent
  uint64_t removed = 0;                                        // ever, for age or size
  uint64_t bytes = 0;                                          // of the store
};

// A reader of a store that others may be writing. For one thread. Reads in pages, so that a slow
// consumer does not hold up the writer's log.
class Reader {
 public:
  static Result<Reader> open(const std::string& path);

  // Calls `take` with each alert, oldest first, until it gives false.
  Status each(const AlertFilter& filter, const std::function<bool(const StoredAlert&)>& take);
  Result<std::optional<StoredAlert>> find(int64_t id);
  Result<int64_t> last_id();
  Result<AlertStats> stats(const AlertFilter& filter);

 private:
  explicit Reader(Database database) : database_(std::move(database)) {}
  Result<int64_t> start_after(const AlertFilter& filter);
  Result<std::vector<std::pair<std::string, uint64_t>>> count_by(const AlertFilter& filter,
                                                                 std::string_view column,
                                                                 int limit);
  Database database_;
};

}  // namespace saker::store
