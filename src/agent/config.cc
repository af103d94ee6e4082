#include "agent/config.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "agent/config_keys.h"
#include "base/fd.h"
#include "base/strings.h"
#include "net/url.h"

namespace saker::agent {

namespace {

using formats::YamlNode;

constexpr size_t kLargestFile = size_t{4} << 20;
constexpr size_t kMostProblems = 100;
constexpr size_t kLongestSnippet = 160;

// How a file stands to those before it (falco.yaml's config_files).
enum class Strategy : uint8_t { append, override_keys, add_only };

// The text that a problem is in: a file, or a key=value of the command line.
struct Source {
  std::string name;
  std::string_view text;
  uint32_t column_offset = 0;  // of an override: where the value begins
};

// The line around a byte of the text, and a caret under it.
std::string make_snippet(const Source& source, uint32_t line, uint32_t column) {
  std::string_view text = source.text;
  for (uint32_t i = 0; i < line; ++i) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find_first_of("\r\n"));
  if (text.size() > kLongestSnippet) text = text.substr(0, kLongestSnippet);
  std::string shown = sanitize_utf8(text);
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return shown + "\n" + std::string(std::min<size_t>(column, shown.size()), ' ') + "^";
}

// Reads one text after the other into one configuration.
class Loader : public ProblemSink {
 public:
  explicit Loader(LoadedConfig& result) : result_(result) {}

  void read_text(std::string_view text, const std::string& name, Strategy strategy);
  void read_override(const std::string& assignment);
  void read_file(const std::string& path, Strategy strategy, bool follow);
  void finish();

  void error(const YamlNode& at, std::string message, std::string hint = {}) override {
    add(result_.errors, at, std::move(message), std::move(hint));
  }
  std::string expand(const YamlNode& node) override;

 private:
  void add(std::vector<ConfigProblem>& to, const YamlNode& at, std::string message,
           std::string hint = {});
  void warn(const YamlNode& at, std::string message) {
    add(result_.warnings, at, std::move(message));
  }
  void plain_error(Error error) { result_.errors.push_back({.error = std::move(error)}); }

  void read_map(const YamlNode& map, const std::string& prefix);
  void read_entry(const YamlNode& key, const YamlNode& value, const std::string& path);
  void read_value(const KeyRow& row, const YamlNode& value);
  void read_list(const KeyRow& row, const YamlNode& value);
  void read_special(const KeyRow& row, const YamlNode& value);
  void read_falco(const FalcoKey& falco, const YamlNode& key, const YamlNode& value,
                  const std::string& path);
  void read_falco_special(const YamlNode& key, const YamlNode& value, const std::string& path);
  void unknown(const YamlNode& key, const std::string& path);
  void note_config_files(const YamlNode& value);
  void include(const std::string& path, Strategy strategy);
  bool begins_anew(const std::string& path);
  void finish_webserver();

  struct Include {
    std::string path;
    Strategy strategy = Strategy::append;
  };

  LoadedConfig& result_;
  Source source_;
  Strategy strategy_ = Strategy::append;
  bool appending_ = false;            // the override was list[]=value
  std::set<std::string> set_before_;  // keys that earlier texts set
  std::set<std::string> set_here_;
  std::vector<Include> includes_;
  bool mutual_tls_off_ = false;
  std::string web_address_, web_port_, web_certificate_;
  bool web_tls_ = false;
};

void Loader::add(std::vector<ConfigProblem>& to, const YamlNode& at, std::string message,
                 std::string hint) {
  if (to.size() >= kMostProblems) return;
  const uint32_t column = at.mark.column + (at.mark.line == 0 ? source_.column_offset : 0);
  to.push_back({.error = {.code = Code::invalid,
                          .message = std::move(message),
                          .position = {.file = source_.name,
                                       .line = at.mark.line + 1,
                                       .column = column + 1,
                                       .offset = at.mark.offset + source_.column_offset},
                          .hint = std::move(hint)},
                .snippet = make_snippet(source_, at.mark.line, column)});
}

// ${NAME} is the variable's value, $${NAME} stays ${NAME}.
std::string Loader::expand(const YamlNode& node) {
  if (!node.is_scalar()) {
    if (!node.is_null()) error(node, "expected a plain value here");
    return {};
  }
  const std::string& text = node.text;
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    const size_t dollar = text.find('$', at);
    out.append(text, at, dollar == std::string::npos ? std::string::npos : dollar - at);
    if (dollar == std::string::npos) break;
    const bool escaped = text.compare(dollar, 3, "$${") == 0;
    const size_t open = dollar + (escaped ? 1 : 0);
    const size_t close =
        text.compare(open, 2, "${") == 0 ? text.find('}', open) : std::string::npos;
    if (close == std::string::npos) {
      out += '$';
      at = dollar + 1;
      continue;
    }
    const std::string name = text.substr(open + 2, close - open - 2);
    if (escaped) {
      out += "${" + name + "}";
    } else if (const char* value = std::getenv(name.c_str())) {
      out += value;
    } else {
      warn(node, "the environment has no " + sanitize_utf8(name) + "; it counts as empty");
    }
    at = close + 1;
  }
  return out;
}

