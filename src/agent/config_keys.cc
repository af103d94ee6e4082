#include "agent/config_keys.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/assert.h"
#include "base/strings.h"
#include "base/units.h"

namespace saker::agent {

namespace {

using enum KeyKind;

// Where a key's value is in the configuration.
#define SAKER_AT(member) [](Config& config) -> KeyTarget { return &config.member; }

std::vector<KeyRow> fixed_rows() {
  constexpr uint64_t kAny = UINT64_MAX;
  return {
      {"rules_files", list, SAKER_AT(rules_files),
       "Rule files and folders, in order; none: Saker's own rules"},
      {"rules", special, nullptr,
       "Rules switched on and off after loading, in order: {enable: {rule: GLOB}}, {disable: {tag: "
       "TAG}}"},
      {"rule_matching", choice, SAKER_AT(rule_matching),
       "Whether all rules that match an event fire, or only the first", "all|first"},
      {"priority", severity, SAKER_AT(priority), "The least severe rules to load"},
      {"append_output", special, nullptr,
       "Text and fields added to the output of rules: {match: {source, rule, tags}, extra_output, "
       "extra_fields}"},
      {"suggested_output", boolean, SAKER_AT(suggested_output),
       "Alerts from containers name container, image and pod, also when the rule's output does "
       "not"},
      {"static_fields", special, nullptr, "Names and values that outputs can use as %static.NAME"},
      {"watch_config_files", boolean, SAKER_AT(watch_config_files),
       "Load rules anew when their files change"},
      {"json_output", boolean, SAKER_AT(json_output), "Outputs whose format is auto write JSON"},
      {"json_include_output_property", boolean, SAKER_AT(json_include_output_property),
       "JSON has `output`: the line for people"},
      {"json_include_message_property", boolean, SAKER_AT(json_include_message_property),
       "JSON has `message`: that line without time and priority"},
      {"json_include_output_fields_property", boolean,
       SAKER_AT(json_include_output_fields_property), "JSON has `output_fields`"},
      {"json_include_tags_property", boolean, SAKER_AT(json_include_tags_property),
       "JSON has `tags`"},
      {"time_format_iso_8601", boolean, SAKER_AT(time_format_iso_8601),
       "Lines begin with the date, in UTC"},
      {"hostname", text, SAKER_AT(hostname),
       "Host name in alerts; empty: $FALCO_HOSTNAME, or the machine's"},
      {"data_dir", text, SAKER_AT(data_dir),
       "Folder of the alert store; empty: $SAKER_DATA_DIR, or /var/lib/saker"},
      {"log_level", choice, SAKER_AT(log_level),
       "Least important of Saker's own messages on stderr", "debug|info|warning|error|off"},
      {"drop_privileges", boolean, SAKER_AT(drop_privileges),
       "Give up capabilities once everything is attached"},
      {"outputs_queue.capacity", number, SAKER_AT(outputs_queue.capacity),
       "Findings that may wait for each output; more are dropped and counted", "", 1, 10'000'000},
      {"outputs_queue.slow_after", duration, SAKER_AT(outputs_queue.slow_after),
       "A delivery that takes longer is logged"},
      {"outputs_queue.shutdown_timeout", duration, SAKER_AT(outputs_queue.shutdown_timeout),
       "How long outputs may take to empty their queues at the end"},
      {"rate_limit.per_second", number, SAKER_AT(rate_limit.per_second),
       "Findings of one rule that pass in a second; 0: all"},
      {"rate_limit.burst", number, SAKER_AT(rate_limit.burst),
       "Findings of one rule that pass at once", "", 1, kAny},
      {"store.enabled", boolean, SAKER_AT(store.enabled), "Keep alerts for `saker alerts`"},
      {"store.max_size", size, SAKER_AT(store.max_size),
       "Largest size on disk; the oldest alerts are removed", "", 1 << 20, uint64_t{1} << 44},
      {"store.max_age", duration, SAKER_AT(store.max_age), "Older alerts are removed; 0: never"},
      {"store.queue_capacity", number, SAKER_AT(store.queue_capacity),
       "Alerts that may wait for the disk; more are dropped and counted", "", 1, 10'000'000},
      {"store.batch_time", duration, SAKER_AT(store.batch_time),
       "How long an alert waits for others before it is written", "", 0, 10'000},
      {"server.enabled", boolean, SAKER_AT(server.enabled),
       "Serve health, metrics, alerts and live events over HTTP"},
      {"server.listen", text, SAKER_AT(server.listen),
       "Address and port; what other machines can reach needs a certificate and a token"},
      {"server.certificate_file", text, SAKER_AT(server.certificate_file), "TLS certificate (PEM)"},
      {"server.key_file", text, SAKER_AT(server.key_file), "Key of the certificate (PEM)"},
      {"server.token_file", text, SAKER_AT(server.token_file),
       "File with the token that requests must bring (Authorization: Bearer)"},
      {"server.metrics", boolean, SAKER_AT(server.metrics), "Serve /metrics"},
      {"server.max_streams", number, SAKER_AT(server.max_streams),
       "Clients of the live event stream", "", 0, 12},
      {"server.stream_queue", number, SAKER_AT(server.stream_queue),
       "Events that may wait for such a client before it is cut off", "", 1, 1'000'000},
      {"audit.webhook.listen", text, SAKER_AT(audit.webhook.listen),
       "Address and port that take kube-apiserver's audit events; empty: none. What other machines "
       "can reach needs a certificate, and client certificates or a token"},
      {"audit.webhook.certificate_file", text, SAKER_AT(audit.webhook.certificate_file),
       "TLS certificate (PEM)"},
      {"audit.webhook.key_file", text, SAKER_AT(audit.webhook.key_file),
       "Key of the certificate (PEM)"},
      {"audit.webhook.client_ca_file", text, SAKER_AT(audit.webhook.client_ca_file),
       "Authority (PEM) that must have signed the certificates of clients"},
      {"audit.webhook.token_file", text, SAKER_AT(audit.webhook.token_file),
       "File with the token that requests must bring (Authorization: Bearer)"},
      {"audit.log_files", list, SAKER_AT(audit.log_files),
       "Audit logs of kube-apiserver to follow, over rotation and restarts"},
      {"audit.spool.max_size", size, SAKER_AT(audit.spool.max_size),
       "Largest size on disk of the events that were received; the oldest are removed", "",
       uint64_t{64} << 20, uint64_t{1} << 44},
      {"audit.spool.max_age", duration, SAKER_AT(audit.spool.max_age),
       "Older events are removed; 0: never"},
      {"live.ring_size", size, SAKER_AT(live.ring_size), "Kernel buffer for events; a power of two",
       "", 1 << 16, 1 << 30},
      {"live.process_ring_size", size, SAKER_AT(live.process_ring_size),
       "Kernel buffer for fork, exec and exit alone; a power of two", "", 1 << 16, 1 << 30},
      {"live.snaplen", number, SAKER_AT(live.snaplen), "Bytes kept of data that is read or written",
       "", 0, 65'535},
      {"live.drop_failed", boolean, SAKER_AT(live.drop_failed), "Leave out calls that failed"},
      {"live.push_down", boolean, SAKER_AT(live.push_down),
       "Let the kernel test arguments, so that it sends less"},
      {"containers.enabled", boolean, SAKER_AT(containers.enabled),
       "Ask container runtimes for metadata"},
      {"containers.sockets", list, SAKER_AT(containers.sockets),
       "Sockets of container runtimes; none: where they usually are"},
      {"containers.metadata_wait", duration, SAKER_AT(containers.metadata_wait),
       "How long an alert waits for metadata of its container", "", 0, 60'000},
      {"containers.cache_size", number, SAKER_AT(containers.cache_size),
       "Containers whose metadata is kept", "", 1, 1'000'000},
  };
}

#undef SAKER_AT

// Every output has these besides its own options.
constexpr output::SinkOption kEnabled = {.name = "enabled", .kind = output::OptionKind::boolean};
constexpr output::SinkOption kPriority = {.name = "priority",
                                          .summary = "Only findings this severe or more"};

KeyKind kind_of(output::OptionKind kind) {
  switch (kind) {
    case output::OptionKind::text: return text;
    case output::OptionKind::boolean: return boolean;
    case output::OptionKind::number: return number;
    case output::OptionKind::duration: return duration;
    case output::OptionKind::choice: return choice;
    case output::OptionKind::list: return list;
  }
  return text;
}

void add_sink_rows(const output::SinkInfo& sink, std::vector<KeyRow>& rows) {
  const std::string prefix = "outputs." + std::string(sink.name) + ".";
  rows.push_back({.path = prefix + "enabled",
                  .kind = boolean,
                  .summary = std::string(sink.summary),
                  .sink = &sink,
                  .option = &kEnabled});
  rows.push_back({.path = prefix + "priority",
                  .kind = severity,
                  .summary = std::string(kPriority.summary),
                  .sink = &sink,
                  .option = &kPriority});
  for (const output::SinkOption& option : sink.options) {
    rows.push_back({.path = prefix + std::string(option.name),
                    .kind = kind_of(option.kind),
                    .summary = std::string(option.summary),
                    .choices = std::string(option.choices),
                    .sink = &sink,
                    .option = &option});
  }
}

// Where a row's value is. For options of outputs that are neither switch nor priority: nowhere.
KeyTarget target_of(Config& config, const KeyRow& row) {
  if (row.target != nullptr) return row.target(config);
  if (row.sink == nullptr) return std::monostate{};
  SinkConfig* sink = config.sink(row.sink->name);
  SAKER_ASSERT(sink != nullptr);
  if (row.option == &kEnabled) return &sink->enabled;
  if (row.option == &kPriority) return &sink->priority;
  if (row.kind == list) return &sink->settings.lists[std::string(row.option->name)];
  return &sink->settings.values[std::string(row.option->name)];
}

Error wrong(std::string_view text, std::string_view expected) {
  return Error{
      .code = Code::invalid,
      .message = fmt::format("'{}' is no {}", sanitize_utf8(text.substr(0, 100)), expected)};
}

Result<uint64_t> check_range(const KeyRow& row, uint64_t value) {
  if (value >= row.least && value <= row.most) return value;
  auto show = [&](uint64_t bound) {
    if (row.kind == size) return format_size(bound);
    if (row.kind == duration) return format_duration(std::chrono::milliseconds(bound));
    return std::to_string(bound);
  };
  if (value < row.least) return Error{.message = "must be at least " + show(row.least)};
  return Error{.message = "must be at most " + show(row.most)};
}

// The number that a number, size or duration (in ms) stands for.
Result<uint64_t> parse_quantity(const KeyRow& row, std::string_view text) {
  if (row.kind == duration) {
    const auto value = parse_duration(text);
    if (!value) return wrong(text, "duration, as 500ms, 10s or 2h");
    return check_range(row, static_cast<uint64_t>(value->count()));
  }
  const auto value = row.kind == size ? parse_size(text) : parse_uint(text);
  if (!value) return wrong(text, row.kind == size ? "size, as 512MiB" : "number");
  return check_range(row, *value);
}

Result<std::string> check_choice(const KeyRow& row, std::string_view text) {
  std::vector<std::string> names;
  for (std::string_view name : split(row.choices, '|')) names.emplace_back(name);
  const std::string lower = to_lower(text);
  if (std::ranges::find(names, lower) != names.end()) return lower;
  Error error = wrong(text, "choice here; there are " + join(names, ", "));
  if (const auto near = nearest(lower, names)) error.hint = "did you mean '" + *near + "'?";
  return error;
}

// The value in the one form that settings keep: "true", digits, a name.
Result<std::string> canonical(const KeyRow& row, std::string_view value) {
  switch (row.kind) {
    case boolean: {
      const auto flag = parse_bool(value);
      if (!flag) return wrong(value, "true or false");
      return std::string(*flag ? "true" : "false");
    }
    case number:
    case size:
    case duration: return std::to_string(SAKER_TRY(parse_quantity(row, value)));
    case choice: return check_choice(row, value);
    case severity:
      if (!finding::parse_severity(value)) return wrong(value, "priority");
      return std::string(value);
    default: return std::string(value);
  }
}

std::string quote(std::string_view value) {
  std::string out;
  finding::append_json_string(value, out);
  return out;
}

struct Render {
  const KeyRow& row;

  std::string operator()(std::monostate) const { return row.path == "static_fields" ? "{}" : "[]"; }
  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const uint64_t* value) const {
    return row.kind == size ? format_size(*value) : std::to_string(*value);
  }
  std::string operator()(const std::chrono::milliseconds* value) const {
    return format_duration(*value);
  }
  std::string operator()(const std::string* value) const {
    if (row.kind == text) return quote(*value);
    if (row.kind != duration) return *value;
    return format_duration(std::chrono::milliseconds(parse_uint(*value).value_or(0)));
  }
  std::string operator()(const std::vector<std::string>* values) const {
    std::vector<std::string> quoted;
    for (const std::string& value : *values) quoted.push_back(quote(value));
    return "[" + join(quoted, ", ") + "]";
  }
  std::string operator()(const finding::Severity* value) const {
    return to_lower(finding::to_string(*value));
  }
};

}  // namespace

const std::vector<KeyRow>& key_rows() {
  static const std::vector<KeyRow> rows = [] {
    std::vector<KeyRow> all = fixed_rows();
    for (const output::SinkInfo* sink : output::all_sinks()) add_sink_rows(*sink, all);
    return all;
  }();
  return rows;
}

const KeyRow* find_key(std::string_view path) {
  for (const KeyRow& row : key_rows())
    if (row.path == path) return &row;
  return nullptr;
}

bool is_group(std::string_view path) {
  return std::ranges::any_of(key_rows(), [&](const KeyRow& row) {
    return row.path.size() > path.size() && row.path.starts_with(path) &&
           row.path[path.size()] == '.';
  });
}

std::optional<bool> parse_bool(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "y") return true;
  if (word == "false" || word == "no" || word == "off" || word == "n") return false;
  return std::nullopt;
}

Status set_scalar(Config& config, const KeyRow& row, std::string_view value) {
  const std::string text = SAKER_TRY(canonical(row, value));
  const KeyTarget target = target_of(config, row);
  if (bool* const* flag = std::get_if<bool*>(&target)) **flag = text == "true";
  if (uint64_t* const* count = std::get_if<uint64_t*>(&target)) **count = *parse_uint(text);
  if (auto* const* time = std::get_if<std::chrono::milliseconds*>(&target))
    **time = std::chrono::milliseconds(*parse_uint(text));
  if (std::string* const* string = std::get_if<std::string*>(&target)) **string = text;
  if (finding::Severity* const* level = std::get_if<finding::Severity*>(&target))
    **level = *finding::parse_severity(text);
  return {};
}

std::vector<std::string>& list_of(Config& config, const KeyRow& row) {
  const KeyTarget target = target_of(config, row);
  std::vector<std::string>* const* values = std::get_if<std::vector<std::string>*>(&target);
  SAKER_ASSERT(values != nullptr);
  return **values;
}

std::string render_value(const Config& config, const KeyRow& row) {
  Config copy = config;  // targets are for writing
  return std::visit(Render{row}, target_of(copy, row));
}

}  // namespace saker::agent
