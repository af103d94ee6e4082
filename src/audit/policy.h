// The audit policy of a Kubernetes API server (audit.k8s.io/v1, kind Policy): what a file says,
// with the place of each word, and the server's verdict on it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/yaml.h"

namespace saker::audit {

// In order: each level logs what the one before does and more.
enum class Level : uint8_t { none, metadata, request, request_response };
inline constexpr std::array<std::string_view, 4> kLevels = {"None", "Metadata", "Request",
                                                            "RequestResponse"};
std::string_view to_string(Level level);
std::optional<Level> parse_level(std::string_view text);

// In the order in which a request passes them; Panic takes the place of ResponseComplete.
enum class Stage : uint8_t { request_received, response_started, response_complete, panic };
inline constexpr std::array<std::string_view, 4> kStages = {"RequestReceived", "ResponseStarted",
                                                            "ResponseComplete", "Panic"};
std::optional<Stage> parse_stage(std::string_view text);

class StageSet {
 public:
  void add(Stage stage) { bits_ |= bit(stage); }
  [[nodiscard]] bool contains(Stage stage) const { return (bits_ & bit(stage)) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  [[nodiscard]] StageSet united(StageSet other) const {
    other.bits_ |= bits_;
    return other;
  }
  [[nodiscard]] StageSet without(StageSet other) const {
    other.bits_ = static_cast<uint8_t>(bits_ & ~other.bits_);
    return other;
  }
  [[nodiscard]] std::vector<std::string> names() const;  // sorted
  bool operator==(const StageSet&) const = default;

 private:
  static uint8_t bit(Stage stage) {
    return static_cast<uint8_t>(1U << static_cast<unsigned>(stage));
  }
  uint8_t bits_ = 0;
};

// A text of the file and where it stands.
struct Word {
  std::string text;
  formats::YamlMark mark = {};
};

struct GroupResources {
  Word group;
  std::vector<Word> resources, names;
  formats::YamlMark mark = {};
};

// Empty lists restrict nothing.
struct PolicyRule {
  Level level = Level::none;
  Word level_text;  // as written, also when it is no level
  std::vector<Word> users, user_groups, verbs, namespaces, urls;
  std::vector<GroupResources> resources;
  StageSet omit_stages;
  std::vector<Word> omit_stage_texts;
  std::optional<bool> omit_managed_fields;
  formats::YamlMark mark = {};

  [[nodiscard]] bool only_resources() const { return !resources.empty() || !namespaces.empty(); }
  [[nodiscard]] bool only_urls() const { return !only_resources() && !urls.empty(); }
};

struct Policy {
  std::vector<PolicyRule> rules;
  StageSet omit_stages;
  std::vector<Word> omit_stage_texts;
  bool omit_managed_fields = false;
  formats::YamlMark omit_stages_mark = {};
};

// Something to say about a policy: a reason why the server refuses it, or what lint found.
struct PolicyProblem {
  enum class Severity : uint8_t { error, warning, note } severity = Severity::error;
  std::string id;       // "unreachable-rule"
  std::string kind;     // errors: the server's kind, "Required"
  std::string field;    // "rules[0].level"
  std::string message;  // one sentence
  std::string hint = {};
  formats::YamlMark mark = {};
  std::vector<size_t> rules = {};  // from 0: the rule that it is about, then those that cause it
};

// What kube-apiserver does with the file when it starts.
enum class Verdict : uint8_t { accept, accept_with_warning, reject };
std::string_view to_string(Verdict verdict);

struct PolicyFile {
  std::string name;
  std::string text;
  Policy policy;                        // as far as it could be decoded
  bool decoded = false;                 // false: the policy is empty
  std::vector<PolicyProblem> problems;  // errors, then what strict decoding warns about

  [[nodiscard]] Verdict verdict() const;
};

// Decodes and validates as kube-apiserver (1.36) does. Never fails: what is wrong is in `problems`.
PolicyFile load_policy(std::string_view text, std::string_view name);

}  // namespace saker::audit
