#include "cmd/alerts.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>

#include "agent/text_output.h"
#include "base/time.h"
#include "cmd/command.h"
#include "output/format.h"
#include "store/query.h"
#include "store/schema.h"

namespace saker::cmd {

namespace {

using agent::TextOutput;
using store::AlertFilter;
using store::StoredAlert;

constexpr timespec kFollowPause{.tv_sec = 0, .tv_nsec = 200'000'000};

std::atomic<bool> stop_requested{false};
void on_stop_signal(int) {
  stop_requested.store(true, std::memory_order_relaxed);
}

Result<AlertFilter> to_filter(const AlertsOptions& options) {
  AlertFilter filter{.limit = options.limit};
  const uint64_t now = now_ns();
  for (const auto& [name, value] :
       {std::pair<std::string_view, const std::string*>{"since", &options.since},
        {"until", &options.until},
        {"rule", &options.rule},
        {"priority", &options.priority},
        {"source", &options.source},
        {"container", &options.container},
        {"tag", &options.tag}}) {
    if (value->empty()) continue;
    Status status = store::set_filter(filter, name, *value, now);
    if (status.ok()) continue;
    Error error = status.error();
    error.message = "--" + std::string(name) + ": " + error.message;
    return error;
  }
  return filter;
}

Result<store::Reader> open_store(const AlertsOptions& options) {
  const std::string folder =
      options.data_dir.empty() ? store::default_data_dir() : options.data_dir;
  Result<store::Reader> reader = store::Reader::open(store::store_path(folder));
  if (reader.ok()) return reader;
  Error error = reader.error();
  if (error.code == Code::not_found) {
    error.message = "there is no alert store in " + folder;
    error.hint = "saker run makes one; --data-dir names another folder";
  } else if (error.code == Code::denied) {
    error.hint = "alerts are for root: try sudo";
  }
  return error;
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

std::string format_time(uint64_t time_ns) {
  const auto seconds = static_cast<time_t>(time_ns / 1'000'000'000);
  tm parts{};
  ::localtime_r(&seconds, &parts);
  char buffer[32];
  return {buffer, std::strftime(buffer, sizeof buffer, "%Y-%m-%d %H:%M:%S", &parts)};
}

// Prints alerts one by one, as lines for people or as JSON lines.
class AlertPrinter {
 public:
  explicit AlertPrinter(const AlertsOptions& options)
      : json_(options.json), colour_(!options.json && wants_colour()), out_(STDOUT_FILENO) {
    json_options_.iso_time = options.iso_time;
  }
  // False when nobody reads any more.
  bool print(const StoredAlert& alert) {
    std::string& buffer = out_.buffer();
    if (json_) {
      buffer += store::to_json(alert, json_options_);
    } else {
      if (colour_) buffer += output::colour_of(alert.finding.severity);
      buffer += fmt::format(
          "{:>6}  {}  {:<13}  {}: {}", alert.id, format_time(alert.finding.time_ns),
          finding::to_string(alert.finding.severity), output::escape_controls(alert.finding.rule),
          output::escape_controls(alert.finding.message));
      if (colour_) buffer += output::kColourEnd;
    }
    buffer += '\n';
    out_.maybe_flush();
    return out_.alive();
  }
  bool flush() {
    out_.flush();
    return out_.alive();
  }

 private:
  bool json_, colour_;
  finding::JsonOptions json_options_;
  TextOutput out_;
};

void install_stop_signals() {
  struct sigaction action{};
  action.sa_handler = on_stop_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

// Goes on with what comes.
Status follow(store::Reader& reader, AlertFilter filter, int64_t last, AlertPrinter& printer) {
  filter.limit = 0;
  while (!stop_requested) {
    ::nanosleep(&kFollowPause, nullptr);
    filter.after_id = last;
    bool alive = true;
    SAKER_CHECK(reader.each(filter, [&](const StoredAlert& alert) {
      last = alert.id;
      alive = printer.print(alert);
      return alive;
    }));
    if (!printer.flush() || !alive) return {};
  }
  return {};
}

std::string field_text(const finding::FieldValue& value) {
  std::string text;
  finding::append_json_value(value, text);
  return text;
}

void append_counts(std::string_view title,
                   const std::vector<std::pair<std::string, uint64_t>>& counts, std::string& out) {
  if (counts.empty()) return;
  out += fmt::format("\n{}\n", title);
  for (const auto& [name, count] : counts)
    out += fmt::format("{:>8}  {}\n", count, output::escape_controls(name));
}

std::string stats_text(const store::AlertStats& stats) {
  std::string out = fmt::format("{} alerts", stats.total);
  if (stats.total != 0)
    out += fmt::format(" from {} to {}", format_time(stats.first_ns), format_time(stats.last_ns));
  out += fmt::format("; the store has {} bytes, {} alerts were removed for age or size\n",
                     stats.bytes, stats.removed);
  std::vector<std::pair<std::string, uint64_t>> priorities;
  for (const auto& [severity, count] : stats.by_priority)
    priorities.emplace_back(finding::to_string(severity), count);
  append_counts("By priority", priorities, out);
  append_counts("By rule", stats.by_rule, out);
  append_counts("By source", stats.by_source, out);
  append_counts("By container", stats.by_container, out);
  return out;
}

std::string json_counts(const std::vector<std::pair<std::string, uint64_t>>& counts) {
  std::string out = "{";
  for (const auto& [name, count] : counts) {
    if (out.size() > 1) out += ',';
    finding::append_json_string(name, out);
    out += fmt::format(":{}", count);
  }
  return out + "}";
}

std::string stats_json(const store::AlertStats& stats) {
  std::vector<std::pair<std::string, uint64_t>> priorities;
  for (const auto& [severity, count] : stats.by_priority)
    priorities.emplace_back(finding::to_string(severity), count);
  return fmt::format(
      "{{\"total\":{},\"first_time_ns\":{},\"last_time_ns\":{},\"by_priority\":{},\"by_rule\":{},"
      "\"by_source\":{},\"by_container\":{},\"removed\":{},\"store_bytes\":{}}}\n",
      stats.total, stats.first_ns, stats.last_ns, json_counts(priorities),
      json_counts(stats.by_rule), json_counts(stats.by_source), json_counts(stats.by_container),
      stats.removed, stats.bytes);
}

void print(std::string_view text) {
  TextOutput out(STDOUT_FILENO);
  out.buffer() += text;
}

}  // namespace

Result<int> alerts_list(const AlertsOptions& options) {
  const AlertFilter filter = SAKER_TRY(to_filter(options));
  store::Reader reader = SAKER_TRY(open_store(options));
  install_stop_signals();
  AlertPrinter printer(options);
  // What follows is what is newer than all that is there now, whether it matched or not.
  int64_t last = SAKER_TRY(reader.last_id());
  SAKER_CHECK(reader.each(filter, [&](const StoredAlert& alert) {
    last = std::max(last, alert.id);
    return !stop_requested && printer.print(alert);
  }));
  if (printer.flush() && options.follow) SAKER_CHECK(follow(reader, filter, last, printer));
  return kExitOk;
}

Result<int> alerts_show(const AlertsOptions& options) {
  store::Reader reader = SAKER_TRY(open_store(options));
  const std::optional<StoredAlert> alert =
      SAKER_TRY(reader.find(static_cast<int64_t>(std::min<uint64_t>(options.id, INT64_MAX))));
  if (!alert) {
    std::fprintf(stderr, "saker: there is no alert %llu\n",
                 static_cast<unsigned long long>(options.id));
    return kExitFailed;
  }
  if (options.json) {
    print(store::to_json(*alert, {.include_message = true, .iso_time = options.iso_time}) + "\n");
    return kExitOk;
  }
  const finding::Finding& finding = alert->finding;
  std::string out;
  auto row = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("{:<12} {}\n", name, output::escape_controls(value));
  };
  row("id", std::to_string(alert->id));
  row("time",
      format_time(finding.time_ns) + fmt::format(".{:09}", finding.time_ns % 1'000'000'000));
  row("priority", finding::to_string(finding.severity));
  row("rule", finding.rule);
  row("source", finding.source);
  row("host", finding.hostname);
  row("container", finding.container_id);
  std::string tags;
  for (const std::string& tag : finding.tags) tags += (tags.empty() ? "" : ", ") + tag;
  row("tags", tags);
  row("message", finding.message);
  if (!finding.fields.empty()) out += "fields\n";
  for (const finding::NamedValue& field : finding.fields)
    out += fmt::format("  {} = {}\n", output::escape_controls(field.name),
                       output::escape_controls(field_text(field.value)));
  print(out);
  return kExitOk;
}

Result<int> alerts_stats(const AlertsOptions& options) {
  const AlertFilter filter = SAKER_TRY(to_filter(options));
  store::Reader reader = SAKER_TRY(open_store(options));
  const store::AlertStats stats = SAKER_TRY(reader.stats(filter));
  print(options.json ? stats_json(stats) : stats_text(stats));
  return kExitOk;
}

}  // namespace saker::cmd
