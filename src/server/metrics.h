// Numbers for Prometheus: text exposition format 0.0.4.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace saker::server {

using Label = std::pair<std::string_view, std::string_view>;

// Builds one page. Samples follow the family that they belong to.
class MetricsWriter {
 public:
  // `name` begins with "saker_" and, for counters, ends with "_total".
  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }

  void sample(double value, std::initializer_list<Label> labels = {});
  void sample(uint64_t value, std::initializer_list<Label> labels = {});

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  void begin(std::initializer_list<Label> labels);

  std::string name_;
  std::string text_;
};

// Somebody who has numbers. Asked from the server's threads, at any time.
class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  virtual void collect(MetricsWriter& writer) const = 0;
};

// Memory, CPU time, descriptors and start time of this process.
class ProcessMetrics : public MetricsSource {
 public:
  void collect(MetricsWriter& writer) const override;
};

uint64_t resident_bytes();

}  // namespace saker::server
