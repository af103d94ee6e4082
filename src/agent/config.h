// saker.yaml: what it can say, and what it says. A falco.yaml is understood where its keys mean the
// same; the keys that are not are named.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "finding/finding.h"
#include "output/sink.h"
#include "rules/ruleset.h"

namespace saker::agent {

// Appends to the output of rules that match.
struct AppendOutput {
  std::string source, rule;       // exact; empty: any
  std::vector<std::string> tags;  // all of them
  std::string extra_output;
  std::vector<std::pair<std::string, std::string>> extra_fields;  // name, template ("%name")
  std::optional<bool> suggested_output;  // falco.yaml's place for the key of the same name
};

struct SinkConfig {
  const output::SinkInfo* info = nullptr;
  bool enabled = false;
  finding::Severity priority = finding::Severity::debug;  // only findings this severe or more
  output::SinkSettings settings;
};

struct Config {
  std::vector<std::string> rules_files;  // files and folders; empty: Saker's own rules
  std::vector<rules::Selection> rules;
  std::string rule_matching = "all";
  finding::Severity priority = finding::Severity::debug;
  std::vector<AppendOutput> append_output;
  bool suggested_output = true;
  std::vector<std::pair<std::string, std::string>> static_fields;
  bool watch_config_files = true;

  bool json_output = false;
  bool json_include_output_property = true;
  bool json_include_message_property = false;
  bool json_include_output_fields_property = true;
  bool json_include_tags_property = true;
  bool time_format_iso_8601 = false;

  std::string hostname;  // empty: $FALCO_HOSTNAME, or the machine's
  std::string data_dir;  // empty: $SAKER_DATA_DIR, or /var/lib/saker
  std::string log_level = "info";
  bool drop_privileges = true;

  std::vector<SinkConfig> outputs;  // one for each sink that there is
  struct {
    uint64_t capacity = 8192;
    std::chrono::milliseconds slow_after{2000};
    std::chrono::milliseconds shutdown_timeout{5000};
  } outputs_queue;
  struct {
    uint64_t per_second = 0;
    uint64_t burst = 1000;
  } rate_limit;

  struct {
    bool enabled = true;
    uint64_t max_size = uint64_t{512} << 20;
    std::chrono::milliseconds max_age = std::chrono::hours(30 * 24);
    uint64_t queue_capacity = 8192;
    std::chrono::milliseconds batch_time{200};
  } store;

  struct {
    bool enabled = true;
    std::string listen = "127.0.0.1:8765";
    std::string certificate_file, key_file, token_file;
    bool metrics = true;
    uint64_t max_streams = 8;
    uint64_t stream_queue = 1024;
  } server;

  struct {
    struct {
      std::string listen;  // empty: no webhook
      std::string certificate_file, key_file, client_ca_file, token_file;
    } webhook;
    std::vector<std::string> log_files;  // that are followed
    struct {
      uint64_t max_size = uint64_t{2} << 30;
      std::chrono::milliseconds max_age = std::chrono::hours(30 * 24);
    } spool;
    [[nodiscard]] bool wanted() const { return !webhook.listen.empty() || !log_files.empty(); }
  } audit;

  struct {
    uint64_t ring_size = 8 << 20;
    uint64_t process_ring_size = 2 << 20;
    uint64_t snaplen = 80;
    bool drop_failed = false;
    bool push_down = true;
  } live;

  struct {
    bool enabled = true;
    std::vector<std::string> sockets;  // empty: where runtimes usually have them
    std::chrono::milliseconds metadata_wait{500};
    uint64_t cache_size = 4096;
  } containers;

  [[nodiscard]] finding::JsonOptions json_options() const;
  [[nodiscard]] SinkConfig* sink(std::string_view name);
  [[nodiscard]] const SinkConfig* sink(std::string_view name) const;
};

// The configuration with nothing set.
Config default_config();

// A mistake or a remark, with the line that it is about and a caret under the place.
struct ConfigProblem {
  Error error;
  std::string snippet;

  [[nodiscard]] std::string to_text() const;
};

struct LoadedConfig {
  Config config = default_config();
  std::vector<ConfigProblem> errors;  // any: the configuration must not be used
  std::vector<ConfigProblem> warnings;
  std::vector<ConfigProblem> ignored;  // keys of falco.yaml that mean nothing here, with the reason
  std::vector<std::string> files;      // all that were read, and the folders that were looked into

  [[nodiscard]] bool ok() const { return errors.empty(); }
};

// Files are read in order, each with what its `config_files` names behind it; later ones win. Then
// come the overrides: "a.b=c", "list[]=another".
LoadedConfig load_config(const std::vector<std::string>& files,
                         const std::vector<std::string>& overrides);

// The same of a text; `config_files` in it are not followed.
LoadedConfig parse_config(std::string_view text, const std::string& name,
                          const std::vector<std::string>& overrides = {});

// /etc/saker/saker.yaml when it is there, else nothing.
std::vector<std::string> default_config_files();

struct ConfigKey {
  std::string path;           // "store.max_size"
  std::string type;           // "size", "auto|text|json"
  std::string default_value;  // as YAML
  std::string summary;
};
std::vector<ConfigKey> config_keys();

// The keys that differ and are only read at the start of a watch.
std::vector<std::string> keys_for_restart(const Config& running, const Config& changed);

// A configuration file with every key, its default and its meaning: it loads as the defaults.
std::string explain_config();

}  // namespace saker::agent
