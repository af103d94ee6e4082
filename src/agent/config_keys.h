// The table of keys of saker.yaml: one row a key, from which checking, defaults and documentation
// follow. Only for the config_*.cc files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/config.h"
#include "formats/yaml.h"

namespace saker::agent {

enum class KeyKind : uint8_t {
  text,
  boolean,
  number,
  size,
  duration,
  choice,
  severity,
  list,
  special  // read by code of its own
};

using KeyTarget = std::variant<std::monostate, bool*, uint64_t*, std::chrono::milliseconds*,
                               std::string*, std::vector<std::string>*, finding::Severity*>;

struct KeyRow {
  std::string path;
  KeyKind kind = KeyKind::text;
  KeyTarget (*target)(Config&) = nullptr;
  std::string summary;
  std::string choices = {};
  uint64_t least = 0, most = UINT64_MAX;
  // Of an output: the sink and the option, instead of `target`.
  const output::SinkInfo* sink = nullptr;
  const output::SinkOption* option = nullptr;
};

// In the order of the documentation.
const std::vector<KeyRow>& key_rows();
const KeyRow* find_key(std::string_view path);
// Whether `path` has keys under it.
bool is_group(std::string_view path);

// Puts a value into the configuration. The error has no position.
Status set_scalar(Config& config, const KeyRow& row, std::string_view text);
// The list of a key of kind list.
std::vector<std::string>& list_of(Config& config, const KeyRow& row);

// What a key's value is now, as YAML.
std::string render_value(const Config& config, const KeyRow& row);

// What a key of falco.yaml means here.
struct FalcoKey {
  enum class Meaning : uint8_t { same, ignored, special } meaning = Meaning::ignored;
  std::string_view path;              // a whole subtree when it ends with ".*"
  std::string_view here_or_why = {};  // for same: the key of ours; for ignored: the reason
};
const FalcoKey* find_falco_key(std::string_view path);
bool is_falco_group(std::string_view path);

// The keys whose values are lists of structures. Problems go to `report`.
class ProblemSink {
 public:
  virtual ~ProblemSink() = default;
  virtual void error(const formats::YamlNode& at, std::string message, std::string hint = {}) = 0;
  // The text of a scalar with ${VARIABLES} replaced.
  virtual std::string expand(const formats::YamlNode& node) = 0;
};
void read_selections(const formats::YamlNode& node, std::vector<rules::Selection>& to,
                     ProblemSink& report);
void read_append_output(const formats::YamlNode& node, std::vector<AppendOutput>& to,
                        ProblemSink& report);
void read_static_fields(const formats::YamlNode& node,
                        std::vector<std::pair<std::string, std::string>>& to, ProblemSink& report);

std::optional<bool> parse_bool(std::string_view text);

}  // namespace saker::agent
