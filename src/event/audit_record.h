// An audit event of Kubernetes as fields and analyses see it: its JSON text, and values looked up
// by JSON pointer (RFC 6901). Whoever parses the text implements it.
#pragma once

#include <optional>
#include <string_view>

namespace saker::audit {

// Valid as long as the event. Not thread-safe: look-ups may keep what they parsed.
struct AuditRecord {
  virtual ~AuditRecord() = default;

  // The whole event, as it came: one JSON object.
  [[nodiscard]] virtual std::string_view text() const = 0;

  // The value that `pointer` names, as its JSON text (a string with its quotes and escapes);
  // nothing when it is not there. "" is the whole event.
  [[nodiscard]] virtual std::optional<std::string_view> find(std::string_view pointer) const = 0;
};

}  // namespace saker::audit
