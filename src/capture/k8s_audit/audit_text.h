// One audit event's text with a table of where its values are.
#pragma once

#include <optional>
#include <string_view>

#include "event/audit_record.h"
#include "formats/json_index.h"

namespace saker::capture {

class AuditText final : public audit::AuditRecord {
 public:
  AuditText();

  // Looks at a block of events at once, for load_part() of each. As those of JsonIndex.
  bool scan(std::string_view block) { return index_.scan(block); }
  bool load_part(std::string_view text) { return index_.load_part(text); }
  // False when the text is no JSON object. kJsonPadding bytes behind it must be readable.
  bool load(std::string_view text) { return index_.load(text); }

  [[nodiscard]] std::string_view text() const override { return index_.text(); }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view pointer) const override {
    return index_.find(pointer);
  }
  [[nodiscard]] std::string_view value(audit::AuditValue value) const override {
    return index_.value(static_cast<size_t>(value));
  }

 private:
  formats::JsonIndex index_;
};

}  // namespace saker::capture
