// Reads Kubernetes audit events from a log, one after the other.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "capture/k8s_audit/audit_block.h"
#include "capture/k8s_audit/log_pieces.h"
#include "capture/source.h"

namespace saker::capture {

// What of a log was no audit event, by reason; the first of each reason is also described with
// file, line and offset.
class LogLosses {
 public:
  explicit LogLosses(std::string path) : path_(std::move(path)) {}

  // A piece that was read to its end; pieces come in their order.
  void add(const AuditBlock& block, uint64_t offset);
  // The same of what is kept of it.
  void add(const std::vector<AuditBlock::Problem>& problems, uint64_t lines, uint64_t offset);

  [[nodiscard]] const std::map<std::string, uint64_t>& counts() const { return counts_; }
  [[nodiscard]] const std::vector<std::string>& descriptions() const { return descriptions_; }
  // Why a log in the old text format, which begins in this piece, can't be read.
  [[nodiscard]] Error old_format(uint64_t line) const;

 private:
  std::string path_;
  uint64_t lines_ = 0;  // before the next piece
  std::map<std::string, uint64_t> counts_;
  std::vector<std::string> descriptions_;
};

// One thread reads; stop() may come from anywhere.
class AuditLogReader {
 public:
  static Result<std::unique_ptr<AuditLogReader>> open(const std::string& path);
  // The stream's first window may have been looked at already: `window` then is it.
  explicit AuditLogReader(std::unique_ptr<ChunkStream> stream, Bytes window = {});

  // The next event; its time, number and source are set. Valid until the next call, as record().
  Next next(event::Event& event);
  [[nodiscard]] const AuditText& record() const { return block_.record(); }
  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] SourceStats stats() const;
  [[nodiscard]] const std::vector<std::string>& problems() const { return losses_.descriptions(); }
  void stop() { pieces_.stop(); }

 private:
  LogPieces pieces_;
  LogPiece piece_;
  AuditBlock block_;
  LogLosses losses_;
  bool in_piece_ = false;
  uint64_t delivered_ = 0;
  bool failed_ = false;
  Error error_;
};

}  // namespace saker::capture
