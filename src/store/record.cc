#include "store/record.h"

#include <algorithm>

#include "base/strings.h"
#include "formats/json.h"

namespace saker::store {

namespace {

finding::FieldValue to_value(const formats::JsonNode& node) {
  using enum formats::JsonNode::Kind;
  switch (node.kind) {
    case boolean: return node.boolean;
    case integer: return node.integer;
    case unsigned_integer: return node.unsigned_integer;
    case real: return node.real;
    case text: return node.text;
    case array: {
      std::vector<std::string> items;
      for (const formats::JsonNode& item : node.items) items.push_back(item.text);
      return items;
    }
    default: return std::monostate{};
  }
}

std::string fields_to_json(const std::vector<finding::NamedValue>& fields) {
  std::string out = "{";
  for (const finding::NamedValue& field : fields) {
    if (out.size() > 1) out += ',';
    finding::append_json_string(field.name, out);
    out += ':';
    finding::append_json_value(field.value, out);
  }
  return out + "}";
}

// Times beyond what SQLite's integers hold would turn negative.
int64_t clamp(uint64_t value) {
  return static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX));
}

}  // namespace

std::string to_json(const StoredAlert& alert, const finding::JsonOptions& options) {
  std::string json = finding::to_json(alert.finding, options);
  return "{\"id\":" + std::to_string(alert.id) + ',' + json.substr(1);
}

void bind_finding(const finding::Finding& finding, Statement& statement) {
  std::string tags;
  finding::append_json_value(finding.tags, tags);
  statement.bind(1, clamp(finding.time_ns));
  statement.bind(2, static_cast<int64_t>(finding.severity));
  statement.bind(3, sanitize_utf8(finding.rule));
  statement.bind(4, sanitize_utf8(finding.source));
  statement.bind(5, sanitize_utf8(finding.hostname));
  statement.bind(6, sanitize_utf8(finding.container_id));
  statement.bind(7, sanitize_utf8(finding.message));
  statement.bind(8, tags);
  statement.bind(9, fields_to_json(finding.fields));
  statement.bind(10, clamp(finding.sequence));
}

StoredAlert read_row(const Statement& row) {
  StoredAlert alert;
  alert.id = row.integer(0);
  finding::Finding& finding = alert.finding;
  finding.time_ns = static_cast<uint64_t>(row.integer(1));
  finding.severity = static_cast<finding::Severity>(std::clamp<int64_t>(row.integer(2), 0, 7));
  finding.rule = row.text(3);
  finding.source = row.text(4);
  finding.hostname = row.text(5);
  finding.container_id = row.text(6);
  finding.message = row.text(7);
  if (Result<formats::JsonNode> tags = formats::parse_json(row.text(8)); tags.ok())
    for (const formats::JsonNode& tag : tags->items) finding.tags.push_back(tag.text);
  if (Result<formats::JsonNode> fields = formats::parse_json(row.text(9)); fields.ok())
    for (const auto& [name, value] : fields->members)
      finding.fields.push_back({.name = name, .value = to_value(value)});
  finding.sequence = static_cast<uint64_t>(row.integer(10));
  return alert;
}

}  // namespace saker::store