// Whether a list of this key is to be emptied first: it is set anew, not added to.
bool Loader::begins_anew(const std::string& path) {
  if (appending_) return false;
  if (set_here_.contains(path)) return true;
  return !(strategy_ == Strategy::append && set_before_.contains(path));
}

void Loader::read_list(const KeyRow& row, const YamlNode& value) {
  std::vector<std::string>& to = list_of(result_.config, row);
  if (begins_anew(row.path)) to.clear();
  if (value.is_scalar()) {
    to.push_back(expand(value));
  } else if (value.is_sequence()) {
    for (const YamlNode& item : value.items) to.push_back(expand(item));
  } else {
    error(value, "expected a list for '" + row.path + "'");
  }
}

void Loader::read_special(const KeyRow& row, const YamlNode& value) {
  Config& config = result_.config;
  if (row.path == "rules") {
    if (begins_anew(row.path)) config.rules.clear();
    read_selections(value, config.rules, *this);
  } else if (row.path == "append_output") {
    if (begins_anew(row.path)) config.append_output.clear();
    read_append_output(value, config.append_output, *this);
  } else {
    if (begins_anew(row.path)) config.static_fields.clear();
    read_static_fields(value, config.static_fields, *this);
  }
}

void Loader::read_value(const KeyRow& row, const YamlNode& value) {
  if (strategy_ == Strategy::add_only && set_before_.contains(row.path)) return;
  if (row.kind == KeyKind::list) {
    read_list(row, value);
  } else if (row.kind == KeyKind::special) {
    read_special(row, value);
  } else if (!value.is_scalar()) {
    error(value, "expected a plain value for '" + row.path + "'");
  } else {
    std::string text = expand(value);
    if (row.path == "log_level") {  // falco.yaml has the levels of syslog
      static const std::pair<std::string_view, std::string_view> kLevels[] = {
          {"emergency", "error"}, {"alert", "error"},        {"critical", "error"},
          {"notice", "info"},     {"informational", "info"}, {"warn", "warning"}};
      for (const auto& [falco, ours] : kLevels)
        if (to_lower(text) == falco) text = ours;
    }
    if (text.empty() && !value.text.empty() && row.kind != KeyKind::text) return;  // ${UNSET}
    if (row.path == "outputs_queue.capacity" && text == "0") {
      add(result_.ignored, value, "no bound is ignored: queues are always bounded");
      return;
    }
    Status status = set_scalar(result_.config, row, text);
    if (!status.ok()) error(value, row.path + ": " + status.error().message, status.error().hint);
  }
  set_here_.insert(row.path);
}

void Loader::unknown(const YamlNode& key, const std::string& path) {
  std::vector<std::string> candidates;
  for (const KeyRow& row : key_rows()) candidates.push_back(row.path);
  std::string hint;
  // Also among the names alone: "max_size" at the top is most likely store.max_size.
  if (const auto near = nearest(path, candidates)) {
    hint = "did you mean '" + *near + "'?";
  } else {
    for (const std::string& candidate : candidates)
      if (hint.empty() && candidate.ends_with("." + key.text))
        hint = "did you mean '" + candidate + "'?";
    std::vector<std::string> tops;
    for (const std::string& candidate : candidates)
      tops.push_back(candidate.substr(0, candidate.find('.')));
    const auto top = nearest(path.substr(0, path.find('.')), tops);
    if (hint.empty() && top) hint = "did you mean '" + *top + "'?";
  }
  error(key, "unknown key '" + sanitize_utf8(path.substr(0, 100)) + "'", std::move(hint));
}

void Loader::read_entry(const YamlNode& key, const YamlNode& value, const std::string& path) {
  if (const KeyRow* row = find_key(path)) {
    if (!value.is_null()) read_value(*row, value);  // nothing said: the default stays
  } else if (const FalcoKey* falco = find_falco_key(path)) {
    read_falco(*falco, key, value, path);
  } else if (is_group(path) || is_falco_group(path)) {
    if (value.is_map()) {
      read_map(value, path + ".");
    } else if (!value.is_null()) {
      error(value, "expected a map for '" + path + "'");
    }
  } else {
    unknown(key, path);
  }
}

void Loader::read_map(const YamlNode& map, const std::string& prefix) {
  std::set<std::string_view> seen;
  for (const auto& [key, value] : map.entries) {
    if (!key.is_scalar()) {
      error(key, "expected a name as key");
      continue;
    }
    if (!seen.insert(key.text).second) error(key, "'" + key.text + "' is here twice");
    read_entry(key, value, prefix + key.text);
  }
}

