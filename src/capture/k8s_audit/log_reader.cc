#include "capture/k8s_audit/log_reader.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "base/time.h"
#include "formats/json_text.h"

namespace saker::capture {

namespace {

// A list of a whole cluster's objects in one response is tens of megabytes; more than this is no
// audit event.
constexpr size_t kLongestText = 64 * 1024 * 1024;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Follows brackets and quotes up to the end of one document.
class Balance {
 public:
  // The number of bytes up to and with the end of the document; nothing when it goes on.
  std::optional<size_t> end_in(std::string_view text, size_t from) {
    for (size_t i = from; i < text.size(); ++i) {
      const char c = text[i];
      if (in_string_) {
        if (escaped_)
          escaped_ = false;
        else if (c == '\\')
          escaped_ = true;
        else if (c == '"')
          in_string_ = false;
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (c == '}' || c == ']') {
        if (--depth_ <= 0) return i + 1;
      }
    }
    return std::nullopt;
  }

 private:
  int64_t depth_ = 0;
  bool in_string_ = false, escaped_ = false;
};

}  // namespace

Result<std::unique_ptr<AuditLogReader>> AuditLogReader::open(const std::string& path) {
  return std::make_unique<AuditLogReader>(SAKER_TRY(ChunkStream::open(path)));
}

AuditLogReader::AuditLogReader(std::unique_ptr<ChunkStream> stream, Bytes window)
    : stream_(std::move(stream)), path_(stream_->name()) {
  static_assert(ChunkStream::kReadBehind >= formats::kJsonPadding);
  cursor_ = window_ = reinterpret_cast<const char*>(window.data());
  limit_ = cursor_ + window.size();
}

bool AuditLogReader::more() {
  const auto unread = static_cast<size_t>(limit_ - cursor_);
  if (unread > kLongestText) return false;
  passed_ += static_cast<uint64_t>(cursor_ - window_);
  Bytes window;
  if (!stream_->more(Bytes(reinterpret_cast<const uint8_t*>(cursor_), unread), window)) {
    window_ = cursor_;
    return false;
  }
  cursor_ = window_ = reinterpret_cast<const char*>(window.data());
  limit_ = cursor_ + window.size();
  return true;
}

// The first line is a whole document in a log; where it only begins one, documents take several
// lines. A broken first line of a log is told by the second, which begins a document of its own.
AuditLogReader::Framing AuditLogReader::detect() {
  const auto line_end = [&](const char* from) {
    return static_cast<const char*>(std::memchr(from, '\n', static_cast<size_t>(limit_ - from)));
  };
  for (;;) {
    const std::string_view text(cursor_, static_cast<size_t>(limit_ - cursor_));
    const std::string_view inner = trim(text);
    const char* end = inner.empty() ? nullptr : line_end(inner.data());
    if (end != nullptr && end + 1 < limit_) {
      Balance balance;
      const std::string_view first(inner.data(), static_cast<size_t>(end - inner.data()));
      if (first.front() != '{' && first.front() != '[') return Framing::lines;
      const bool whole = balance.end_in(first, 0).has_value();
      return whole || (first.front() == '{' && end[1] == '{') ? Framing::lines : Framing::documents;
    }
    if (!more()) return end == nullptr ? Framing::documents : Framing::lines;
  }
}

void AuditLogReader::skip_long_line() {
  lose("event longer than 64 MiB");
  for (;;) {
    const void* end = std::memchr(cursor_, '\n', static_cast<size_t>(limit_ - cursor_));
    cursor_ = end != nullptr ? static_cast<const char*>(end) + 1 : limit_;
    if (end != nullptr || !more()) break;
  }
  ++lines_passed_;
}

bool AuditLogReader::next_line(std::string_view& text) {
  size_t searched = 0;
  for (;;) {
    const auto left = static_cast<size_t>(limit_ - cursor_);
    const void* end =
        left > searched ? std::memchr(cursor_ + searched, '\n', left - searched) : nullptr;
    if (end != nullptr) {
      text = {cursor_, static_cast<const char*>(end)};
      line_ = ++lines_passed_;
      text_at_ = passed_ + static_cast<uint64_t>(cursor_ - window_);
      cursor_ = static_cast<const char*>(end) + 1;
      return true;
    }
    searched = left;
    if (left > kLongestText) {
      skip_long_line();
      searched = 0;
    } else if (!more()) {
      text = {cursor_, limit_};
      line_ = ++lines_passed_;
      text_at_ = passed_ + static_cast<uint64_t>(cursor_ - window_);
      cursor_ = limit_;
      return !text.empty();
    }
  }
}

bool AuditLogReader::next_document(std::string_view& text) {
  Balance balance;
  size_t searched = 0;
  for (;;) {
    while (searched == 0 && cursor_ < limit_ && is_blank(*cursor_))
      lines_passed_ += *cursor_++ == '\n' ? 1 : 0;
    const std::string_view unread(cursor_, static_cast<size_t>(limit_ - cursor_));
    const std::optional<size_t> end = balance.end_in(unread, searched);
    searched = unread.size();
    if (!end && unread.size() <= kLongestText && more()) continue;
    if (unread.empty()) return false;
    text = unread.substr(0, end.value_or(unread.size()));
    line_ = lines_passed_ + 1;
    text_at_ = passed_ + static_cast<uint64_t>(cursor_ - window_);
    lines_passed_ += static_cast<uint64_t>(std::ranges::count(text, '\n'));
    cursor_ += text.size();
    return true;
  }
}

bool AuditLogReader::next_text(std::string_view& text) {
  if (framing_ == Framing::unknown) framing_ = detect();
  return framing_ == Framing::lines ? next_line(text) : next_document(text);
}

void AuditLogReader::lose(std::string_view reason) {
  const auto [row, fresh] = lost_.emplace(reason, 0);
  ++row->second;
  if (fresh)
    problems_.push_back(path_ + ":" + std::to_string(line_) + ": " + std::string(reason) +
                        ", at byte " + std::to_string(text_at_) + "; skipped");
}

void AuditLogReader::take_items(std::string_view array) {
  const auto before = static_cast<ptrdiff_t>(items_.size());
  const bool whole = formats::json_text::for_each_element(array, [&](std::string_view item) {
    items_.push_back(item);
    return true;
  });
  if (!whole) lose("list that is not valid JSON");
  std::reverse(items_.begin() + before, items_.end());
}

// Puts what the text holds on items_, last first.
void AuditLogReader::take(std::string_view text) {
  text = trim(text);
  if (text.empty()) return;
  if (text.front() == '{') {
    items_.push_back(text);
  } else if (text.front() == '[') {
    take_items(text);
  } else if (text.find("AUDIT: id=") != std::string_view::npos) {
    failed_ = true;
    error_ = {.code = Code::unsupported,
              .message = "an audit log in the old text format, which leaves most of an event out",
              .position = {.file = path_, .line = static_cast<uint32_t>(line_)},
              .hint = "start kube-apiserver with --audit-log-format=json"};
  } else {
    lose("line that is not JSON");
  }
}

bool AuditLogReader::to_event(std::string_view text, event::Event& event) {
  if (!record_.load(text)) {
    lose(text.ends_with('}') ? "text that is not valid JSON" : "event that is not complete");
    return false;
  }
  const std::optional<std::string_view> kind = record_.find("/kind");
  if (kind && *kind == "\"EventList\"") {
    if (const auto list = record_.find("/items")) take_items(*list);
    return false;
  }
  if (kind && *kind != "\"Event\"") {
    lose("object that is no audit event");
    return false;
  }
  std::string_view time = record_.find("/stageTimestamp").value_or("");
  if (time.size() >= 2 && time.front() == '"') time = time.substr(1, time.size() - 2);
  const std::optional<uint64_t> ns = parse_rfc3339(time);
  if (!ns) {
    lose("event without stageTimestamp");
    return false;
  }
  event.source = event::Source::k8s_audit;
  event.type = event::PLUGINEVENT_E;
  event.timestamp = *ns;
  event.tid = 0;
  event.param_count = 0;
  event.length = static_cast<uint32_t>(text.size());
  event.number = ++delivered_;
  return true;
}

Next AuditLogReader::next(event::Event& event) {
  while (!failed_) {
    if (!items_.empty()) {
      const std::string_view item = items_.back();
      items_.pop_back();
      if (to_event(item, event)) return Next::event;
      continue;
    }
    std::string_view text;
    if (!next_text(text)) {
      if (stream_->status().ok()) return Next::end;
      error_ = stream_->status().error();
      error_.position.file = path_;
      return Next::failed;
    }
    take(text);
  }
  return Next::failed;
}

SourceStats AuditLogReader::stats() const {
  SourceStats out;
  out.delivered = out.seen = delivered_;
  out.bytes = passed_ + static_cast<uint64_t>(cursor_ - window_);
  for (const auto& [reason, count] : lost_) {
    out.lost[reason] = count;
    out.seen += count;
  }
  return out;
}

}  // namespace saker::capture
