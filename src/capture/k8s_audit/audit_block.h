// The audit events of one piece of a log: a JSON document a line, or one document over several
// lines; a document is an event, an EventList or an array of them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "capture/k8s_audit/audit_text.h"
#include "capture/k8s_audit/log_pieces.h"
#include "event/event.h"

namespace saker::capture {

// Used for one piece after the other. Not thread-safe.
class AuditBlock {
 public:
  // What is no audit event, or no log that can be read.
  struct Problem {
    std::string_view reason;
    uint64_t line = 0;     // of the piece, counted from 0
    uint64_t offset = 0;   // in the piece
    bool no_json = false;  // the text itself is broken or cut off
  };

  // Takes a piece, whose text must stay until the next one.
  void load(const LogPiece& piece);

  // The next event; its time and source are set. Valid until the next call, as record(). False at
  // the end of the piece.
  bool next(event::Event& event);
  [[nodiscard]] const AuditText& record() const { return record_; }

  // At the end of the piece: its problems, its lines, and whether it is in the old text format, of
  // which nothing is read.
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  [[nodiscard]] uint64_t lines() const { return line_; }
  [[nodiscard]] bool is_old_format() const { return old_format_; }

 private:
  // The next line without its end, or the document.
  bool next_text(std::string_view& text);
  // Takes the text apart: one event to hand out, or a list whose items come one by one.
  void take(std::string_view text);
  void take_items(std::string_view array);
  bool to_event(std::string_view text, event::Event& event);
  void lose(std::string_view reason, bool no_json = false);

  LogPiece piece_;
  const char* cursor_ = nullptr;
  const char* text_begin_ = nullptr;     // of the text that was taken last
  uint64_t line_ = 0;                    // lines before what is taken next
  uint64_t text_line_ = 0;               // of that text
  std::vector<std::string_view> items_;  // of a list, last first
  AuditText record_;
  std::vector<Problem> problems_;
  bool scanned_ = false;  // the record knows the piece
  bool old_format_ = false;
};

}  // namespace saker::capture
