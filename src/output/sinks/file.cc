// A file that alerts are appended to, readable by its owner alone. Opened anew on request, so that
// log rotation works; a disk that is full is waited for.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "base/fd.h"
#include "base/log.h"
#include "output/format.h"
#include "output/line_writer.h"
#include "output/sink.h"

namespace saker::output {

namespace {

constexpr SinkOption kOptions[] = {
    {.name = "path", .summary = "File to append to; made with mode 0600"},
    {.name = "format",
     .kind = OptionKind::choice,
     .default_value = "auto",
     .summary = "auto is JSON lines",
     .choices = "auto|text|json"},
    {.name = "retry_for",
     .kind = OptionKind::duration,
     .default_value = "1m",
     .summary = "How long a finding waits for a full disk before it is dropped"},
};

Result<UniqueFd> open_for_append(const std::string& path) {
  // O_NONBLOCK: a FIFO without a reader must fail, not hang.
  return open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK);
}

class FileSink : public Sink {
 public:
  FileSink(std::string path, UniqueFd fd, const SinkSettings& settings)
      : path_(std::move(path)),
        fd_(std::move(fd)),
        json_(settings.json),
        format_(choose_format(settings, false)),
        retry_for_(settings.duration("retry_for")) {}

  Delivery deliver(std::span<const SharedFinding> batch) override {
    if (reopen_.exchange(false)) open_again();
    text_.clear();
    ends_.clear();
    for (const SharedFinding& finding : batch) {
      text_ +=
          format_ == Format::json ? finding::to_json(*finding, json_) : safe_line(*finding, json_);
      text_ += '\n';
      ends_.push_back(text_.size());
    }
    return write();
  }

  [[nodiscard]] RetryPolicy retry_policy() const override { return {.give_up_after = retry_for_}; }
  void reopen() override { reopen_ = true; }
  void cancel() override { writer_.cancel(); }

 private:
  void open_again() {
    Result<UniqueFd> fd = open_for_append(path_);
    if (fd.ok()) {
      fd_ = std::move(fd).value();
    } else {
      log::error("file output: " + fd.error().message + "; writing on to the old file");
      reopen_ = true;  // with the next findings
    }
  }

  Delivery write() {
    struct stat before{};
    const bool regular = ::fstat(fd_.get(), &before) == 0 && S_ISREG(before.st_mode);
    size_t written = 0;
    Status status = writer_.write(fd_.get(), text_, written);
    size_t done = 0;
    size_t whole = 0;
    while (done < ends_.size() && ends_[done] <= written) whole = ends_[done++];
    if (written > whole && regular) {  // no half lines
      if (::ftruncate(fd_.get(), before.st_size + static_cast<off_t>(whole)) != 0)
        log::error("file output: " + errno_error("cannot remove half a line", errno).message);
    }
    return {.done = done, .status = std::move(status)};
  }

  std::string path_;
  UniqueFd fd_;
  finding::JsonOptions json_;
  Format format_;
  std::chrono::milliseconds retry_for_;
  std::atomic<bool> reopen_ = false;
  LineWriter writer_;
  std::string text_;
  std::vector<size_t> ends_;
};

Result<std::unique_ptr<Sink>> open(const SinkSettings& settings) {
  std::string path(settings.text("path"));
  if (path.empty()) return Error{.message = "the file output needs a path"};
  UniqueFd fd = SAKER_TRY(open_for_append(path));
  return std::unique_ptr<Sink>(
      std::make_unique<FileSink>(std::move(path), std::move(fd), settings));
}

}  // namespace

extern const SinkInfo file_descriptor;
const SinkInfo file_descriptor = {
    .name = "file",
    .summary = "Lines appended to a file",
    .options = kOptions,
    .enabled = false,
    .open = open,
};

}  // namespace saker::output
