#include "capture/k8s_audit/audit_block.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "base/time.h"
#include "formats/json_text.h"

namespace saker::capture {

namespace {

using audit::AuditValue;

// Of the stage; a server writes null for a time that it does not know.
std::optional<uint64_t> time_of(const AuditText& record) {
  for (const AuditValue value : {AuditValue::stage_time, AuditValue::request_time}) {
    std::string_view time = record.value(value);
    if (time.size() < 2 || time.front() != '"') continue;
    time = time.substr(1, time.size() - 2);
    if (const std::optional<uint64_t> ns = parse_rfc3339(time)) return ns;
  }
  return std::nullopt;
}

const formats::JsonPaths& audit_paths() {
  static const formats::JsonPaths paths(audit::kAuditPointers);
  return paths;
}

}  // namespace

AuditText::AuditText() : index_(audit_paths()) {}

void AuditBlock::load(const LogPiece& piece) {
  piece_ = piece;
  cursor_ = text_begin_ = piece.text.data();
  line_ = text_line_ = 0;
  items_.clear();
  problems_.clear();
  old_format_ = scanned_ = false;
  if (piece.skipped) {
    lose("event longer than 64 MiB");
    line_ = 1;
    return;
  }
  // One broken line spoils the block: then each text is looked at for itself.
  scanned_ = piece.lines && record_.scan(piece.text);
}

bool AuditBlock::next_text(std::string_view& text) {
  const char* limit = piece_.text.data() + piece_.text.size();
  const auto left = static_cast<size_t>(limit - cursor_);
  if (left == 0) return false;
  text_begin_ = cursor_;
  text_line_ = line_;
  if (!piece_.lines) {
    text = {cursor_, limit};
    // A problem is told of where the document begins.
    const size_t blanks = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    text_line_ += static_cast<uint64_t>(std::ranges::count(text.substr(0, blanks), '\n'));
    text_begin_ += blanks;
    line_ += static_cast<uint64_t>(std::ranges::count(text, '\n'));
    cursor_ = limit;
    return true;
  }
  const void* end = std::memchr(cursor_, '\n', left);
  text = {cursor_, end != nullptr ? static_cast<const char*>(end) : limit};
  cursor_ = end != nullptr ? static_cast<const char*>(end) + 1 : limit;
  ++line_;
  return true;
}

void AuditBlock::lose(std::string_view reason, bool no_json) {
  problems_.push_back({.reason = reason,
                       .line = text_line_,
                       .offset = static_cast<uint64_t>(text_begin_ - piece_.text.data()),
                       .no_json = no_json});
}

void AuditBlock::take_items(std::string_view array) {
  const auto before = static_cast<ptrdiff_t>(items_.size());
  const bool whole = formats::json_text::for_each_element(array, [&](std::string_view item) {
    items_.push_back(item);
    return true;
  });
  if (!whole) lose("list that is not valid JSON", true);
  std::reverse(items_.begin() + before, items_.end());
}

// Puts what the text holds on items_, last first.
void AuditBlock::take(std::string_view text) {
  text = trim(text);
  if (text.empty()) return;
  if (text.front() == '{') {
    items_.push_back(text);
  } else if (text.front() == '[') {
    take_items(text);
  } else if (text.find("AUDIT: id=") != std::string_view::npos) {
    old_format_ = true;
  } else {
    lose("line that is not JSON", true);
  }
}

bool AuditBlock::to_event(std::string_view text, event::Event& event) {
  if (!(scanned_ ? record_.load_part(text) : record_.load(text))) {
    lose(text.ends_with('}') ? "text that is not valid JSON" : "event that is not complete", true);
    return false;
  }
  const std::string_view kind = record_.value(AuditValue::kind);
  if (kind == "\"EventList\"") {
    if (const auto list = record_.value(AuditValue::items); !list.empty()) take_items(list);
    return false;
  }
  if (!kind.empty() && kind != "\"Event\"") {
    lose("object that is no audit event");
    return false;
  }
  // Without it nothing of an event has a value, as in the reference.
  if (const auto id = record_.value(AuditValue::audit_id); id.empty() || id == "null") {
    lose("event without an auditID");
    return false;
  }
  const std::optional<uint64_t> ns = time_of(record_);
  if (!ns) {
    lose("event without a time");
    return false;
  }
  event.source = event::Source::k8s_audit;
  event.type = event::PLUGINEVENT_E;
  event.timestamp = *ns;
  event.tid = 0;
  event.param_count = 0;
  event.length = static_cast<uint32_t>(text.size());
  return true;
}

bool AuditBlock::next(event::Event& event) {
  while (!old_format_) {
    if (!items_.empty()) {
      const std::string_view item = items_.back();
      items_.pop_back();
      if (to_event(item, event)) return true;
      continue;
    }
    std::string_view text;
    if (!next_text(text)) return false;
    take(text);
  }
  return false;
}

}  // namespace saker::capture
