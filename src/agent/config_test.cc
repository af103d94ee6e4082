#include "agent/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace saker::agent {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

std::string all_texts(const std::vector<ConfigProblem>& problems) {
  std::string text;
  for (const ConfigProblem& problem : problems) text += problem.to_text() + "\n";
  return text;
}

Config good(std::string_view text, const Strings& overrides = {}) {
  LoadedConfig loaded = parse_config(text, "saker.yaml", overrides);
  EXPECT_TRUE(loaded.ok()) << all_texts(loaded.errors);
  return loaded.config;
}

// The only problem of a configuration.
ConfigProblem bad(std::string_view text, const Strings& overrides = {}) {
  LoadedConfig loaded = parse_config(text, "saker.yaml", overrides);
  EXPECT_EQ(loaded.errors.size(), 1u) << all_texts(loaded.errors);
  return loaded.errors.empty() ? ConfigProblem{} : loaded.errors.front();
}

TEST(Config, DefaultsAreSakers) {
  for (const char* text : {"", "# nothing\n", "---\n", "store:\nrules_files:\n"}) {
    const Config config = good(text);
    EXPECT_EQ(config.rule_matching, "all");
    EXPECT_EQ(config.store.max_size, 512u << 20);
    EXPECT_EQ(config.store.max_age, 30 * 24h);
    EXPECT_EQ(config.server.listen, "127.0.0.1:8765");
    EXPECT_TRUE(config.sink("stdout")->enabled);
    EXPECT_FALSE(config.sink("http")->enabled);
    EXPECT_EQ(config.sink("http")->settings.duration("timeout"), 10s);
  }
}

TEST(Config, EveryKindOfValue) {
  const Config config = good(R"(
rules_files: [a.yaml, b]
rule_matching: First
priority: WARNING
json_output: yes
data_dir: "/x"
log_level: notice
outputs:
  http:
    enabled: true
    priority: error
    url: https://example.org/
    timeout: 1m30s
    headers: ['A: b', 'C: d']
  file: {enabled: on, path: /tmp/x}
outputs_queue: {capacity: 100}
store: {max_size: 64MiB, max_age: 2d}
static_fields: {site: here, rack: 7}
)");
  EXPECT_EQ(config.rules_files, (Strings{"a.yaml", "b"}));
  EXPECT_EQ(config.rule_matching, "first");
  EXPECT_EQ(config.priority, finding::Severity::warning);
  EXPECT_TRUE(config.json_output);
  EXPECT_EQ(config.log_level, "info");
  const SinkConfig& http = *config.sink("http");
  EXPECT_TRUE(http.enabled);
  EXPECT_EQ(http.priority, finding::Severity::error);
  EXPECT_EQ(http.settings.text("url"), "https://example.org/");
  EXPECT_EQ(http.settings.duration("timeout"), 90s);
  EXPECT_EQ(http.settings.list("headers").size(), 2u);
  EXPECT_TRUE(http.settings.prefer_json);
  EXPECT_EQ(config.sink("file")->settings.text("path"), "/tmp/x");
  EXPECT_EQ(config.outputs_queue.capacity, 100u);
  EXPECT_EQ(config.store.max_size, 64u << 20);
  EXPECT_EQ(config.store.max_age, 48h);
  ASSERT_EQ(config.static_fields.size(), 2u);
  EXPECT_EQ(config.static_fields[1].second, "7");
}

TEST(Config, StructuredLists) {
  const Config config = good(R"(
rules:
  - enable: {rule: 'Shell*'}
  - disable: {tag: noisy}
append_output:
  - match: {source: syscall, rule: R, tags: [a, b]}
    extra_output: on %container.id
    extra_fields: [proc.name, {who: '%user.name'}]
  - suggested_output: false
)");
  ASSERT_EQ(config.rules.size(), 2u);
  EXPECT_EQ(config.rules[0].rule_glob, "Shell*");
  EXPECT_FALSE(config.rules[1].enable);
  EXPECT_EQ(config.rules[1].tag, "noisy");
  ASSERT_EQ(config.append_output.size(), 2u);
  const AppendOutput& append = config.append_output[0];
  EXPECT_EQ(append.tags, (Strings{"a", "b"}));
  EXPECT_EQ(append.extra_output, "on %container.id");
  ASSERT_EQ(append.extra_fields.size(), 2u);
  EXPECT_EQ(append.extra_fields[0],
            (std::pair<std::string, std::string>{"proc.name", "%proc.name"}));
  EXPECT_EQ(append.extra_fields[1], (std::pair<std::string, std::string>{"who", "%user.name"}));
  EXPECT_FALSE(config.suggested_output);
}