void Loader::read_falco(const FalcoKey& falco, const YamlNode& key, const YamlNode& value,
                        const std::string& path) {
  using enum FalcoKey::Meaning;
  if (falco.meaning == ignored) {
    add(result_.ignored, key,
        fmt::format("'{}' is ignored: {}", sanitize_utf8(path), falco.here_or_why));
  } else if (falco.meaning == special) {
    if (!value.is_null()) read_falco_special(key, value, path);
  } else if (!value.is_null()) {
    const KeyRow* row = find_key(falco.here_or_why);
    // Falco's empty ca_cert must not undo its ca_bundle.
    if (value.is_scalar() && value.text.empty()) return;
    read_value(*row, value);
  }
}

void Loader::read_falco_special(const YamlNode& key, const YamlNode& value,
                                const std::string& path) {
  if (path == "rules_file") {
    read_value(*find_key("rules_files"), value);
  } else if (path == "config_files") {
    note_config_files(value);
  } else if (path == "program_output.enabled") {
    if (parse_bool(expand(value)).value_or(true)) {
      error(key, "the program output is refused: no shell is ever started",
            "send alerts to a webhook (outputs.http), or set program_output.enabled to false");
    }
  } else if (path == "engine.kind") {
    const std::string kind = expand(value);
    if (kind == "replay" || kind == "gvisor" || kind == "nodriver")
      error(value, "engine.kind: " + kind + " watches no kernel",
            kind == "replay" ? "use: saker replay FILE" : "leave it out");
  } else if (path == "http_output.mtls") {
    mutual_tls_off_ = !parse_bool(expand(value)).value_or(false);
  } else if (path == "webserver.listen_port") {
    web_port_ = expand(value);
  } else if (path == "webserver.listen_address") {
    web_address_ = expand(value);
    if (!net::is_loopback(web_address_)) {
      warn(value,
           "listening on 127.0.0.1 instead: what other machines can reach needs TLS and a "
           "token, set by server.listen");
      web_address_ = "127.0.0.1";
    }
  } else if (path == "webserver.ssl_enabled") {
    web_tls_ = parse_bool(expand(value)).value_or(false);
  } else if (path == "webserver.ssl_certificate") {
    web_certificate_ = expand(value);
  } else if (path == "output_timeout") {
    YamlNode with_unit = value;
    with_unit.text = expand(value) + "ms";
    read_value(*find_key("outputs_queue.slow_after"), with_unit);
  }
}

// One file holds certificate and key in falco.yaml.
void Loader::finish_webserver() {
  auto& server = result_.config.server;
  if (!web_address_.empty() || !web_port_.empty()) {
    const bool v6 = web_address_.find(':') != std::string::npos;
    const std::string address = web_address_.empty() ? "127.0.0.1" : web_address_;
    server.listen = fmt::format("{}:{}", v6 ? "[" + address + "]" : address,
                                web_port_.empty() ? "8765" : web_port_);
  }
  if (web_tls_ && !web_certificate_.empty())
    server.certificate_file = server.key_file = web_certificate_;
}

void Loader::note_config_files(const YamlNode& value) {
  if (!value.is_sequence()) {
    error(value, "expected a list for 'config_files'");
    return;
  }
  for (const YamlNode& item : value.items) {
    Include include;
    const YamlNode* path = &item;
    if (item.is_map()) {
      path = item.find("path");
      const YamlNode* strategy = item.find("strategy");
      const std::string name = strategy == nullptr ? "append" : strategy->text;
      if (name == "override") {
        include.strategy = Strategy::override_keys;
      } else if (name == "add-only") {
        include.strategy = Strategy::add_only;
      } else if (name != "append") {
        error(*strategy,
              "'" + sanitize_utf8(name) + "' is no strategy; there are append, override, add-only");
      }
    }
    if (path == nullptr || !path->is_scalar()) {
      error(item, "expected a path, or {path: PATH, strategy: append|override|add-only}");
      continue;
    }
    include.path = expand(*path);
    includes_.push_back(std::move(include));
  }
}

void Loader::read_text(std::string_view text, const std::string& name, Strategy strategy) {
  source_ = {.name = name, .text = text};
  strategy_ = strategy;
  set_before_.merge(set_here_);
  set_here_.clear();
  Result<std::vector<YamlNode>> documents = formats::parse_yaml(text, name);
  if (!documents.ok()) {
    const Position& place = documents.error().position;
    std::string snippet;
    if (place.line > 0) snippet = make_snippet(source_, place.line - 1, place.column - 1);
    result_.errors.push_back({.error = documents.error(), .snippet = std::move(snippet)});
    return;
  }
  if (documents->size() > 1) error((*documents)[1], "there must be one document only");
  if (documents->empty() || documents->front().is_null()) return;
  if (!documents->front().is_map()) {
    error(documents->front(), "expected a map of keys");
    return;
  }
  read_map(documents->front(), "");
}

