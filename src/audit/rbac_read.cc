// Reads dumps of RBAC objects. See rbac.h.
#include <algorithm>

#include "audit/rbac.h"
#include "formats/json.h"
#include "formats/yaml.h"

namespace saker::audit {

namespace {

using formats::JsonNode;
using formats::YamlNode;

std::string text_at(const YamlNode& node, std::string_view key) {
  const YamlNode* found = node.find(key);
  return found != nullptr && found->is_scalar() ? found->text : std::string();
}

std::vector<std::string> texts_at(const YamlNode& node, std::string_view key) {
  std::vector<std::string> out;
  const YamlNode* found = node.find(key);
  if (found == nullptr || !found->is_sequence()) return out;
  for (const YamlNode& item : found->items)
    if (item.is_scalar()) out.push_back(item.text);
  return out;
}

std::vector<const YamlNode*> maps_at(const YamlNode& node, std::string_view key) {
  std::vector<const YamlNode*> out;
  const YamlNode* found = node.find(key);
  if (found == nullptr || !found->is_sequence()) return out;
  for (const YamlNode& item : found->items)
    if (item.is_map()) out.push_back(&item);
  return out;
}

// A tree of JSON as the one of YAML, so that one reader does for both. `kubectl -o json` is YAML
// too, but a large dump is read ten times as fast so.
YamlNode as_yaml(const JsonNode& json) {
  YamlNode out;
  if (json.is_object()) {
    out.kind = YamlNode::Kind::map;
    for (const formats::JsonMember& member : json.members)
      out.entries.push_back(
          {{.kind = YamlNode::Kind::scalar, .text = member.first}, as_yaml(member.second)});
  } else if (json.is_array()) {
    out.kind = YamlNode::Kind::sequence;
    for (const JsonNode& item : json.items) out.items.push_back(as_yaml(item));
  } else if (json.is_text()) {
    out.kind = YamlNode::Kind::scalar;
    out.text = json.text;
  }
  return out;
}

class Reader {
 public:
  explicit Reader(RbacObjects& out) : out_(out) {}

  void take(const YamlNode& node) {
    if (!node.is_map()) return;
    const std::string kind = text_at(node, "kind");
    if (kind == "Role" || kind == "ClusterRole") return take_role(kind, node);
    if (kind == "RoleBinding" || kind == "ClusterRoleBinding") return take_binding(kind, node);
    for (const YamlNode* item : maps_at(node, "items")) take(*item);  // of a List
  }
  [[nodiscard]] size_t taken() const { return taken_; }

 private:
  void take_role(const std::string& kind, const YamlNode& node) {
    RbacRole role{.kind = kind, .name_space = {}, .name = {}, .rules = {}};
    take_name(node, role.name_space, role.name);
    for (const YamlNode* rule : maps_at(node, "rules"))
      role.rules.push_back({.verbs = texts_at(*rule, "verbs"),
                            .groups = texts_at(*rule, "apiGroups"),
                            .resources = texts_at(*rule, "resources"),
                            .names = texts_at(*rule, "resourceNames"),
                            .urls = texts_at(*rule, "nonResourceURLs")});
    out_.roles.push_back(std::move(role));
    ++taken_;
  }

  void take_binding(const std::string& kind, const YamlNode& node) {
    RbacBinding binding{.kind = kind};
    take_name(node, binding.name_space, binding.name);
    if (const YamlNode* role = node.find("roleRef"); role != nullptr && role->is_map()) {
      binding.role_kind = text_at(*role, "kind");
      binding.role_name = text_at(*role, "name");
    }
    for (const YamlNode* subject : maps_at(node, "subjects"))
      binding.subjects.push_back(
          {text_at(*subject, "kind"), text_at(*subject, "namespace"), text_at(*subject, "name")});
    out_.bindings.push_back(std::move(binding));
    ++taken_;
  }

  static void take_name(const YamlNode& node, std::string& name_space, std::string& name) {
    const YamlNode* metadata = node.find("metadata");
    if (metadata == nullptr || !metadata->is_map()) return;
    name_space = text_at(*metadata, "namespace");
    name = text_at(*metadata, "name");
  }

  RbacObjects& out_;
  size_t taken_ = 0;
};

}  // namespace

Status read_rbac(std::string_view text, std::string_view file, RbacObjects& out) {
  Reader reader(out);
  Result<JsonNode> json = text.starts_with('{') ? formats::parse_json(text)
                                                : Result<JsonNode>(Error{.message = "no JSON"});
  if (json.ok()) {
    reader.take(as_yaml(*json));
  } else {
    for (const YamlNode& document : SAKER_TRY(formats::parse_yaml(text, file)))
      reader.take(document);
  }
  if (reader.taken() != 0) return {};
  return Error{.code = Code::invalid,
               .message = "no roles or bindings in it",
               .position = {.file = std::string(file)},
               .hint =
                   "kubectl get roles,rolebindings,clusterroles,clusterrolebindings -A -o yaml "
                   "writes what is wanted here"};
}

}  // namespace saker::audit
