// Writes .scap captures of today's format, which the reader here and other tools of the format
// read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "capture/scap/compressed_file.h"
#include "event/event.h"
#include "event/snapshot.h"

namespace saker::capture {

struct ScapWriterOptions {
  std::string path;  // "-": standard output
  // By default by the name: .gz is gzip, .zst is zstd, others plain.
  std::optional<formats::Compression> compression = {};
};

// First the snapshot through the sink's methods (later entries are left out), then events, then
// close(). What goes wrong in a sink method is reported by the next write() or close(). Not
// thread-safe.
class ScapWriter final : public event::SnapshotSink {
 public:
  static Result<std::unique_ptr<ScapWriter>> create(const ScapWriterOptions& options);
  ~ScapWriter() override;

  void on_machine(const event::MachineInfo& machine) override;
  void on_process(const event::ProcessEntry& process) override;
  void on_fd(const event::FdEntry& fd) override;
  // Users of containers have no place in the user list and are left out.
  void on_user(const event::UserEntry& user) override;
  void on_interface(const event::InterfaceEntry& interface) override;

  // An event of today's schema. One that is longer than the format allows is skipped and counted.
  Status write(const event::Event& event);
  Status flush();
  // Ends the file. Without it the file is one that was cut off.
  Status close();

  [[nodiscard]] uint64_t events() const { return events_; }
  [[nodiscard]] uint64_t skipped() const { return skipped_; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }  // uncompressed
  [[nodiscard]] uint64_t file_bytes() const { return file_->file_bytes(); }

 private:
  explicit ScapWriter(std::unique_ptr<scap::CompressedFile> file) : file_(std::move(file)) {}

  // Entries gather in a block until another kind comes or it is long enough.
  void begin_entry(uint32_t code, int64_t tid);
  void end_entry(size_t start, size_t not_counted);
  Status end_block();
  Status write_block(uint32_t code, Bytes head, Bytes body);

  template <typename T>
  void put(T value);
  void put_bytes(Bytes bytes);
  void put_text(std::string_view text, size_t limit);

  std::unique_ptr<scap::CompressedFile> file_;
  std::basic_string<uint8_t> body_;  // of the metadata block in the making
  uint32_t code_ = 0;                // its type; 0 when there is none
  int64_t tid_ = 0;                  // of an fd list
  bool has_events_ = false;          // the format has no place for entries behind an event
  Status status_;
  uint64_t events_ = 0;
  uint64_t skipped_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace saker::capture
