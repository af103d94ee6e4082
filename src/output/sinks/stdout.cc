// Standard output: lines for people on a terminal, JSON lines in a pipe.
#include <unistd.h>

#include <cstdlib>

#include "output/format.h"
#include "output/line_writer.h"
#include "output/sink.h"

namespace saker::output {

namespace {

constexpr SinkOption kOptions[] = {
    {.name = "format",
     .kind = OptionKind::choice,
     .default_value = "auto",
     .summary = "auto is text on a terminal, JSON lines elsewhere",
     .choices = "auto|text|json"},
    {.name = "colour",
     .kind = OptionKind::choice,
     .default_value = "auto",
     .summary = "auto is on a terminal, unless the environment has NO_COLOR",
     .choices = "auto|always|never"},
    {.name = "descriptor",
     .kind = OptionKind::number,
     .default_value = "1",
     .summary = "File descriptor to write to: 1 is standard output, 2 standard error"},
};

bool wants_colour(const SinkSettings& settings, bool terminal) {
  const std::string_view colour = settings.text("colour");
  if (colour != "auto") return colour == "always";
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return terminal && (no_colour == nullptr || *no_colour == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

class StdoutSink : public Sink {
 public:
  StdoutSink(int fd, const SinkSettings& settings) : fd_(fd), json_(settings.json) {
    const bool terminal = ::isatty(fd) == 1;
    format_ = choose_format(settings, terminal);
    colour_ = format_ == Format::text && wants_colour(settings, terminal);
  }

  Delivery deliver(std::span<const SharedFinding> batch) override {
    text_.clear();
    ends_.clear();
    for (const SharedFinding& finding : batch) {
      append(*finding);
      ends_.push_back(text_.size());
    }
    size_t written = 0;
    Status status = writer_.write(fd_, text_, written);
    size_t done = 0;
    while (done < ends_.size() && ends_[done] <= written) ++done;
    return {.done = done, .status = std::move(status)};
  }

  void cancel() override { writer_.cancel(); }

 private:
  void append(const finding::Finding& finding) {
    if (format_ == Format::json) {
      text_ += finding::to_json(finding, json_);
    } else if (colour_) {
      text_ += colour_of(finding.severity);
      text_ += safe_line(finding, json_);
      text_ += kColourEnd;
    } else {
      text_ += safe_line(finding, json_);
    }
    text_ += '\n';
  }

  int fd_;
  finding::JsonOptions json_;
  Format format_ = Format::text;
  bool colour_ = false;
  LineWriter writer_;
  std::string text_;
  std::vector<size_t> ends_;
};

Result<std::unique_ptr<Sink>> open(const SinkSettings& settings) {
  const uint64_t fd = settings.number("descriptor");
  if (fd > 1 << 20) return Error{.message = "descriptor is out of range"};
  return std::unique_ptr<Sink>(std::make_unique<StdoutSink>(static_cast<int>(fd), settings));
}

}  // namespace

extern const SinkInfo stdout_descriptor;
const SinkInfo stdout_descriptor = {
    .name = "stdout",
    .summary = "Lines on standard output",
    .options = kOptions,
    .enabled = true,
    .open = open,
};

}  // namespace saker::output