TEST(Config, MistakesHaveAPlace) {
  ConfigProblem problem = bad("store:\n  max_sise: 1GiB\n");
  EXPECT_EQ(problem.to_text(),
            "saker.yaml:2:3: unknown key 'store.max_sise' (did you mean 'store.max_size'?)\n"
            "  max_sise: 1GiB\n  ^");
  problem = bad("store: {max_size: lots}\n");
  EXPECT_EQ(problem.error.position.line, 1u);
  EXPECT_EQ(problem.error.position.column, 19u);
  EXPECT_NE(problem.error.message.find("'lots' is no size"), std::string::npos);
  problem = bad("a: [\n");  // not YAML
  EXPECT_EQ(problem.error.position.file, "saker.yaml");
  EXPECT_NE(bad("max_size: 1\n").error.hint.find("store.max_size"), std::string::npos);
  EXPECT_NE(bad("rule_matching: fist\n").error.hint.find("first"), std::string::npos);
}

TEST(Config, Refuses) {
  for (const char* text : {"[]",
                           "x",
                           "store: 5",
                           "json_output: maybe",
                           "outputs_queue: {capacity: -1}",
                           "priority: loud",
                           "outputs: {smoke: {enabled: true}}",
                           "outputs: {http: {timeout: soon}}",
                           "store: {max_size: 5}",
                           "json_output: true\njson_output: false",
                           "rules_files: {a: b}",
                           "rules: x",
                           "rules: [x]",
                           "rules: [{enable: {rule: a, tag: b}}]",
                           "rules: [{switch: {rule: a}}]",
                           "append_output: [{match: {colour: red}}]",
                           "static_fields: [a]",
                           "server: {listen: nowhere}",
                           "live: {ring_size: 3MiB}",
                           "---\na: 1\n---\nb: 2",
                           "? [a]\n: b",
                           "log_level: loud"}) {
    EXPECT_FALSE(parse_config(text, "x").ok()) << text;
  }
}

TEST(Config, Overrides) {
  const Config config =
      good("store: {max_size: 1GiB}\nrules_files: [a]\n",
           {"store.max_size=2GiB", "json_output=true", "rules_files[]=b",
            "outputs.http.url=http://x/?a=b", "containers.sockets=[x, y]", "hostname="});
  EXPECT_EQ(config.store.max_size, uint64_t{2} << 30);
  EXPECT_TRUE(config.json_output);
  EXPECT_EQ(config.rules_files, (Strings{"a", "b"}));
  EXPECT_EQ(config.sink("http")->settings.text("url"), "http://x/?a=b");
  EXPECT_EQ(config.containers.sockets, (Strings{"x", "y"}));
  EXPECT_EQ(good("rules_files: [a]", {"rules_files=b"}).rules_files, Strings{"b"});
  EXPECT_EQ(good("", {"rules=[{disable: {rule: '*'}}]"}).rules.size(), 1u);
  ConfigProblem problem = bad("", {"store.max_size=x"});
  EXPECT_EQ(problem.error.position.file, "-o");
  EXPECT_EQ(problem.snippet, "store.max_size=x\n               ^");
  bad("", {"nonsense"});
  bad("", {"store.max_sise=1"});
  bad("", {"store=1"});
}

TEST(Config, Environment) {
  ::setenv("SAKER_TEST_TOKEN", "secret", 1);
  ::unsetenv("SAKER_TEST_NONE");
  LoadedConfig loaded = parse_config(
      "hostname: 'a${SAKER_TEST_TOKEN}b$${SAKER_TEST_TOKEN}c$d${open'\n"
      "data_dir: 'x${SAKER_TEST_NONE}'\n",
      "x");
  ASSERT_TRUE(loaded.ok()) << all_texts(loaded.errors);
  EXPECT_EQ(loaded.config.hostname, "asecretb${SAKER_TEST_TOKEN}c$d${open");
  EXPECT_EQ(loaded.config.data_dir, "x");
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_EQ(loaded.warnings[0].error.position.line, 2u);
  EXPECT_EQ(good("json_output: ${SAKER_TEST_JSON}", {}).json_output, false);
}

