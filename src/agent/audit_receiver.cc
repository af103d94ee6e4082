#include "agent/audit_receiver.h"

#include <fmt/core.h>

#include <algorithm>

#include "audit/digest.h"
#include "base/strings.h"
#include "formats/json.h"
#include "formats/spool_reader.h"

namespace saker::agent {

namespace {

constexpr size_t kUsualBody = size_t{4} << 20;

// A line break in a JSON text stands between its tokens alone.
void append_line(std::string_view text, std::string& out) {
  const size_t begin = out.size();
  out += text;
  std::replace_if(
      out.begin() + static_cast<ptrdiff_t>(begin), out.end(),
      [](char c) { return c == '\n' || c == '\r'; }, ' ');
  out += '\n';
}

}  // namespace

// The events of a body, a line each.
struct AuditReceiver::Lines {
  struct Line {
    uint64_t identity = 0;
    uint64_t time_ns = 0;
    size_t end = 0;  // in the text
  };
  std::string text;
  std::vector<Line> lines;
  uint64_t skipped = 0;
  std::string problem;  // the first one
  bool malformed = false;
};

AuditReceiver::Lines AuditReceiver::take_apart(std::string_view body) {
  auto loan = blocks_.borrow();
  capture::AuditBlock& block = *loan;
  Lines out;
  block.load({.text = body, .lines = capture::is_log_of_lines(body)});
  event::Event event;
  while (block.next(event)) {
    append_line(block.record().text(), out.text);
    out.lines.push_back({.identity = audit::digest_of(block.record()).identity,
                         .time_ns = event.timestamp,
                         .end = out.text.size()});
  }
  for (const capture::AuditBlock::Problem& problem : block.problems()) {
    ++out.skipped;
    out.malformed |= problem.no_json;
    if (out.problem.empty())
      out.problem = fmt::format("{} at byte {}", problem.reason, problem.offset);
  }
  if (block.is_old_format()) out.problem = "the old text format, which holds no whole events";
  if (out.lines.empty() && trim(body).empty()) out.problem = "no body";
  out.malformed |= block.is_old_format() || (out.lines.empty() && !out.problem.empty());
  if (body.size() > kUsualBody) loan.discard();  // it keeps the room that it needed
  return out;
}

// Leaves out what is spooled already; says how many that were.
uint64_t AuditReceiver::drop_known(Lines& lines) const {
  const std::scoped_lock lock(mutex_);
  const auto is_known = [&](const Lines::Line& line) { return known_.contains(line.identity); };
  if (std::ranges::none_of(lines.lines, is_known)) return 0;
  Lines fresh;
  size_t begin = 0;
  for (const Lines::Line& line : lines.lines) {
    if (!is_known(line)) {
      fresh.text.append(lines.text, begin, line.end - begin);
      fresh.lines.push_back({line.identity, line.time_ns, fresh.text.size()});
    }
    begin = line.end;
  }
  const uint64_t repeated = lines.lines.size() - fresh.lines.size();
  lines.text = std::move(fresh.text);
  lines.lines = std::move(fresh.lines);
  return repeated;
}

Status AuditReceiver::spool(const Lines& lines) {
  if (lines.lines.empty()) return {};
  const auto [first, last] = std::ranges::minmax_element(lines.lines, {}, &Lines::Line::time_ns);
  return spool_->append({.lines = lines.text,
                         .events = static_cast<uint32_t>(lines.lines.size()),
                         .first_ns = first->time_ns,
                         .last_ns = last->time_ns});
}

AuditReceiver::Outcome AuditReceiver::receive(std::string& body) {
  const size_t size = body.size();
  body.append(formats::kJsonPadding, ' ');
  Lines lines = take_apart(std::string_view(body).substr(0, size));
  if (lines.malformed) {
    const std::scoped_lock lock(mutex_);
    ++stats_.malformed;
    return {.answer = Answer::malformed, .why = std::move(lines.problem)};
  }
  const uint64_t repeated = drop_known(lines);
  const Status status = spool(lines);
  const std::scoped_lock lock(mutex_);
  if (!status.ok()) {
    ++stats_.failed;
    return {.answer = Answer::failed, .why = status.error().message};
  }
  for (const Lines::Line& line : lines.lines) known_.find_or_insert(line.identity, 0);
  ++stats_.batches;
  stats_.events += lines.lines.size();
  stats_.repeated += repeated;
  stats_.skipped += lines.skipped;
  return {};
}

void AuditReceiver::remember_last() {
  const auto begin = formats::before_last_events(spool_->folder(), kWindow);
  auto reader = formats::SpoolReader::open(spool_->folder());
  if (!begin.ok() || !reader.ok()) return;  // then more may be spooled twice
  (*reader)->start_behind(*begin);
  capture::AuditBlock block;
  formats::SpoolFrame frame;
  event::Event event;
  while ((*reader)->next(frame, spool_->committed())) {
    block.load({.text = frame.lines});
    while (block.next(event)) known_.find_or_insert(audit::digest_of(block.record()).identity, 0);
  }
}

AuditReceiver::Stats AuditReceiver::stats() const {
  const std::scoped_lock lock(mutex_);
  return stats_;
}

}  // namespace saker::agent
