// Requests from JSON. See policy_request.h.
#include "audit/policy_request.h"

#include "base/strings.h"

namespace saker::audit {

namespace {

Status read_text(const formats::JsonNode& json, std::string_view name, std::string& out) {
  const formats::JsonNode* member = json.find(name);
  if (member == nullptr || member->kind == formats::JsonNode::Kind::null) return {};
  if (!member->is_text()) return Error{.message = "'" + std::string(name) + "' must be a text"};
  out = member->text;
  return {};
}

Status read_groups(const formats::JsonNode& json, std::vector<std::string>& out) {
  const formats::JsonNode* member = json.find("groups");
  if (member == nullptr || member->kind == formats::JsonNode::Kind::null) return {};
  if (!member->is_array()) return Error{.message = "'groups' must be a list of texts"};
  for (const formats::JsonNode& item : member->items) {
    if (!item.is_text()) return Error{.message = "'groups' must be a list of texts"};
    out.push_back(item.text);
  }
  return {};
}

}  // namespace

RequestViewHolder::RequestViewHolder(const Request& request)
    : groups_(request.groups.begin(), request.groups.end()),
      view_{.has_user = request.has_user,
            .user = request.user,
            .groups = groups_,
            .verb = request.verb,
            .is_resource = request.is_resource,
            .name_space = request.name_space,
            .api_group = request.api_group,
            .resource = request.resource,
            .subresource = request.subresource,
            .name = request.name,
            .path = request.path} {}

Result<Request> read_request(const formats::JsonNode& json) {
  if (!json.is_object()) return Error{.message = "a request must be an object"};
  Request request;
  const formats::JsonNode* user = json.find("user");
  request.has_user = user != nullptr && user->kind != formats::JsonNode::Kind::null;
  SAKER_CHECK(read_text(json, "user", request.user));
  SAKER_CHECK(read_groups(json, request.groups));
  SAKER_CHECK(read_text(json, "verb", request.verb));
  SAKER_CHECK(read_text(json, "namespace", request.name_space));
  SAKER_CHECK(read_text(json, "apiGroup", request.api_group));
  SAKER_CHECK(read_text(json, "resource", request.resource));
  SAKER_CHECK(read_text(json, "subresource", request.subresource));
  SAKER_CHECK(read_text(json, "name", request.name));
  SAKER_CHECK(read_text(json, "path", request.path));
  request.is_resource = json.bool_of("isResource", !request.resource.empty());
  return request;
}

std::vector<std::string> groups_implied_by(std::string_view user) {
  constexpr std::string_view kServiceAccount = "system:serviceaccount:";
  if (user == "system:anonymous") return {"system:unauthenticated"};
  std::vector<std::string> groups = {"system:authenticated"};
  if (user.starts_with("system:node:")) groups.emplace_back("system:nodes");
  if (user.starts_with(kServiceAccount)) {
    const std::string_view rest = user.substr(kServiceAccount.size());
    groups.emplace_back("system:serviceaccounts");
    groups.push_back("system:serviceaccounts:" + std::string(rest.substr(0, rest.find(':'))));
  }
  return groups;
}

}  // namespace saker::audit