TEST(Config, FalcoYaml) {
  LoadedConfig loaded = parse_config(R"(
config_files: [/etc/falco/config.d]
watch_config_files: true
rules_files: [/etc/falco/falco_rules.yaml]
rules: [{disable: {tag: network}}]
engine:
  kind: modern_ebpf
  modern_ebpf: {cpus_for_each_buffer: 2}
load_plugins: [container]
plugins: [{name: container, library_path: x}]
time_format_iso_8601: true
priority: debug
json_output: true
json_include_message_property: true
buffered_outputs: false
outputs_queue: {capacity: 500}
output_timeout: 2500
append_output: [{suggested_output: true}]
stdout_output: {enabled: false}
syslog_output: {enabled: true}
file_output: {enabled: true, keep_alive: false, filename: ./events.txt}
http_output:
  enabled: true
  url: http://some.url
  user_agent: "x"
  insecure: false
  ca_cert: ""
  ca_bundle: "/b"
  ca_path: "/etc/falco/certs/"
  mtls: false
  client_cert: "/etc/ssl/certs/client.crt"
  client_key: "/etc/ssl/certs/client.key"
  echo: false
  compress_uploads: false
program_output: {enabled: false, keep_alive: false, program: "jq | sh"}
webserver: {enabled: true, threadiness: 0, listen_port: 9000, listen_address: 0.0.0.0, k8s_healthz_endpoint: /healthz, prometheus_metrics_enabled: false, ssl_enabled: false, ssl_certificate: /etc/falco/falco.pem}
log_stderr: true
log_syslog: true
log_level: info
metrics: {enabled: false, interval: 1h}
falco_libs: {thread_table_size: 262144}
)",
                                     "falco.yaml");
  ASSERT_TRUE(loaded.ok()) << all_texts(loaded.errors);
  const Config& config = loaded.config;
  EXPECT_EQ(config.rule_matching, "all");  // the file does not say
  EXPECT_EQ(config.rules_files, Strings{"/etc/falco/falco_rules.yaml"});
  EXPECT_FALSE(config.sink("stdout")->enabled);
  EXPECT_TRUE(config.sink("syslog")->enabled);
  EXPECT_EQ(config.sink("file")->settings.text("path"), "./events.txt");
  const output::SinkSettings& http = config.sink("http")->settings;
  EXPECT_EQ(http.text("url"), "http://some.url");
  EXPECT_EQ(http.text("ca_file"), "/b");
  EXPECT_EQ(http.text("certificate_file"), "");  // no mtls
  EXPECT_TRUE(http.json.include_message);
  EXPECT_TRUE(http.json.iso_time);
  EXPECT_EQ(config.outputs_queue.capacity, 500u);
  EXPECT_EQ(config.outputs_queue.slow_after, 2500ms);
  EXPECT_EQ(config.server.listen, "127.0.0.1:9000");
  EXPECT_FALSE(config.server.metrics);
  EXPECT_EQ(config.server.certificate_file, "");
  EXPECT_EQ(loaded.warnings.size(), 1u) << all_texts(loaded.warnings);  // the address
  const std::string ignored = all_texts(loaded.ignored);
  for (const char* key :
       {"'engine.modern_ebpf.cpus_for_each_buffer'", "'plugins'", "'load_plugins'", "'log_syslog'",
        "'metrics'", "'falco_libs.thread_table_size'", "'http_output.echo'",
        "'program_output.program'"})
    EXPECT_NE(ignored.find(key), std::string::npos) << key << "\n" << ignored;
  EXPECT_NE(ignored.find("falco.yaml:8:17: "), std::string::npos) << ignored;
}

