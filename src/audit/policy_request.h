// A request's attributes that own their texts, as they come from a JSON list or the command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/policy_match.h"
#include "base/result.h"
#include "formats/json.h"

namespace saker::audit {

struct Request {
  bool has_user = false;
  std::string user;
  std::vector<std::string> groups;
  std::string verb;
  bool is_resource = false;
  std::string name_space, api_group, resource, subresource, name, path;
};

// A request seen as views. Refers to the request, which must stay where it is.
class RequestViewHolder {
 public:
  explicit RequestViewHolder(const Request& request);
  RequestViewHolder(const RequestViewHolder&) = delete;
  RequestViewHolder& operator=(const RequestViewHolder&) = delete;
  [[nodiscard]] const RequestView& view() const { return view_; }

 private:
  std::vector<std::string_view> groups_;
  RequestView view_;
};

// {"user": text or null, "groups": [...], "verb", "namespace", "apiGroup", "resource",
// "subresource", "name", "path": texts, "isResource": boolean}. What is missing is empty; without
// isResource it is a resource request when it has a resource.
Result<Request> read_request(const formats::JsonNode& json);

// The groups that kube-apiserver gives to every user of this name: system:authenticated, and those
// of service accounts and nodes.
std::vector<std::string> groups_implied_by(std::string_view user);

}  // namespace saker::audit
