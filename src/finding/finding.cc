// Severity names, the people's line and the JSON object of a finding.
#include "finding/finding.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

#include "base/strings.h"

namespace saker::finding {

namespace {

constexpr std::string_view kSeverityNames[] = {"Emergency", "Alert",  "Critical",      "Error",
                                               "Warning",   "Notice", "Informational", "Debug"};

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

void append_number(auto value, std::string& out) {
  char buffer[32];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, static_cast<size_t>(end - buffer));
}

void append_nanoseconds(uint64_t time_ns, std::string& out) {
  char digits[16];
  std::snprintf(digits, sizeof digits, ".%09llu",
                static_cast<unsigned long long>(time_ns % kNanosecondsPerSecond));
  out += digits;
}

void append_time(uint64_t time_ns, const char* format, bool utc, std::string& out) {
  const auto seconds = static_cast<time_t>(time_ns / kNanosecondsPerSecond);
  tm parts{};
  if (utc) {
    ::gmtime_r(&seconds, &parts);
  } else {
    ::localtime_r(&seconds, &parts);
  }
  char buffer[48];
  out.append(buffer, std::strftime(buffer, sizeof buffer, format, &parts));
  append_nanoseconds(time_ns, out);
}

void append_key(std::string_view key, std::string& out) {
  if (out.back() != '{') out += ',';
  append_json_string(key, out);
  out += ':';
}

void append_text_member(std::string_view key, std::string_view value, std::string& out) {
  append_key(key, out);
  append_json_string(value, out);
}

void append_fields(const Finding& finding, bool iso_time, std::string& out) {
  const std::string_view time_key = iso_time ? "evt.time.iso8601" : "evt.time";
  const FieldValue time_value = finding.time_ns;
  std::vector<std::pair<std::string_view, const FieldValue*>> rows;
  rows.reserve(finding.fields.size() + 1);
  rows.emplace_back(time_key, &time_value);
  for (const NamedValue& field : finding.fields)
    if (field.name != time_key) rows.emplace_back(field.name, &field.value);
  std::ranges::sort(rows, {}, &std::pair<std::string_view, const FieldValue*>::first);
  out += '{';
  for (const auto& [name, value] : rows) {
    append_key(name, out);
    append_json_value(*value, out);
  }
  out += '}';
}

void append_tags(const std::vector<std::string>& tags, std::string& out) {
  out += '[';
  for (size_t i = 0; i < tags.size(); ++i) {
    if (i != 0) out += ',';
    append_json_string(tags[i], out);
  }
  out += ']';
}

struct JsonValueWriter {
  std::string& out;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(int64_t value) const { append_number(value, out); }
  void operator()(uint64_t value) const { append_number(value, out); }
  void operator()(double value) const {
    if (!std::isfinite(value)) {
      out += "null";
      return;
    }
    append_number(value, out);
  }
  void operator()(const std::string& value) const { append_json_string(value, out); }
  void operator()(const std::vector<std::string>& values) const { append_tags(values, out); }
};

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverityNames[static_cast<size_t>(severity)];
}

std::optional<Severity> parse_severity(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "info") return Severity::informational;
  for (size_t i = 0; i < std::size(kSeverityNames); ++i)
    if (to_lower(kSeverityNames[i]) == word) return static_cast<Severity>(i);
  return std::nullopt;
}

void append_json_string(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string repaired;
  if (!is_utf8(text)) {
    repaired = sanitize_utf8(text);
    text = repaired;
  }
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[(c >> 4) & 0xf];
          out += kHex[c & 0xf];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_json_value(const FieldValue& value, std::string& out) {
  std::visit(JsonValueWriter{out}, value);
}

std::string to_line(const Finding& finding, bool iso_time) {
  std::string line;
  line.reserve(finding.message.size() + 64);
  if (iso_time) {
    append_time(finding.time_ns, "%Y-%m-%dT%H:%M:%S", true, line);
    line += "+0000";
  } else {
    append_time(finding.time_ns, "%H:%M:%S", false, line);
  }
  line += ": ";
  line += to_string(finding.severity);
  line += ' ';
  line += finding.message;
  return line;
}

std::string to_json(const Finding& finding, const JsonOptions& options) {
  std::string out;
  out.reserve(finding.message.size() * 2 + 512);
  out += '{';
  append_text_member("hostname", finding.hostname, out);
  if (options.include_message) append_text_member("message", finding.message, out);
  if (options.include_output) append_text_member("output", to_line(finding, options.iso_time), out);
  if (options.include_fields) {
    append_key("output_fields", out);
    append_fields(finding, options.iso_time, out);
  }
  append_text_member("priority", to_string(finding.severity), out);
  append_text_member("rule", finding.rule, out);
  append_text_member("source", finding.source, out);
  if (options.include_tags) {
    append_key("tags", out);
    append_tags(finding.tags, out);
  }
  std::string time;
  append_time(finding.time_ns, "%Y-%m-%dT%H:%M:%S", true, time);
  time += 'Z';
  append_text_member("time", time, out);
  out += '}';
  return out;
}

}  // namespace saker::finding
