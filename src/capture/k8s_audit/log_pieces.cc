#include "capture/k8s_audit/log_pieces.h"

#include <cstring>
#include <optional>

#include "base/strings.h"
#include "formats/json.h"

namespace saker::capture {

namespace {

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

// The first line is a whole document in a log; where it only begins one, documents take several
// lines. A broken first line of a log is told by the second, which begins a document of its own.
// Nothing when the text is too short to tell.
std::optional<bool> tell_lines(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  const size_t end = text.find('\n');
  if (end == std::string_view::npos || end + 1 == text.size()) return std::nullopt;
  const std::string_view first = text.substr(0, end);
  if (first.front() != '{' && first.front() != '[') return true;
  Balance balance;
  return balance.end_in(first, 0).has_value() || (first.front() == '{' && text[end + 1] == '{');
}

}  // namespace

bool is_log_of_lines(std::string_view begin) {
  return tell_lines(begin).value_or(false);
}

LogPieces::LogPieces(std::unique_ptr<ChunkStream> stream, Bytes window)
    : stream_(std::move(stream)) {
  static_assert(ChunkStream::kReadBehind >= formats::kJsonPadding);
  cursor_ = window_ = reinterpret_cast<const char*>(window.data());
  limit_ = cursor_ + window.size();
}

// More bytes behind what is unread; false at the end, and when a text is too long.
bool LogPieces::more() {
  const std::string_view left = unread();
  if (left.size() > kLongestText) return false;
  passed_ += static_cast<uint64_t>(cursor_ - window_);
  Bytes window;
  if (!stream_->more(as_bytes(left), window)) {
    window_ = cursor_;
    return false;
  }
  cursor_ = window_ = reinterpret_cast<const char*>(window.data());
  limit_ = cursor_ + window.size();
  return true;
}

LogPieces::Framing LogPieces::detect() {
  for (;;) {
    if (const std::optional<bool> lines = tell_lines(unread()))
      return *lines ? Framing::lines : Framing::documents;
    const bool one_line = trim(unread()).find('\n') == std::string_view::npos;
    if (more()) continue;
    // A line too long to be an event is told from a document by the line behind it, which is not
    // read yet: documents have line breaks.
    const bool too_long = unread().size() > kLongestText;
    return one_line && !too_long ? Framing::documents : Framing::lines;
  }
}

void LogPieces::take(size_t size, LogPiece& piece) {
  piece = {.text = {cursor_, size}, .offset = offset(), .lines = framing_ == Framing::lines};
  cursor_ += size;
}

void LogPieces::skip_long_line() {
  for (;;) {
    const void* end = std::memchr(cursor_, '\n', unread().size());
    cursor_ = end != nullptr ? static_cast<const char*>(end) + 1 : limit_;
    if (end != nullptr || !more()) break;
  }
}

// All whole lines of the window; the last one of the log may have no end.
bool LogPieces::next_lines(LogPiece& piece) {
  size_t searched = 0;
  for (;;) {
    const std::string_view left = unread();
    const void* end = left.size() > searched
                          ? ::memrchr(cursor_ + searched, '\n', left.size() - searched)
                          : nullptr;
    if (end != nullptr) {
      take(static_cast<size_t>(static_cast<const char*>(end) + 1 - cursor_), piece);
      return true;
    }
    searched = left.size();
    if (left.size() > kLongestText) {
      take(0, piece);
      piece.skipped = true;
      skip_long_line();
      return true;
    }
    if (more()) continue;
    take(left.size(), piece);
    return !piece.text.empty();
  }
}

bool LogPieces::next_document(LogPiece& piece) {
  Balance balance;
  size_t searched = 0;
  for (;;) {
    const std::string_view left = unread();
    const std::optional<size_t> end = balance.end_in(left, searched);
    searched = left.size();
    if (!end && left.size() <= kLongestText && more()) continue;
    take(end.value_or(left.size()), piece);
    return !piece.text.empty();
  }
}

bool LogPieces::next(LogPiece& piece) {
  if (framing_ == Framing::unknown) framing_ = detect();
  return framing_ == Framing::lines ? next_lines(piece) : next_document(piece);
}

}  // namespace saker::capture
