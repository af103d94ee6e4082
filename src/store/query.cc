#include "store/query.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/strings.h"
#include "base/units.h"
#include "store/schema.h"

namespace saker::store {

namespace {

constexpr int kPage = 256;
constexpr uint64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

// Digits of `text` from `at` on, as many as `count`.
std::optional<int> digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// "Z", "+02:00", "-0530" or nothing, in seconds east of UTC.
std::optional<int64_t> parse_zone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  const size_t minutes_at = text.size() == 6 && text[3] == ':' ? 4 : 3;
  if (text.size() != minutes_at + 2) return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, minutes_at, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const int64_t seconds = *hours * 3600 + *minutes * 60;
  return text.front() == '-' ? -seconds : seconds;
}

// Takes ".123" off the front, as nanoseconds.
std::optional<uint64_t> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  uint64_t value = 0;
  uint64_t unit = kNanosecondsPerSecond;
  size_t length = 0;
  while (length < text.size() && text[length] >= '0' && text[length] <= '9') {
    unit /= 10;
    value += unit * static_cast<uint64_t>(text[length++] - '0');
  }
  text.remove_prefix(length);
  if (length == 0) return std::nullopt;
  return value;
}

std::optional<uint64_t> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = digits(text, 0, 4), month_number = digits(text, 5, 2),
             day_number = digits(text, 8, 2);
  if (!year_number || !month_number || !day_number || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const year_month_day date{year{*year_number}, month{static_cast<unsigned>(*month_number)},
                            day{static_cast<unsigned>(*day_number)}};
  if (!date.ok() || *year_number < 1970 || *year_number > 2261) return std::nullopt;
  auto total = duration_cast<seconds>(sys_days{date}.time_since_epoch()).count();
  uint64_t fraction = 0;
  text.remove_prefix(10);
  if (!text.empty()) {
    const auto hour = digits(text, 1, 2), minute = digits(text, 4, 2), second = digits(text, 7, 2);
    if (!hour || !minute || !second || text[3] != ':' || text[6] != ':' || *hour > 23 ||
        *minute > 59 || *second > 60 ||
        std::string_view("Tt ").find(text[0]) == std::string_view::npos)
      return std::nullopt;
    total += *hour * 3600 + *minute * 60 + *second;
    text.remove_prefix(9);
    const auto parsed = take_fraction(text);
    const auto zone = parse_zone(text);
    if (!parsed || !zone) return std::nullopt;
    fraction = *parsed;
    total -= *zone;
  }
  if (total < 0) return 0;
  return static_cast<uint64_t>(total) * kNanosecondsPerSecond + fraction;
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

uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

Result<uint64_t> parse_time(std::string_view text, uint64_t now) {
  if (const auto ago = parse_duration(text)) {
    const uint64_t span = static_cast<uint64_t>(ago->count()) * kNanosecondsPerMillisecond;
    return now > span ? now - span : uint64_t{0};
  }
  if (const auto time = parse_rfc3339(text)) return *time;
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
