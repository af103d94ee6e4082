#include "store/query.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/strings.h"
#include "base/time.h"
#include "base/units.h"
#include "store/schema.h"

namespace saker::store {

namespace {

constexpr int kPage = 256;
constexpr uint64_t kNanosecondsPerMillisecond = 1'000'000;

// RFC 3339 as people shorten it: a date alone, a blank for the T, no zone (UTC) or one without
// colon.
std::optional<uint64_t> parse_date_and_time(std::string_view text) {
  constexpr size_t kDate = 10, kClock = 9;
  std::string full(text);
  if (full.size() == kDate) full += "T00:00:00";
  if (full.size() > kDate && full[kDate] == ' ') full[kDate] = 'T';
  const size_t sign = full.find_first_of("+-", kDate);
  if (sign != std::string::npos && full.size() == sign + 5) full.insert(sign + 3, 1, ':');
  const bool has_zone = sign != std::string::npos || full.ends_with('Z') || full.ends_with('z');
  if (!has_zone && full.size() >= kDate + kClock) full += 'Z';
  return parse_rfc3339(full);
}

// The WHERE clause of a filter; its parameters are bound in the same order by bind_filter().
std::string where(const AlertFilter& filter) {
  std::string sql = " WHERE id > ?";
  if (filter.since_ns) sql += " AND time_ns >= ?";
  if (filter.until_ns) sql += " AND time_ns < ?";
  if (filter.priority) sql += " AND severity <= ?";
  if (!filter.rule.empty()) sql += " AND glob(?, rule)";
  if (!filter.source.empty()) sql += " AND source = ?";
  if (!filter.container.empty()) sql += " AND substr(container_id, 1, length(?)) = ?";
  if (!filter.tag.empty())
    sql += " AND EXISTS (SELECT 1 FROM json_each(tags) WHERE glob(?, value))";
  return sql;
}

int64_t clamp(uint64_t value) {
  return static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX));
}

// Gives the index of the next parameter.
int bind_filter(const AlertFilter& filter, int64_t after_id, Statement& statement) {
  int index = 1;
  statement.bind(index++, after_id);
  if (filter.since_ns) statement.bind(index++, clamp(*filter.since_ns));
  if (filter.until_ns) statement.bind(index++, clamp(*filter.until_ns));
  if (filter.priority) statement.bind(index++, static_cast<int64_t>(*filter.priority));
  if (!filter.rule.empty()) statement.bind(index++, filter.rule);
  if (!filter.source.empty()) statement.bind(index++, filter.source);
  if (!filter.container.empty()) {
    statement.bind(index++, filter.container);
    statement.bind(index++, filter.container);
  }
  if (!filter.tag.empty()) statement.bind(index++, filter.tag);
  return index;
}

}  // namespace

bool AlertFilter::matches(const finding::Finding& finding) const {
  if (since_ns && finding.time_ns < *since_ns) return false;
  if (until_ns && finding.time_ns >= *until_ns) return false;
  if (priority && finding.severity > *priority) return false;
  if (!rule.empty() && !glob_match(rule, finding.rule)) return false;
  if (!source.empty() && finding.source != source) return false;
  if (!container.empty() && !finding.container_id.starts_with(container)) return false;
  return tag.empty() || std::ranges::any_of(finding.tags, [&](const std::string& candidate) {
           return glob_match(tag, candidate);
         });
}

Result<uint64_t> parse_time(std::string_view text, uint64_t now) {
  if (const auto ago = parse_duration(text)) {
    const uint64_t span = static_cast<uint64_t>(ago->count()) * kNanosecondsPerMillisecond;
    return now > span ? now - span : uint64_t{0};
  }
  if (const auto time = parse_date_and_time(text)) return *time;
  return Error{.code = Code::invalid,
               .message = "'" + sanitize_utf8(text) + "' is no time",
               .hint = "write 90s, 1h or 2d for that long ago, or 2024-05-01T10:00:00Z"};
}

Status set_filter(AlertFilter& filter, std::string_view name, std::string_view value,
                  uint64_t now) {
  const auto number = parse_uint(value);
  if (name == "since") {
    filter.since_ns = SAKER_TRY(parse_time(value, now));
  } else if (name == "until") {
    filter.until_ns = SAKER_TRY(parse_time(value, now));
  } else if (name == "rule") {
    filter.rule = value;
  } else if (name == "priority") {
    filter.priority = finding::parse_severity(value);
    if (!filter.priority) {
      return Error{
          .message = "'" + sanitize_utf8(value) + "' is no priority",
          .hint = "emergency, alert, critical, error, warning, notice, informational, debug"};
    }
  } else if (name == "source") {
    filter.source = value;
  } else if (name == "container") {
    filter.container = value;
  } else if (name == "tag") {
    filter.tag = value;
  } else if (name == "limit" || name == "after") {
    if (!number) return Error{.message = std::string(name) + " needs a number"};
    if (name == "limit") filter.limit = std::min<uint64_t>(*number, INT32_MAX);
    if (name == "after") filter.after_id = clamp(*number);
  } else {
    return Error{.message = "there is no filter '" + sanitize_utf8(name) + "'",
                 .hint = "since, until, rule, priority, source, container, tag, limit, after"};
  }
  return {};
}

