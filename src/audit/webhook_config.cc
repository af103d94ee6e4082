#include "audit/webhook_config.h"

#include "formats/yaml_edit.h"
#include "formats/yaml_write.h"

namespace saker::audit {

namespace {

using formats::yaml_map;
using formats::yaml_text;
using formats::YamlEntry;
using formats::YamlNode;

constexpr std::string_view kCluster = "saker-audit";
constexpr std::string_view kUser = "kube-apiserver";

void add(std::vector<YamlEntry>& entries, std::string_view key, const std::string& value) {
  if (!value.empty()) entries.push_back({yaml_text(key), yaml_text(value)});
}

YamlNode cluster_of(const WebhookConfig& config) {
  std::vector<YamlEntry> entries;
  add(entries, "server", config.server);
  add(entries, "certificate-authority-data", config.authority);
  add(entries, "tls-server-name", config.server_name);
  if (config.insecure)
    entries.push_back({yaml_text("insecure-skip-tls-verify"), formats::yaml_plain("true")});
  return yaml_map({{yaml_text("cluster"), yaml_map(std::move(entries))},
                   {yaml_text("name"), yaml_text(kCluster)}});
}

YamlNode user_of(const WebhookConfig& config) {
  std::vector<YamlEntry> entries;
  add(entries, "client-certificate-data", config.client_certificate);
  add(entries, "client-key-data", config.client_key);
  add(entries, "token", config.token);
  return yaml_map(
      {{yaml_text("name"), yaml_text(kUser)}, {yaml_text("user"), yaml_map(std::move(entries))}});
}

YamlNode context() {
  return yaml_map({{yaml_text("context"), yaml_map({{yaml_text("cluster"), yaml_text(kCluster)},
                                                    {yaml_text("user"), yaml_text(kUser)}})},
                   {yaml_text("name"), yaml_text(kCluster)}});
}

}  // namespace

std::string write_webhook_config(const WebhookConfig& config) {
  const formats::YamlLayout layout;
  std::string out =
      "# For kube-apiserver's --audit-webhook-config-file. Made by: saker audit webhook-config\n";
  const auto add_entry = [&](std::string_view key, const YamlNode& value) {
    out += formats::write_block_entry(key, value, 0, layout) + "\n";
  };
  add_entry("apiVersion", yaml_text("v1"));
  add_entry("kind", yaml_text("Config"));
  add_entry("clusters", formats::yaml_sequence({cluster_of(config)}));
  add_entry("users", formats::yaml_sequence({user_of(config)}));
  add_entry("contexts", formats::yaml_sequence({context()}));
  add_entry("current-context", yaml_text(kCluster));
  return out;
}

}  // namespace saker::audit