TEST(Config, FalcoYamlFurther) {
  EXPECT_EQ(good("rules_file: [x]").rules_files, Strings{"x"});
  EXPECT_EQ(good("rules_file: x").rules_files, Strings{"x"});
  EXPECT_EQ(good("rule_matching: first").rule_matching, "first");
  const Config tls = good(
      "http_output: {mtls: true, client_cert: /c, client_key: /k}\n"
      "webserver: {ssl_enabled: true, ssl_certificate: /p, listen_address: '::1', listen_port: 1}");
  EXPECT_EQ(tls.sink("http")->settings.text("certificate_file"), "/c");
  EXPECT_EQ(tls.server.certificate_file, "/p");
  EXPECT_EQ(tls.server.listen, "[::1]:1");
  EXPECT_NE(bad("program_output: {enabled: true}").error.message.find("shell"), std::string::npos);
  // Falco's 0 means without bound; nothing here is.
  EXPECT_EQ(good("outputs_queue: {capacity: 0}").outputs_queue.capacity, 8192u);
}

TEST(Config, ExplanationLoadsAsTheDefaults) {
  const std::string text = explain_config();
  LoadedConfig loaded = parse_config(text, "explained");
  ASSERT_TRUE(loaded.ok()) << all_texts(loaded.errors) << text;
  EXPECT_TRUE(loaded.warnings.empty());
  // Rendering what was loaded gives the same text again: compare key by key.
  const std::vector<ConfigKey> keys = config_keys();
  EXPECT_GT(keys.size(), 60u);
  for (const ConfigKey& key : keys) {
    EXPECT_FALSE(key.summary.empty()) << key.path;
    EXPECT_TRUE(parse_config("", "x", {key.path + "=" + key.default_value}).ok()) << key.path;
    EXPECT_EQ(
        std::ranges::count_if(keys, [&](const ConfigKey& other) { return other.path == key.path; }),
        1);
  }
  EXPECT_EQ(loaded.config.store.max_size, default_config().store.max_size);
  EXPECT_EQ(loaded.config.sink("http")->settings.values,
            default_config().sink("http")->settings.values);
  EXPECT_EQ(loaded.config.outputs_queue.shutdown_timeout,
            default_config().outputs_queue.shutdown_timeout);
}

class ConfigFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "saker_config_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_ + "/config.d");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST_F(ConfigFiles, Strategies) {
  for (const auto& [strategy, rules, size] :
       {std::tuple<std::string, Strings, uint64_t>{"append", {"a", "b"}, 2},
        {"override", {"b"}, 2},
        {"add-only", {"a"}, 1}}) {
    write("config.d/10.yaml", "rules_files: [b]\nstore: {max_size: 2GiB}\nhostname: new\n");
    const std::string main = write(
        "saker.yaml", "config_files: [{path: " + folder_ + "/config.d, strategy: " + strategy +
                          "}]\nrules_files: [a]\nstore: {max_size: 1GiB}\n");
    LoadedConfig loaded = load_config({main}, {});
    ASSERT_TRUE(loaded.ok()) << all_texts(loaded.errors);
    EXPECT_EQ(loaded.config.rules_files, rules) << strategy;
    EXPECT_EQ(loaded.config.store.max_size, size << 30) << strategy;
    EXPECT_EQ(loaded.config.hostname, "new") << strategy;
    EXPECT_EQ(loaded.files, (Strings{main, folder_ + "/config.d", folder_ + "/config.d/10.yaml"}));
  }
}

TEST_F(ConfigFiles, OrderAndMistakes) {
  write("config.d/20.yml", "hostname: second\n");
  write("config.d/10.yaml", "hostname: first\n");
  write("config.d/30.txt", "hostname: not this\n");
  const std::string main = write("saker.yaml", "config_files: [" + folder_ + "/config.d, /none]\n");
  LoadedConfig loaded = load_config({main}, {});
  EXPECT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.hostname, "second");
  EXPECT_EQ(loaded.warnings.size(), 1u);
  EXPECT_EQ(load_config({main}, {"hostname=flag"}).config.hostname, "flag");
  write("config.d/10.yaml", "hostnam: first\n");
  loaded = load_config({main}, {});
  ASSERT_EQ(loaded.errors.size(), 1u);
  EXPECT_EQ(loaded.errors[0].error.position.file, folder_ + "/config.d/10.yaml");
  EXPECT_FALSE(load_config({folder_ + "/missing.yaml"}, {}).ok());
  EXPECT_FALSE(load_config({folder_}, {}).ok());
}

}  // namespace
}  // namespace saker::agent