Result<Reader> Reader::open(const std::string& path) {
  return Reader(SAKER_TRY(open_for_reading(path)));
}

// The id after which the reading begins: skips quickly what is too old, and leaves the newest
// `limit`.
Result<int64_t> Reader::start_after(const AlertFilter& filter) {
  int64_t after = filter.after_id;
  if (filter.since_ns) {
    Statement first = SAKER_TRY(database_.prepare("SELECT min(id) FROM alerts WHERE time_ns >= ?"));
    first.bind(1, clamp(*filter.since_ns));
    if (SAKER_TRY(first.step())) after = std::max(after, first.integer(0) - 1);
  }
  if (filter.limit == 0) return after;
  Statement newest = SAKER_TRY(database_.prepare("SELECT id FROM alerts" + where(filter) +
                                                 " ORDER BY id DESC LIMIT 1 OFFSET ?"));
  const int next = bind_filter(filter, after, newest);
  newest.bind(next, static_cast<int64_t>(filter.limit) - 1);
  if (SAKER_TRY(newest.step())) after = std::max(after, newest.integer(0) - 1);
  return after;
}

Status Reader::each(const AlertFilter& filter,
                    const std::function<bool(const StoredAlert&)>& take) {
  int64_t after = SAKER_TRY(start_after(filter));
  Statement page = SAKER_TRY(database_.prepare(
      fmt::format("SELECT {} FROM alerts{} ORDER BY id LIMIT {}", kColumns, where(filter), kPage)));
  for (;;) {
    std::vector<StoredAlert> alerts;
    bind_filter(filter, after, page);
    while (SAKER_TRY(page.step())) alerts.push_back(read_row(page));
    page.reset();
    for (const StoredAlert& alert : alerts)
      if (!take(alert)) return {};
    if (alerts.size() < kPage) return {};
    after = alerts.back().id;
  }
}

Result<std::optional<StoredAlert>> Reader::find(int64_t id) {
  Statement statement =
      SAKER_TRY(database_.prepare(fmt::format("SELECT {} FROM alerts WHERE id = ?", kColumns)));
  statement.bind(1, id);
  if (!SAKER_TRY(statement.step())) return std::optional<StoredAlert>();
  return std::optional(read_row(statement));
}

Result<int64_t> Reader::last_id() {
  return database_.integer("SELECT max(id) FROM alerts");
}

Result<std::vector<std::pair<std::string, uint64_t>>> Reader::count_by(const AlertFilter& filter,
                                                                       std::string_view column,
                                                                       int limit) {
  Statement statement = SAKER_TRY(database_.prepare(fmt::format(
      "SELECT {0}, count(*) FROM alerts{1} AND {0} <> '' GROUP BY {0} ORDER BY count(*) "
      "DESC, {0} LIMIT {2}",
      column, where(filter), limit)));
  bind_filter(filter, filter.after_id, statement);
  std::vector<std::pair<std::string, uint64_t>> counts;
  while (SAKER_TRY(statement.step()))
    counts.emplace_back(statement.text(0), static_cast<uint64_t>(statement.integer(1)));
  return counts;
}

Result<AlertStats> Reader::stats(const AlertFilter& filter) {
  AlertStats stats;
  Statement statement = SAKER_TRY(
      database_.prepare("SELECT severity, count(*), min(time_ns), max(time_ns) FROM alerts" +
                        where(filter) + " GROUP BY severity"));
  bind_filter(filter, filter.after_id, statement);
  while (SAKER_TRY(statement.step())) {
    const auto count = static_cast<uint64_t>(statement.integer(1));
    const auto first = static_cast<uint64_t>(statement.integer(2));
    stats.by_priority[static_cast<finding::Severity>(
        std::clamp<int64_t>(statement.integer(0), 0, 7))] = count;
    stats.first_ns = stats.total == 0 ? first : std::min(stats.first_ns, first);
    stats.last_ns = std::max(stats.last_ns, static_cast<uint64_t>(statement.integer(3)));
    stats.total += count;
  }
  stats.by_rule = SAKER_TRY(count_by(filter, "rule", 1000));
  stats.by_source = SAKER_TRY(count_by(filter, "source", 100));
  stats.by_container = SAKER_TRY(count_by(filter, "container_id", 10));
  stats.removed = static_cast<uint64_t>(
      SAKER_TRY(database_.integer("SELECT value FROM counters WHERE name = 'removed'")));
  stats.bytes = static_cast<uint64_t>(SAKER_TRY(database_.integer("PRAGMA page_count")) *
                                      SAKER_TRY(database_.integer("PRAGMA page_size")));
  return stats;
}

}  // namespace saker::store
