// From attributes to an audit event. See audit_line.h.
#include "cases/audit_line.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "audit/kube_resources.h"
#include "audit/policy_request.h"
#include "base/strings.h"
#include "formats/json.h"

namespace saker::cases {

namespace {

constexpr std::array<std::string_view, 23> kKeys = {
    "user",  "groups",    "as",  "as_groups", "ip",       "agent",    "verb",   "resource",
    "sub",   "api_group", "uri", "namespace", "name",     "code",     "reason", "message",
    "stage", "level",     "id",  "request",   "response", "decision", "time"};
constexpr std::string_view kAnnotation = "annotation.";

// Builds one JSON object, member after member.
class Object {
 public:
  Object& raw(std::string_view key, std::string_view json) {
    text_ += text_.empty() ? '{' : ',';
    formats::append_json_text(key, text_);
    text_ += ':';
    text_ += json;
    return *this;
  }
  Object& text(std::string_view key, std::string_view value) {
    std::string json;
    formats::append_json_text(value, json);
    return raw(key, json);
  }
  // Nothing when the value is empty, as the server leaves it out.
  Object& optional(std::string_view key, std::string_view value) {
    return value.empty() ? *this : text(key, value);
  }
  [[nodiscard]] std::string finish() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  std::string text_;
};

std::string list_json(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) {
    if (out.size() > 1) out += ',';
    formats::append_json_text(value, out);
  }
  return out + "]";
}

std::vector<std::string> comma_list(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view part : split(text, ','))
    if (!part.empty()) out.emplace_back(part);
  return out;
}

std::string time_text(uint64_t ns) {
  const auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%06uZ",
                static_cast<unsigned>(ns / 1000 % 1'000'000));
  return text.data();
}

class AuditLine {
 public:
  AuditLine(const Attributes& attributes, uint64_t number, uint64_t time_ns)
      : attributes_(attributes), number_(number), time_ns_(time_ns) {}

  [[nodiscard]] std::string json() const {
    Object event;
    event.text("kind", "Event").text("apiVersion", "audit.k8s.io/v1").text("level", level());
    event.text("auditID", get("id", made_id())).text("stage", stage());
    event.text("requestURI", get("uri", uri())).text("verb", get("verb"));
    event.raw("user", person("user", "groups"));
    if (has("as")) event.raw("impersonatedUser", person("as", "as_groups"));
    event.raw("sourceIPs", list_json(comma_list(get("ip", "10.1.2.3"))));
    event.optional("userAgent", get("agent", "kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0"));
    if (has("resource")) event.raw("objectRef", target());
    if (stage() != "RequestReceived") event.raw("responseStatus", status());
    if (has("request")) event.raw("requestObject", get("request"));
    if (has("response")) event.raw("responseObject", get("response"));
    event.text("requestReceivedTimestamp", time_text(time_ns_));
    event.text("stageTimestamp", time_text(time_ns_));
    if (const std::string notes = annotations(); notes != "{}") event.raw("annotations", notes);
    return event.finish();
  }

 private:
  [[nodiscard]] bool has(const std::string& key) const { return attributes_.contains(key); }
  [[nodiscard]] std::string get(const std::string& key, const std::string& other = {}) const {
    const auto found = attributes_.find(key);
    return found == attributes_.end() ? other : found->second;
  }
  [[nodiscard]] std::string code() const {
    return get("code", get("verb") == "create" ? "201" : "200");
  }
  [[nodiscard]] std::string stage() const {
    return get("stage", code() == "401" ? "ResponseStarted" : "ResponseComplete");
  }
  [[nodiscard]] std::string level() const {
    return get("level", has("response")  ? "RequestResponse"
                        : has("request") ? "Request"
                                         : "Metadata");
  }
  [[nodiscard]] std::string made_id() const {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "5a4e7000-0000-4000-8000-%012llx",
                  static_cast<unsigned long long>(number_));
    return text.data();
  }
  [[nodiscard]] std::string api_group() const {
    if (has("api_group")) return get("api_group");
    const std::vector<std::string> groups = audit::groups_of(get("resource"));
    return groups.empty() ? "" : groups.front();
  }
  [[nodiscard]] std::string uri() const {
    const std::string group = api_group();
    std::string out = group.empty() ? "/api/v1" : "/apis/" + group + "/v1";
    if (has("namespace") && get("resource") != "namespaces")
      out += "/namespaces/" + get("namespace");
    out += "/" + get("resource");
    if (has("name") && (get("verb") != "create" || has("sub"))) out += "/" + get("name");
    return has("sub") ? out + "/" + get("sub") : out;
  }
  [[nodiscard]] std::string person(const std::string& name, const std::string& groups) const {
    Object out;
    out.optional("username", get(name));
    const std::vector<std::string> its =
        has(groups) ? comma_list(get(groups)) : audit::groups_implied_by(get(name));
    if (has(name) && !its.empty()) out.raw("groups", list_json(its));
    return out.finish();
  }
  [[nodiscard]] std::string target() const {
    Object out;
    out.text("resource", get("resource")).optional("namespace", get("namespace"));
    out.optional("name", get("name")).optional("apiGroup", api_group());
    return out.text("apiVersion", "v1").optional("subresource", get("sub")).finish();
  }
  [[nodiscard]] std::string status() const {
    Object out;
    out.raw("metadata", "{}");
    if (code() >= "400") out.text("status", "Failure");
    out.optional("message", get("message"));
    return out.raw("code", code()).finish();
  }
  [[nodiscard]] std::string annotations() const {
    Object out;
    const bool decided = code() != "401" && code() != "429" && stage() != "RequestReceived";
    if (decided || has("decision")) {
      out.text("authorization.k8s.io/decision",
               get("decision", code() == "403" ? "forbid" : "allow"));
      out.text("authorization.k8s.io/reason", get("reason"));
    }
    for (const auto& [key, value] : attributes_)
      if (key.starts_with(kAnnotation)) out.text(key.substr(kAnnotation.size()), value);
    return out.finish();
  }

  const Attributes& attributes_;
  uint64_t number_, time_ns_;
};

}  // namespace

Result<std::string> audit_event_json(const Attributes& attributes, uint64_t number,
                                     uint64_t time_ns) {
  for (const auto& [key, value] : attributes) {
    if (key.starts_with(kAnnotation) || std::ranges::find(kKeys, key) != kKeys.end()) continue;
    return Error{.message = "an audit event has no attribute '" + key + "'",
                 .position = {},
                 .hint = join({kKeys.begin(), kKeys.end()}, ", ") + ", annotation.KEY"};
  }
  std::string text = AuditLine(attributes, number, time_ns).json();
  // A body that is no JSON would only be a confusing non-match later.
  if (Result<formats::JsonNode> parsed = formats::parse_json(text); !parsed.ok())
    return Error{.message = "request= or response= is not JSON: " + parsed.error().message};
  return text;
}

}  // namespace saker::cases
