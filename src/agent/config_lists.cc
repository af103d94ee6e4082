// The keys of saker.yaml whose values are lists of structures.
#include <algorithm>

#include "agent/config_keys.h"
#include "base/strings.h"

namespace saker::agent {

namespace {

using formats::YamlNode;

// Complains about keys that are not in `known`.
void check_keys(const YamlNode& map, const std::vector<std::string>& known, ProblemSink& report) {
  for (const auto& [key, value] : map.entries) {
    if (std::ranges::find(known, key.text) != known.end()) continue;
    std::string hint = "there are " + join(known, ", ");
    if (const auto near = nearest(key.text, known)) hint = "did you mean '" + *near + "'?";
    report.error(key, "unknown key '" + sanitize_utf8(key.text) + "'", hint);
  }
}

std::string text_at(const YamlNode& map, std::string_view key, ProblemSink& report) {
  const YamlNode* node = map.find(key);
  if (node == nullptr || node->is_null()) return {};
  if (node->is_scalar()) return report.expand(*node);
  report.error(*node, "expected text for '" + std::string(key) + "'");
  return {};
}

void read_selection(const YamlNode& item, std::vector<rules::Selection>& to, ProblemSink& report) {
  if (!item.is_map() || item.entries.size() != 1) {
    report.error(item, "expected {enable: ...} or {disable: ...}");
    return;
  }
  check_keys(item, {"enable", "disable"}, report);
  const auto& [verb, what] = item.entries.front();
  if (!what.is_map()) {
    report.error(what, "expected {rule: GLOB} or {tag: TAG}");
    return;
  }
  check_keys(what, {"rule", "tag"}, report);
  rules::Selection selection{.enable = verb.text == "enable",
                             .rule_glob = text_at(what, "rule", report),
                             .tag = text_at(what, "tag", report)};
  if (selection.rule_glob.empty() == selection.tag.empty()) {
    report.error(what, "expected either a rule or a tag");
    return;
  }
  to.push_back(std::move(selection));
}

void read_match(const YamlNode& match, AppendOutput& to, ProblemSink& report) {
  if (!match.is_map()) {
    report.error(match, "expected a map for 'match'");
    return;
  }
  check_keys(match, {"source", "rule", "tags"}, report);
  to.source = text_at(match, "source", report);
  to.rule = text_at(match, "rule", report);
  const YamlNode* tags = match.find("tags");
  if (tags == nullptr || tags->is_null()) return;
  if (!tags->is_sequence()) report.error(*tags, "expected a list of tags");
  for (const YamlNode& tag : tags->items) to.tags.push_back(report.expand(tag));
}

void read_extra_fields(const YamlNode& fields, AppendOutput& to, ProblemSink& report) {
  if (!fields.is_sequence()) {
    report.error(fields, "expected a list of fields");
    return;
  }
  for (const YamlNode& field : fields.items) {
    if (field.is_scalar()) {
      const std::string name = report.expand(field);
      to.extra_fields.emplace_back(name, "%" + name);
    } else if (field.is_map() && field.entries.size() == 1 &&
               field.entries.front().second.is_scalar()) {
      const auto& [name, value] = field.entries.front();
      to.extra_fields.emplace_back(name.text, report.expand(value));
    } else {
      report.error(field, "expected a field, or {NAME: TEMPLATE}");
    }
  }
}

void read_append(const YamlNode& item, std::vector<AppendOutput>& to, ProblemSink& report) {
  if (!item.is_map()) {
    report.error(item, "expected a map");
    return;
  }
  check_keys(item, {"match", "extra_output", "extra_fields", "suggested_output"}, report);
  AppendOutput append;
  if (const YamlNode* match = item.find("match"); match != nullptr && !match->is_null())
    read_match(*match, append, report);
  append.extra_output = text_at(item, "extra_output", report);
  if (const YamlNode* fields = item.find("extra_fields"); fields != nullptr && !fields->is_null())
    read_extra_fields(*fields, append, report);
  if (const YamlNode* suggested = item.find("suggested_output")) {
    const auto flag = parse_bool(suggested->text);
    if (!flag) report.error(*suggested, "expected true or false");
    append.suggested_output = flag;
  }
  to.push_back(std::move(append));
}

}  // namespace

void read_selections(const YamlNode& node, std::vector<rules::Selection>& to, ProblemSink& report) {
  if (!node.is_sequence()) report.error(node, "expected a list for 'rules'");
  for (const YamlNode& item : node.items) read_selection(item, to, report);
}

void read_append_output(const YamlNode& node, std::vector<AppendOutput>& to, ProblemSink& report) {
  if (!node.is_sequence()) report.error(node, "expected a list for 'append_output'");
  for (const YamlNode& item : node.items) read_append(item, to, report);
}

void read_static_fields(const YamlNode& node, std::vector<std::pair<std::string, std::string>>& to,
                        ProblemSink& report) {
  if (!node.is_map()) {
    report.error(node, "expected a map for 'static_fields'");
    return;
  }
  for (const auto& [name, value] : node.entries) {
    if (!value.is_scalar() || name.text.empty()) {
      report.error(value, "expected NAME: VALUE");
      continue;
    }
    std::erase_if(to, [&](const auto& field) { return field.first == name.text; });
    to.emplace_back(name.text, report.expand(value));
  }
}

}  // namespace saker::agent
