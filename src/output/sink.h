// A place where findings go: what a sink is, how it is described, and how it gets its settings.
// One file a sink in sinks/, which defines `const SinkInfo NAME_descriptor`; the configuration, its
// documentation and the counters follow from that.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "finding/finding.h"

namespace saker::output {

// Findings are shared between the threads of the sinks, and never change.
using SharedFinding = std::shared_ptr<const finding::Finding>;

enum class OptionKind : uint8_t { text, boolean, number, duration, choice, list };

struct SinkOption {
  std::string_view name;
  OptionKind kind = OptionKind::text;
  std::string_view default_value = {};  // as the configuration file writes it
  std::string_view summary = {};
  std::string_view choices = {};  // "auto|text|json"
};

// The values of a sink's options, already checked against their kind. Durations are in ms.
struct SinkSettings {
  std::map<std::string, std::string, std::less<>> values = {};
  std::map<std::string, std::vector<std::string>, std::less<>> lists = {};
  finding::JsonOptions json = {};
  bool prefer_json = false;  // json_output: what the format "auto" means

  bool operator==(const SinkSettings&) const = default;
  [[nodiscard]] std::string_view text(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const { return text(name) == "true"; }
  [[nodiscard]] uint64_t number(std::string_view name) const;
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view name) const {
    return std::chrono::milliseconds(number(name));
  }
  [[nodiscard]] std::span<const std::string> list(std::string_view name) const;
};

// How many of a batch went out, and why not more. Codes busy and io mean that trying again makes
// sense, not_found that nothing is there any more that could take any finding; another code gives
// up the finding behind the last one that went out.
struct Delivery {
  size_t done = 0;
  Status status = {};
};

// What to do when a delivery fails. No retry when give_up_after is 0.
struct RetryPolicy {
  std::chrono::milliseconds first_wait{500};
  std::chrono::milliseconds longest_wait{30'000};
  std::chrono::milliseconds give_up_after{0};  // for one finding, counted from its first try
};

// Used by one thread, but for reopen() and cancel(), which come from any.
class Sink {
 public:
  virtual ~Sink() = default;
  // May block. Never called with an empty batch.
  virtual Delivery deliver(std::span<const SharedFinding> batch) = 0;
  [[nodiscard]] virtual RetryPolicy retry_policy() const { return {}; }
  // Asks for files to be opened anew (SIGHUP after log rotation).
  virtual void reopen() {}
  // Makes a deliver() that is under way, and every later one, fail soon.
  virtual void cancel() {}
};

struct SinkInfo {
  std::string_view name;
  std::string_view summary;
  std::span<const SinkOption> options;  // besides `enabled`
  bool enabled = false;                 // by default
  Result<std::unique_ptr<Sink>> (*open)(const SinkSettings& settings);
};

// Generated from the files in sinks/.
std::span<const SinkInfo* const> all_sinks();
const SinkInfo* find_sink(std::string_view name);

// The defaults of a sink's options.
SinkSettings default_settings(const SinkInfo& info);

}  // namespace saker::output
