#include "capture/k8s_audit/log_reader.h"

namespace saker::capture {

void LogLosses::add(const std::vector<AuditBlock::Problem>& problems, uint64_t lines,
                    uint64_t offset) {
  for (const AuditBlock::Problem& problem : problems) {
    const auto [row, fresh] = counts_.emplace(problem.reason, 0);
    ++row->second;
    if (!fresh) continue;
    descriptions_.push_back(path_ + ":" + std::to_string(lines_ + problem.line + 1) + ": " +
                            row->first + ", at byte " + std::to_string(offset + problem.offset) +
                            "; skipped");
  }
  lines_ += lines;
}

void LogLosses::add(const AuditBlock& block, uint64_t offset) {
  add(block.problems(), block.lines(), offset);
}

Error LogLosses::old_format(uint64_t line) const {
  return {.code = Code::unsupported,
          .message = "an audit log in the old text format, which leaves most of an event out",
          .position = {.file = path_, .line = static_cast<uint32_t>(lines_ + line)},
          .hint = "start kube-apiserver with --audit-log-format=json"};
}

Result<std::unique_ptr<AuditLogReader>> AuditLogReader::open(const std::string& path) {
  return std::make_unique<AuditLogReader>(SAKER_TRY(ChunkStream::open(path)));
}

AuditLogReader::AuditLogReader(std::unique_ptr<ChunkStream> stream, Bytes window)
    : pieces_(std::move(stream), window), losses_(pieces_.name()) {}

Next AuditLogReader::next(event::Event& event) {
  while (!failed_) {
    if (in_piece_) {
      if (block_.next(event)) {
        event.number = ++delivered_;
        return Next::event;
      }
      in_piece_ = false;
      if (block_.is_old_format()) {
        failed_ = true;
        error_ = losses_.old_format(block_.lines());
        break;
      }
      losses_.add(block_, piece_.offset);
    }
    in_piece_ = pieces_.next(piece_);
    if (in_piece_) {
      block_.load(piece_);
    } else if (pieces_.status().ok()) {
      return Next::end;
    } else {
      error_ = pieces_.status().error();
      error_.position.file = pieces_.name();
      return Next::failed;
    }
  }
  return Next::failed;
}

SourceStats AuditLogReader::stats() const {
  SourceStats out;
  out.delivered = out.seen = delivered_;
  out.bytes = pieces_.offset();
  for (const auto& [reason, count] : losses_.counts()) {
    out.lost[reason] = count;
    out.seen += count;
  }
  return out;
}

}  // namespace saker::capture
