// An audit event of Kubernetes as fields and analyses see it: its JSON text, and values looked up
// by JSON pointer (RFC 6901). Whoever parses the text implements it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace saker::audit {

// The values that fields and analyses ask for by name: found in one pass over the text.
enum class AuditValue : uint8_t {
  kind,
  level,
  audit_id,
  stage,
  request_uri,
  verb,
  user,
  user_name,
  user_groups,
  impersonated_user,
  impersonated_name,
  impersonated_groups,
  source_ips,
  user_agent,
  object_ref,
  resource,
  name_space,
  name,
  api_group,
  subresource,
  response_status,
  code,
  reason,
  message,
  request_object,
  response_object,
  request_time,
  stage_time,
  annotations,
  decision,
  decision_reason,
  legacy_token,
  issued_credential,
  removed_release,
  policy_failure,
  pod_violations,
  openshift_decision,
  openshift_user,
  cluster_name,
  items,  // of an EventList
};

// Their pointers, in that order. A parent stands before its members.
inline constexpr std::array<std::string_view, 40> kAuditPointers = {
    "/kind",
    "/level",
    "/auditID",
    "/stage",
    "/requestURI",
    "/verb",
    "/user",
    "/user/username",
    "/user/groups",
    "/impersonatedUser",
    "/impersonatedUser/username",
    "/impersonatedUser/groups",
    "/sourceIPs",
    "/userAgent",
    "/objectRef",
    "/objectRef/resource",
    "/objectRef/namespace",
    "/objectRef/name",
    "/objectRef/apiGroup",
    "/objectRef/subresource",
    "/responseStatus",
    "/responseStatus/code",
    "/responseStatus/reason",
    "/responseStatus/message",
    "/requestObject",
    "/responseObject",
    "/requestReceivedTimestamp",
    "/stageTimestamp",
    "/annotations",
    "/annotations/authorization.k8s.io~1decision",
    "/annotations/authorization.k8s.io~1reason",
    "/annotations/authentication.k8s.io~1legacy-token",
    "/annotations/authentication.kubernetes.io~1issued-credential-id",
    "/annotations/k8s.io~1removed-release",
    "/annotations/validation.policy.admission.k8s.io~1validation_failure",
    "/annotations/pod-security.kubernetes.io~1audit-violations",
    "/annotations/authentication.openshift.io~1decision",
    "/annotations/authentication.openshift.io~1username",
    "/annotations/cluster_name",
    "/items",
};
static_assert(kAuditPointers.size() == static_cast<size_t>(AuditValue::items) + 1);

constexpr std::string_view pointer_of(AuditValue value) {
  return kAuditPointers[static_cast<size_t>(value)];
}
constexpr std::optional<AuditValue> audit_value_at(std::string_view pointer) {
  for (size_t i = 0; i < kAuditPointers.size(); ++i)
    if (kAuditPointers[i] == pointer) return static_cast<AuditValue>(i);
  return std::nullopt;
}

// What a request is besides the object's name: requests of one class differ in nothing that these
// values say, so that what depends on them alone is judged once a class.
inline constexpr std::array kAuditClassValues = {
    AuditValue::stage,       AuditValue::verb,       AuditValue::user_name,
    AuditValue::user_groups, AuditValue::resource,   AuditValue::impersonated_name,
    AuditValue::user_agent,  AuditValue::name_space, AuditValue::subresource,
    AuditValue::code,        AuditValue::reason,     AuditValue::decision,
};
constexpr bool is_class_value(std::string_view pointer) {
  for (const AuditValue value : kAuditClassValues)
    if (pointer_of(value) == pointer) return true;
  return false;
}

// Valid as long as the event. Not thread-safe: look-ups may keep what they parsed.
struct AuditRecord {
  virtual ~AuditRecord() = default;

  // The whole event, as it came: one JSON object.
  [[nodiscard]] virtual std::string_view text() const = 0;

  // The value that `pointer` names, as its JSON text (a string with its quotes and escapes);
  // nothing when it is not there. "" is the whole event.
  [[nodiscard]] virtual std::optional<std::string_view> find(std::string_view pointer) const = 0;

  // The same of a value with a name; empty when it is not there.
  [[nodiscard]] virtual std::string_view value(AuditValue value) const {
    return find(pointer_of(value)).value_or(std::string_view());
  }
};

}  // namespace saker::audit
