// What Saker says: one form for alerts of rules, vulnerabilities, posture and incidents. A Finding
// owns all of its text, so that it outlives the event that caused it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace saker::finding {

// Smaller is more severe; the numbers are those of syslog.
enum class Severity : uint8_t {
  emergency,
  alert,
  critical,
  error,
  warning,
  notice,
  informational,
  debug
};

// "Critical"; informational is "Informational".
std::string_view to_string(Severity severity);
// Case-insensitive; "info" is informational. Nothing when it is no severity.
std::optional<Severity> parse_severity(std::string_view text);

// A value in a finding, typed as JSON has it. Monostate is null.
using FieldValue = std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string,
                                std::vector<std::string>>;

struct NamedValue {
  std::string name;
  FieldValue value;
};

struct Finding {
  uint64_t time_ns = 0;  // of the event, since the epoch
  std::string rule = {};
  Severity severity = Severity::debug;
  std::string source = "syscall";
  std::string hostname = {};
  std::string message = {};             // the filled-in output template, without time and severity
  std::vector<std::string> tags = {};   // sorted
  std::vector<NamedValue> fields = {};  // in template order
  std::string container_id = {};  // of the container that the event came from; for late metadata
  uint64_t sequence = 0;          // event number, for replay and tests
};

struct JsonOptions {
  bool include_output = true;
  bool include_message = false;
  bool include_fields = true;
  bool include_tags = true;
  bool iso_time = false;  // the text line's prefix is ISO 8601 in UTC instead of local HH:MM:SS

  bool operator==(const JsonOptions&) const = default;
};

// "19:59:17.768779027: Critical message": the line that people see. `iso_time` as in JsonOptions.
std::string to_line(const Finding& finding, bool iso_time = false);

// One JSON object without newline, keys in alphabetical order, in the shape that alert consumers
// know.
std::string to_json(const Finding& finding, const JsonOptions& options = {});

// Appends a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string_view text, std::string& out);
void append_json_value(const FieldValue& value, std::string& out);

}  // namespace saker::finding
