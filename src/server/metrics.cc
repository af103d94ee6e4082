#include "server/metrics.h"

#include <dirent.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>

#include "base/fd.h"
#include "base/strings.h"

namespace saker::server {

namespace {

void append_escaped(std::string_view text, bool quotes, std::string& out) {
  for (char c : sanitize_utf8(text)) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

uint64_t open_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  uint64_t count = 0;
  while (const dirent* entry = ::readdir(folder))
    if (entry->d_name[0] != '.') ++count;
  ::closedir(folder);
  return count - 1;  // the folder's own
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Since the epoch; when the first page was asked for the process has just begun, as far as
// rate() cares.
double start_seconds() {
  static const double start = [] {
    Result<std::string> text = read_file("/proc/self/stat", 4096);
    timespec boot{}, real{};
    ::clock_gettime(CLOCK_BOOTTIME, &boot);
    ::clock_gettime(CLOCK_REALTIME, &real);
    if (!text.ok()) return static_cast<double>(real.tv_sec);
    const std::string_view after_name = std::string_view(*text).substr(text->rfind(')') + 2);
    const std::vector<std::string_view> fields = split(after_name, ' ');
    const uint64_t ticks = fields.size() > 19 ? parse_uint(fields[19]).value_or(0) : 0;
    const double since_boot =
        static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return static_cast<double>(real.tv_sec - boot.tv_sec) + since_boot;
  }();
  return start;
}

}  // namespace

void MetricsWriter::family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  text_ += "# HELP " + name_ + ' ';
  append_escaped(help, false, text_);
  text_ += "\n# TYPE " + name_ + ' ';
  text_ += type;
  text_ += '\n';
}

void MetricsWriter::begin(std::initializer_list<Label> labels) {
  text_ += name_;
  if (labels.size() == 0) return;
  char separator = '{';
  for (const auto& [name, value] : labels) {
    text_ += separator;
    text_ += name;
    text_ += "=\"";
    append_escaped(value, true, text_);
    text_ += '"';
    separator = ',';
  }
  text_ += '}';
}

void MetricsWriter::sample(double value, std::initializer_list<Label> labels) {
  begin(labels);
  text_ += fmt::format(" {}\n", value);
}

void MetricsWriter::sample(uint64_t value, std::initializer_list<Label> labels) {
  begin(labels);
  text_ += fmt::format(" {}\n", value);
}

uint64_t resident_bytes() {
  Result<std::string> text = read_file("/proc/self/statm", 4096);
  if (!text.ok()) return 0;
  const std::vector<std::string_view> fields = split(*text, ' ');
  const uint64_t pages = fields.size() > 1 ? parse_uint(fields[1]).value_or(0) : 0;
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

void ProcessMetrics::collect(MetricsWriter& writer) const {
  writer.gauge("saker_build_info", "Version of this program");
  writer.sample(uint64_t{1}, {{"version", SAKER_VERSION}});
  writer.gauge("process_resident_memory_bytes", "Resident memory");
  writer.sample(resident_bytes());
  writer.counter("process_cpu_seconds_total", "CPU time, user and system");
  writer.sample(cpu_seconds());
  writer.gauge("process_open_fds", "Open file descriptors");
  writer.sample(open_descriptors());
  writer.gauge("process_start_time_seconds", "Start of the process, since the epoch");
  writer.sample(start_seconds());
}

}  // namespace saker::server