void Loader::read_override(const std::string& assignment) {
  const size_t equals = assignment.find('=');
  source_ = {.name = "-o", .text = assignment};
  set_before_.merge(set_here_);
  set_here_.clear();
  YamlNode key;
  key.kind = YamlNode::Kind::scalar;
  if (equals == std::string::npos || equals == 0) {
    error(key, "expected KEY=VALUE");
    return;
  }
  std::string path = assignment.substr(0, equals);
  appending_ = path.ends_with("[]");
  if (appending_) path.resize(path.size() - 2);
  key.text = path.substr(path.rfind('.') + 1);
  const std::string_view value = std::string_view(assignment).substr(equals + 1);
  source_.column_offset = static_cast<uint32_t>(equals + 1);
  strategy_ = Strategy::override_keys;
  Result<std::vector<YamlNode>> documents = formats::parse_yaml(value, "-o");
  YamlNode node;
  if (documents.ok() && documents->size() == 1) {
    node = std::move(documents->front());
  } else {
    node.kind = YamlNode::Kind::scalar;  // "*" and the like: as it stands
    node.text = value;
  }
  if (node.is_null()) node.kind = YamlNode::Kind::scalar;  // KEY= empties
  if (node.text == "null" || node.text == "~") node.text.clear();
  read_entry(key, node, path);
  appending_ = false;
}

void Loader::read_file(const std::string& path, Strategy strategy, bool follow) {
  result_.files.push_back(path);
  Result<std::string> text = saker::read_file(path, kLargestFile);
  if (!text.ok()) {
    plain_error(text.error());
    return;
  }
  includes_.clear();
  read_text(*text, path, strategy);
  const std::vector<Include> includes = std::move(includes_);
  includes_.clear();
  if (!follow) {
    if (!includes.empty()) {
      plain_error(Error{.message = "config_files in a file that config_files names",
                        .position = {.file = path}});
    }
    return;
  }
  for (const Include& more : includes) include(more.path, more.strategy);
}

// A file, or the .yaml and .yml files of a folder in the order of their names.
void Loader::include(const std::string& path, Strategy strategy) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    result_.warnings.push_back({.error = errno_error("config_files: " + path, errno)});
    return;
  }
  if (!S_ISDIR(info.st_mode)) {
    read_file(path, strategy, false);
    return;
  }
  result_.files.push_back(path);
  std::vector<std::string> names;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(path, problem)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".yaml" || extension == ".yml") names.push_back(entry.path().string());
  }
  std::ranges::sort(names);
  for (const std::string& name : names) read_file(name, strategy, false);
}

// What can only be said when everything was read.
void Loader::finish() {
  finish_webserver();
  Config& config = result_.config;
  SinkConfig* http = config.sink("http");
  if (mutual_tls_off_ && http != nullptr) {
    http->settings.values["certificate_file"].clear();
    http->settings.values["key_file"].clear();
  }
  for (const auto& [name, size] :
       {std::pair<const char*, uint64_t>{"live.ring_size", config.live.ring_size},
        {"live.process_ring_size", config.live.process_ring_size}}) {
    if ((size & (size - 1)) != 0)
      plain_error(Error{.message = std::string(name) + " must be a power of two"});
  }
  if (Result<net::HostPort> place = net::parse_host_port(config.server.listen);
      config.server.enabled && !place.ok()) {
    Error error = place.error();
    error.message = "server.listen: " + error.message;
    plain_error(std::move(error));
  }
  for (const AppendOutput& append : config.append_output)
    config.suggested_output = append.suggested_output.value_or(config.suggested_output);
  for (SinkConfig& sink : config.outputs) {
    sink.settings.json = config.json_options();
    sink.settings.prefer_json = config.json_output;
  }
}

}  // namespace

std::string ConfigProblem::to_text() const {
  std::string text = error.to_text();
  if (!snippet.empty()) text += "\n" + snippet;
  return text;
}

LoadedConfig load_config(const std::vector<std::string>& files,
                         const std::vector<std::string>& overrides) {
  LoadedConfig result;
  Loader loader(result);
  for (const std::string& file : files) loader.read_file(file, Strategy::override_keys, true);
  for (const std::string& assignment : overrides) loader.read_override(assignment);
  loader.finish();
  return result;
}

LoadedConfig parse_config(std::string_view text, const std::string& name,
                          const std::vector<std::string>& overrides) {
  LoadedConfig result;
  Loader loader(result);
  loader.read_text(text, name, Strategy::override_keys);
  for (const std::string& assignment : overrides) loader.read_override(assignment);
  loader.finish();
  return result;
}

}  // namespace saker::agent
