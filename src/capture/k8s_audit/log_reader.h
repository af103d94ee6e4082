// Reads Kubernetes audit events from a log: a JSON document a line, or documents over several lines
// (a saved event, an EventList). Plain, gzip or zstd.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/chunk_stream.h"
#include "capture/source.h"
#include "event/audit_record.h"
#include "formats/json_index.h"

namespace saker::capture {

// One audit event's text with a table of where its values are.
class AuditText final : public audit::AuditRecord {
 public:
  // False when the text is no JSON object. kJsonPadding bytes behind it must be readable.
  bool load(std::string_view text) { return index_.load(text); }
  [[nodiscard]] std::string_view text() const override { return index_.text(); }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view pointer) const override {
    return index_.find(pointer);
  }

 private:
  formats::JsonIndex index_;
};

// What is not an audit event is skipped and counted by reason; the first of each reason is also
// described with file, line and offset in problems(). One thread reads; stop() may come from
// anywhere.
class AuditLogReader {
 public:
  static Result<std::unique_ptr<AuditLogReader>> open(const std::string& path);
  // The stream's first window may have been looked at already: `window` then is it.
  explicit AuditLogReader(std::unique_ptr<ChunkStream> stream, Bytes window = {});

  // The next event; its time, number and source are set. Valid until the next call, as record().
  Next next(event::Event& event);
  [[nodiscard]] const AuditText& record() const { return record_; }
  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] SourceStats stats() const;
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  void stop() { stream_->stop(); }

 private:
  enum class Framing : uint8_t { unknown, lines, documents };

  // More bytes behind what is unread; false at the end.
  bool more();
  // The next line without its end, or the next document; false at the end of the stream.
  bool next_text(std::string_view& text);
  bool next_line(std::string_view& text);
  bool next_document(std::string_view& text);
  void skip_long_line();
  Framing detect();
  // Takes the text apart: one event to hand out, or a list whose items come one by one.
  void take(std::string_view text);
  void take_items(std::string_view array);
  bool to_event(std::string_view text, event::Event& event);
  void lose(std::string_view reason);

  std::unique_ptr<ChunkStream> stream_;
  const std::string path_;  // for messages
  const char* cursor_ = nullptr;
  const char* limit_ = nullptr;
  uint64_t passed_ = 0;  // bytes before the window
  const char* window_ = nullptr;
  uint64_t line_ = 1;  // of the text that was taken last
  uint64_t lines_passed_ = 0;
  uint64_t text_at_ = 0;  // its offset
  Framing framing_ = Framing::unknown;

  std::vector<std::string_view> items_;  // of a list, last first
  AuditText record_;
  uint64_t delivered_ = 0;
  std::map<std::string, uint64_t> lost_;
  std::vector<std::string> problems_;
  bool failed_ = false;
  Error error_;
};

}  // namespace saker::capture
