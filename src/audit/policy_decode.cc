// Decoding of policy files. See policy_decode.h. The order of things is that of the server: which
// decoder (JSON when the text begins with a brace), kind and version, then the fields.
#include "audit/policy_decode.h"

#include <array>

#include "audit/policy_tree.h"
#include "base/strings.h"
#include "formats/json.h"

namespace saker::audit {

namespace {

using formats::YamlEntry;
using formats::YamlNode;

constexpr std::string_view kApiVersion = "audit.k8s.io/v1";

constexpr Shape kText{.kind = Shape::Kind::text};
constexpr Shape kBoolean{.kind = Shape::Kind::boolean};
constexpr Shape kInteger{.kind = Shape::Kind::integer};
constexpr Shape kTime{.kind = Shape::Kind::time};
constexpr Shape kAny{.kind = Shape::Kind::any};
constexpr Shape kTexts{.kind = Shape::Kind::list, .item = &kText};
constexpr Shape kTextMap{.kind = Shape::Kind::map, .item = &kText};

constexpr auto kOwnerFields = std::to_array<ShapeField>({{"apiVersion", &kText},
                                                         {"kind", &kText},
                                                         {"name", &kText},
                                                         {"uid", &kText},
                                                         {"controller", &kBoolean},
                                                         {"blockOwnerDeletion", &kBoolean}});
constexpr Shape kOwner{.kind = Shape::Kind::object, .fields = kOwnerFields};
constexpr Shape kOwners{.kind = Shape::Kind::list, .item = &kOwner};
constexpr auto kManagedFields = std::to_array<ShapeField>({{"manager", &kText},
                                                           {"operation", &kText},
                                                           {"apiVersion", &kText},
                                                           {"time", &kTime},
                                                           {"fieldsType", &kText},
                                                           {"fieldsV1", &kAny},
                                                           {"subresource", &kText}});
constexpr Shape kManaged{.kind = Shape::Kind::object, .fields = kManagedFields};
constexpr Shape kManagedList{.kind = Shape::Kind::list, .item = &kManaged};
constexpr auto kMetadataFields =
    std::to_array<ShapeField>({{"name", &kText},
                               {"generateName", &kText},
                               {"namespace", &kText},
                               {"selfLink", &kText},
                               {"uid", &kText},
                               {"resourceVersion", &kText},
                               {"generation", &kInteger},
                               {"creationTimestamp", &kTime},
                               {"deletionTimestamp", &kTime},
                               {"deletionGracePeriodSeconds", &kInteger},
                               {"labels", &kTextMap},
                               {"annotations", &kTextMap},
                               {"ownerReferences", &kOwners},
                               {"finalizers", &kTexts},
                               {"managedFields", &kManagedList}});
constexpr Shape kMetadata{.kind = Shape::Kind::object, .fields = kMetadataFields};

constexpr auto kGroupFields = std::to_array<ShapeField>(
    {{"group", &kText}, {"resources", &kTexts}, {"resourceNames", &kTexts}});
constexpr Shape kGroup{.kind = Shape::Kind::object, .fields = kGroupFields};
constexpr Shape kGroups{.kind = Shape::Kind::list, .item = &kGroup};
constexpr auto kRuleFields = std::to_array<ShapeField>({{"level", &kText},
                                                        {"users", &kTexts},
                                                        {"userGroups", &kTexts},
                                                        {"verbs", &kTexts},
                                                        {"resources", &kGroups},
                                                        {"namespaces", &kTexts},
                                                        {"nonResourceURLs", &kTexts},
                                                        {"omitStages", &kTexts},
                                                        {"omitManagedFields", &kBoolean}});
constexpr Shape kRule{.kind = Shape::Kind::object, .fields = kRuleFields};
constexpr Shape kRules{.kind = Shape::Kind::list, .item = &kRule};
constexpr auto kPolicyFields = std::to_array<ShapeField>({{"apiVersion", &kText},
                                                          {"kind", &kText},
                                                          {"metadata", &kMetadata},
                                                          {"rules", &kRules},
                                                          {"omitStages", &kTexts},
                                                          {"omitManagedFields", &kBoolean}});
constexpr Shape kPolicy{.kind = Shape::Kind::object, .fields = kPolicyFields};

// JSON that the YAML reader can't take (surrogate pairs, long keys): the tree without places.
YamlNode from_json(const formats::JsonNode& json) {
  using Kind = formats::JsonNode::Kind;
  YamlNode node;
  switch (json.kind) {
    case Kind::null: return node;
    case Kind::array:
      node.kind = YamlNode::Kind::sequence;
      for (const formats::JsonNode& item : json.items) node.items.push_back(from_json(item));
      return node;
    case Kind::object:
      node.kind = YamlNode::Kind::map;
      for (const auto& [name, value] : json.members) {
        YamlNode key{.kind = YamlNode::Kind::scalar, .text = name, .quoted = true};
        node.entries.push_back({std::move(key), from_json(value)});
      }
      return node;
    case Kind::text: node.text = json.text; break;
    default: node.text = formats::to_json(json);
  }
  node.kind = YamlNode::Kind::scalar;
  node.quoted = json.kind == Kind::text;
  return node;
}

void mark_of_offset(std::string_view text, formats::YamlMark& mark) {
  for (char c : text.substr(0, mark.offset)) {
    if (c == '\n') {
      ++mark.line;
      mark.column = 0;
    } else if ((static_cast<uint8_t>(c) & 0xc0) != 0x80) {
      ++mark.column;
    }
  }
}

formats::YamlMark mark_of(const Position& position) {
  return {.line = position.line == 0 ? 0 : position.line - 1,
          .column = position.column == 0 ? 0 : position.column - 1,
          .offset = position.offset};
}

std::optional<YamlNode> read_json(PolicyFile& file) {
  Result<formats::JsonNode> json = formats::parse_json(file.text);
  if (!json.ok()) {
    formats::YamlMark mark{.offset = json.error().position.offset};
    mark_of_offset(file.text, mark);
    PolicyProblem problem = decode_error("no valid JSON: " + json.error().message, mark);
    problem.hint = "a policy that begins with '{' is read as JSON";
    file.problems.push_back(std::move(problem));
    return std::nullopt;
  }
  Result<std::vector<YamlNode>> documents = formats::parse_yaml(file.text, file.name);
  if (documents.ok() && documents->size() == 1) return std::move(documents->front());
  return from_json(*json);
}

std::optional<YamlNode> read_yaml(PolicyFile& file) {
  Result<std::vector<YamlNode>> documents =
      formats::parse_yaml(file.text, file.name, {.only_first_document = true});
  if (!documents.ok()) {
    file.problems.push_back(decode_error("no valid YAML: " + documents.error().message,
                                         mark_of(documents.error().position)));
    return std::nullopt;
  }
  return documents->empty() ? YamlNode{} : std::move(documents->front());
}

// Only these two are looked up without regard to case, and before all else.
const YamlNode* find_folded(const YamlNode& node, std::string_view lower_name) {
  const YamlNode* found = nullptr;
  for (const YamlEntry& entry : node.entries)
    if (to_lower(entry.first.text) == lower_name) found = &entry.second;
  return found;
}

std::string text_or_empty(const YamlNode* node) {
  return node == nullptr || node->is_null() ? std::string() : node->text;
}

bool check_kind(const YamlNode& root, std::vector<PolicyProblem>& problems) {
  const YamlNode* version = find_folded(root, "apiversion");
  const YamlNode* kind = find_folded(root, "kind");
  const std::string version_text = text_or_empty(version), kind_text = text_or_empty(kind);
  if (version_text.empty()) {
    problems.push_back({.id = "unknown-version",
                        .kind = "UnknownGroupVersion",
                        .field = "apiVersion",
                        .message = "apiVersion is missing",
                        .hint = "write 'apiVersion: audit.k8s.io/v1' and 'kind: Policy'",
                        .mark = root.mark});
    return false;
  }
  if (version_text != kApiVersion) {
    const bool beta =
        version_text == "audit.k8s.io/v1beta1" || version_text == "audit.k8s.io/v1alpha1";
    PolicyProblem problem = decode_error(
        "no kind \"" + kind_text + "\" is registered for version \"" + version_text + "\"",
        version->mark);
    problem.field = "apiVersion";
    problem.hint = beta ? "removed in Kubernetes 1.24, use audit.k8s.io/v1" : "audit.k8s.io/v1";
    problems.push_back(std::move(problem));
    return false;
  }
  // A missing kind is filled in by the server: it asks for a Policy.
  if (kind_text.empty() || kind_text == "Policy") return true;
  PolicyProblem problem = decode_error("kind \"" + kind_text + "\" is no Policy", kind->mark);
  problem.field = "kind";
  problems.push_back(std::move(problem));
  return false;
}

std::vector<Word> words_of(const YamlNode& map, std::string_view name) {
  std::vector<Word> out;
  const YamlNode* list = map.find(name);
  if (list == nullptr) return out;
  out.reserve(list->items.size());
  for (const YamlNode& item : list->items) out.push_back({item.text, item.mark});
  return out;
}

Word word_of(const YamlNode& map, std::string_view name) {
  const YamlNode* node = map.find(name);
  return node == nullptr ? Word{.mark = map.mark} : Word{node->text, node->mark};
}

StageSet stages_of(const std::vector<Word>& words) {
  StageSet set;
  for (const Word& word : words)
    if (const auto stage = parse_stage(word.text)) set.add(*stage);
  return set;
}

std::optional<bool> boolean_of(const YamlNode& map, std::string_view name) {
  const YamlNode* node = map.find(name);
  if (node == nullptr || node->is_null()) return std::nullopt;
  return is_true(node->text);
}

PolicyRule rule_of(const YamlNode& node) {
  PolicyRule rule{.level_text = word_of(node, "level"),
                  .users = words_of(node, "users"),
                  .user_groups = words_of(node, "userGroups"),
                  .verbs = words_of(node, "verbs"),
                  .namespaces = words_of(node, "namespaces"),
                  .urls = words_of(node, "nonResourceURLs"),
                  .omit_stage_texts = words_of(node, "omitStages"),
                  .omit_managed_fields = boolean_of(node, "omitManagedFields"),
                  .mark = node.mark};
  rule.level = parse_level(rule.level_text.text).value_or(Level::none);
  rule.omit_stages = stages_of(rule.omit_stage_texts);
  const YamlNode* resources = node.find("resources");
  if (resources == nullptr) return rule;
  for (const YamlNode& item : resources->items)
    rule.resources.push_back({.group = word_of(item, "group"),
                              .resources = words_of(item, "resources"),
                              .names = words_of(item, "resourceNames"),
                              .mark = item.mark});
  return rule;
}

Policy policy_of(const YamlNode& root) {
  Policy policy{.omit_stage_texts = words_of(root, "omitStages")};
  policy.omit_stages = stages_of(policy.omit_stage_texts);
  policy.omit_managed_fields = boolean_of(root, "omitManagedFields").value_or(false);
  if (const YamlNode* stages = root.find("omitStages")) policy.omit_stages_mark = stages->mark;
  if (const YamlNode* rules = root.find("rules")) {
    policy.rules.reserve(rules->items.size());
    for (const YamlNode& rule : rules->items) policy.rules.push_back(rule_of(rule));
  }
  return policy;
}

bool has_error(const std::vector<PolicyProblem>& problems) {
  for (const PolicyProblem& problem : problems)
    if (problem.severity == PolicyProblem::Severity::error) return true;
  return false;
}

}  // namespace

void decode_policy(PolicyFile& file) {
  const bool json = trim(file.text).starts_with('{');
  std::optional<YamlNode> root = json ? read_json(file) : read_yaml(file);
  if (!root) return;
  TreeChecker checker(file.problems);
  checker.normalise(*root);
  if (!root->is_map() && !root->is_null()) {
    file.problems.push_back(
        decode_error("a policy is a map, with apiVersion and kind", root->mark));
    return;
  }
  if (has_error(file.problems) || !check_kind(*root, file.problems)) return;
  checker.check(*root, kPolicy, "");
  if (has_error(file.problems)) return;
  file.policy = policy_of(*root);
  file.decoded = true;
}

}  // namespace saker::audit
