// Any text as kube-apiserver's manifest: what auditing makes of it always parses, does what was
// asked and nothing else, leaves every byte alone that it is not about, changes nothing a second
// time, and comes out again to the byte.
// parser: src/audit/apiserver_manifest.cc src/audit/apiserver_install.cc
// parser: src/audit/apiserver_uninstall.cc src/formats/yaml_edit.cc src/formats/yaml_change.cc
// parser: src/formats/yaml_spans.cc src/formats/yaml_write.cc src/formats/line_diff.cc
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "audit/apiserver_install.h"
#include "formats/line_diff.h"

namespace {

using namespace saker;
using formats::YamlNode;

void require(bool condition) {
  if (!condition) std::abort();
}

// Everything that can't become different: the trees with the parts taken out that auditing is
// about.
void strip(YamlNode& node, const formats::YamlPath& path, size_t depth) {
  if (depth == path.size()) {
    node = YamlNode{};
    return;
  }
  if (path[depth].key.empty()) {
    if (path[depth].index < node.items.size())
      strip(node.items[path[depth].index], path, depth + 1);
    return;
  }
  for (size_t i = 0; i < node.entries.size(); ++i) {
    if (node.entries[i].first.text != path[depth].key) continue;
    if (depth + 1 == path.size())
      node.entries.erase(node.entries.begin() + static_cast<std::ptrdiff_t>(i));
    else
      strip(node.entries[i].second, path, depth + 1);
    return;
  }
}

bool same(const YamlNode& left, const YamlNode& right) {
  return left.kind == right.kind && left.text == right.text && left.quoted == right.quoted &&
         std::equal(left.items.begin(), left.items.end(), right.items.begin(), right.items.end(),
                    same) &&
         std::equal(left.entries.begin(), left.entries.end(), right.entries.begin(),
                    right.entries.end(), [](const auto& one, const auto& other) {
                      return same(one.first, other.first) && same(one.second, other.second);
                    });
}

YamlNode rest_of(const audit::ApiserverManifest& manifest) {
  YamlNode pod = manifest.pod;
  for (const std::string_view key : {"command", "args", "volumeMounts"}) {
    formats::YamlPath path = manifest.container;
    path.push_back({.key = std::string(key)});
    strip(pod, path, 0);
  }
  strip(pod, {{.key = "spec"}, {.key = "volumes"}}, 0);
  strip(pod, {{.key = "metadata"}, {.key = "annotations"}}, 0);
  return pod;
}

// Bytes outside the edits: with the added pieces cut out, the rest is the old text. What is
// replaced in place (a value, a bracket) is named in the plan, so only additions are looked at
// here.
bool only_added(std::string_view before, std::string_view after) {
  size_t next = 0;
  for (size_t i = 0; i < after.size() && next < before.size(); ++i)
    next += after[i] == before[next];
  return next == before.size();
}

audit::ApiserverManifest manifest_of(std::string_view text) {
  auto manifest = audit::read_apiserver_manifest(text, "fuzz.yaml");
  require(manifest.ok());
  return std::move(*manifest);
}

// A patch made of the difference gives the new text again.
void check_diff(std::string_view before, std::string_view after) {
  const std::string diff = formats::unified_diff(before, after, "a", "b");
  require(diff.empty() == (before == after));
  require(diff.empty() || diff.starts_with("--- a\n+++ b\n@@ -"));
}

void check_plan(const audit::ApiserverManifest& manifest, const audit::InstallWishes& wishes) {
  const auto plan = audit::plan_install(manifest, wishes);
  if (!plan.ok()) {
    require(!plan.error().message.empty() && plan.error().position.offset <= manifest.text.size());
    return;
  }
  const audit::ApiserverManifest after = manifest_of(plan->text);
  require(same(rest_of(manifest), rest_of(after)));
  require(plan->changes_manifest() == (plan->text != manifest.text));
  require(after.find_flag("audit-policy-file") != nullptr);
  require(after.find_flag("audit-log-path") != nullptr);
  const auto replaces = [](const std::string& change) {
    return change.contains(" instead of ") || change.contains(" writable: ") ||
           change.starts_with("annotation");
  };
  const bool nulls = manifest.text.contains("null") || manifest.text.contains('~') ||
                     manifest.text.contains("Null") || manifest.text.contains("NULL");
  if (!nulls && !manifest.text.contains("[]") &&
      std::none_of(plan->changes.begin(), plan->changes.end(), replaces))
    require(only_added(manifest.text, plan->text));
  check_diff(manifest.text, plan->text);
  // With other changes the server starts anew anyway, so a new policy needs no annotation.
  audit::InstallWishes settled = wishes;
  settled.policy_sum.clear();
  const auto again = audit::plan_install(after, settled);
  require(again.ok() && !again->changes_manifest() && again->text == plan->text);
  const auto back = audit::plan_uninstall(after, manifest, after);
  require(back.ok() && back->text == manifest.text);
  // As if others had edited the file in between: taken out piece by piece.
  const auto edited = audit::read_apiserver_manifest(plan->text + "\n# edited\n", "fuzz.yaml");
  if (!edited.ok()) return;
  const auto pieces = audit::plan_uninstall(*edited, manifest, after);
  if (!pieces.ok()) return;
  const audit::ApiserverManifest left = manifest_of(pieces->text);
  require(same(rest_of(left), rest_of(*edited)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto manifest = audit::read_apiserver_manifest(text, "fuzz.yaml");
  if (!manifest.ok()) {
    require(!manifest.error().message.empty() && manifest.error().position.offset <= size);
    return 0;
  }
  check_plan(*manifest, {});
  check_plan(*manifest, {.webhook = true, .policy_sum = "0123"});
  check_plan(*manifest,
             {.log_path = "/srv/audit/a.log", .max_age = 1, .max_backups = 0, .max_size = 10});
  return 0;
}
