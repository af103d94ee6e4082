// Roles as objects to apply, and the report around them. See audit_grant.h.
#include "cmd/audit_grant.h"

#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "formats/json.h"

namespace saker::cmd {

namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

// The actor's name as that of an object. What had to be changed gets a number made of the whole
// name behind it, so that two actors never get one name.
std::string object_name(const audit::RbacSubject& subject) {
  const std::string name = audit::user_of_subject(subject);
  std::string out = subject.kind == "Group" ? "saker:group:" : "saker:";
  const size_t prefix = out.size();
  for (const char c : name) {
    const bool fits =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
    out += fits ? c : '-';
  }
  constexpr size_t kLongest = 200;
  if (out.substr(prefix) == name && out.size() <= kLongest) return out;
  uint32_t sum = 2166136261;  // FNV-1a: the same in every run
  for (const char c : name) sum = (sum ^ static_cast<uint8_t>(c)) * 16777619;
  char tail[16];
  std::snprintf(tail, sizeof tail, "-%08x", sum);
  return out.substr(0, kLongest) + tail;
}

std::string quoted(std::string_view text) {
  std::string out;
  formats::append_json_text(text, out);
  return out;
}

std::string list_text(const std::vector<std::string>& words) {
  std::string out = "[";
  for (const std::string& word : words) out += (out.size() > 1 ? ", " : "") + quoted(word);
  return out + "]";
}

// A line of comment; names in a log may hold line breaks, a comment may not.
void comment(std::string_view text, std::string& out) {
  out += "# ";
  for (const char c : sanitize_utf8(text)) out += static_cast<uint8_t>(c) < 0x20 ? ' ' : c;
  out += "\n";
}

std::string metadata_yaml(const ActorGrant& grant, const audit::RbacRole& role) {
  std::string out = "metadata:\n  name: " + quoted(grant.name) + "\n";
  if (!role.name_space.empty()) out += "  namespace: " + quoted(role.name_space) + "\n";
  return out + "  labels: {app.kubernetes.io/managed-by: saker}\n" +
         "  annotations: {saker/actor: " + quoted(audit::user_of_subject(grant.subject)) + "}\n";
}

std::string role_yaml(const ActorGrant& grant, const audit::RbacRole& role) {
  std::string out = "---\napiVersion: " + std::string(kGroup) + "/v1\nkind: " + role.kind + "\n" +
                    metadata_yaml(grant, role) + "rules:\n";
  for (const audit::RbacRule& rule : role.rules) {
    if (rule.urls.empty()) {
      out += "  - apiGroups: " + list_text(rule.groups) + "\n";
      out += "    resources: " + list_text(rule.resources) + "\n";
      if (!rule.names.empty()) out += "    resourceNames: " + list_text(rule.names) + "\n";
    } else {
      out += "  - nonResourceURLs: " + list_text(rule.urls) + "\n";
    }
    out += "    verbs: " + list_text(rule.verbs) + "\n";
  }
  const audit::RbacSubject& subject = grant.subject;
  out += "---\napiVersion: " + std::string(kGroup) + "/v1\nkind: " + role.kind + "Binding\n" +
         metadata_yaml(grant, role);
  out += "roleRef: {apiGroup: " + std::string(kGroup) + ", kind: " + role.kind +
         ", name: " + quoted(grant.name) + "}\nsubjects:\n  - kind: " + subject.kind + "\n";
  if (subject.kind == "ServiceAccount")
    out += "    namespace: " + quoted(subject.name_space) + "\n";
  else
    out += "    apiGroup: " + std::string(kGroup) + "\n";
  return out + "    name: " + quoted(subject.name) + "\n";
}

// The first few of many, for a line of text.
std::string some(const std::vector<std::string>& texts, size_t most) {
  const size_t shown = std::min(texts.size(), most);
  std::string out = join({texts.begin(), texts.begin() + static_cast<ptrdiff_t>(shown)}, ", ");
  return shown == texts.size() ? out
                               : out + " and " + std::to_string(texts.size() - shown) + " more";
}

std::vector<std::string> texts_of(const audit::Deeds::Counts& counts) {
  std::vector<std::string> out;
  for (const auto& [access, count] : counts) out.push_back(audit::to_text(access));
  return out;
}

uint64_t sum_of(const audit::Deeds::Counts& counts) {
  uint64_t sum = 0;
  for (const auto& [access, count] : counts) sum += count;
  return sum;
}

// "1 request", "2 requests".
std::string count_of(uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

void describe_deeds(const ActorGrant& grant, const audit::GrantOptions& options, std::string& out) {
  const audit::Deeds& deeds = *grant.deeds;
  comment("What " + audit::user_of_subject(grant.subject) + " did from " + deeds.first_time +
              " to " + deeds.last_time + ": " + count_of(sum_of(deeds.allowed), "allowed request") +
              " of " + count_of(deeds.allowed.size(), "kind") + ".",
          out);
  if (!deeds.refused.empty()) {
    const std::string refused = count_of(sum_of(deeds.refused), "refused request") + " (" +
                                some(texts_of(deeds.refused), 4) + ")";
    comment(options.refused ? "Granted, too: " + refused + "."
                            : "Left out: " + refused + "; --include-refused grants what it takes.",
            out);
  }
  if (!deeds.impersonated.empty()) {
    std::vector<std::string> names;
    names.reserve(deeds.impersonated.size());
    for (const auto& [name, count] : deeds.impersonated) names.push_back(name);
    comment("Acted in the name of " + some(names, 4) +
                (options.impersonation ? ": granted." : ": not granted; --impersonation does."),
            out);
  }
  if (deeds.groups.contains("system:masters"))
    comment("Is in system:masters, which no role holds back: take it out of that group first.",
            out);
  std::vector<std::string> many;
  many.reserve(deeds.any_name.size());
  for (const audit::Access& access : deeds.any_name) many.push_back(audit::to_text(access));
  if (!many.empty())
    comment("Of any name, since there were many (--widen-names): " + some(many, 12) + ".", out);
  if (deeds.forgotten != 0)
    comment("Not complete: " + std::to_string(deeds.forgotten) + " more kinds of requests.", out);
  for (const std::string& risk : grant.risks) comment("Careful: " + risk + ".", out);
  if (grant.roles.empty()) comment("Needs no role: everyone may do that.", out);
}

std::string unused_text(const audit::UnusedRight& right) {
  std::string out =
      right.binding + " -> " + right.role + ", rule " + std::to_string(right.rule) + ": ";
  if (right.whole) {
    const std::string what = right.urls.empty() ? some(right.resources, 6) : some(right.urls, 6);
    return out + "all of it (" + some(right.verbs, 9) + " on " + what + ")";
  }
  std::vector<std::string> parts;
  if (!right.verbs.empty()) parts.push_back("verbs " + some(right.verbs, 9));
  if (!right.resources.empty()) parts.push_back("resources " + some(right.resources, 9));
  if (!right.combinations.empty()) parts.push_back(some(right.combinations, 9));
  if (!right.names.empty()) parts.push_back("names " + some(right.names, 9));
  if (!right.urls.empty()) parts.push_back("paths " + some(right.urls, 9));
  if (!right.used_instead.empty())
    parts.push_back("of \"*\" all but " + some(right.used_instead, 9));
  return out + join(parts, "; ");
}

void describe_use(const audit::RightsUse& use, std::string& out) {
  if (use.bindings == 0) comment("Present rights: no binding is about this actor.", out);
  if (!use.unused.empty()) comment("Present rights that were never used:", out);
  for (const audit::UnusedRight& right : use.unused) comment("  " + unused_text(right), out);
  if (use.bindings != 0 && use.unused.empty())
    comment("Present rights: all of them were used.", out);
  for (const std::string& missing : use.missing_roles)
    comment("The role of this binding is not in the dump: " + missing, out);
  std::vector<std::string> odd;
  odd.reserve(use.not_by_these.size());
  for (const audit::Access& access : use.not_by_these) odd.push_back(audit::to_text(access));
  if (!odd.empty())
    comment(
        "Allowed, though no right in the dump does (another authorizer, or rights that are "
        "gone): " +
            some(odd, 6),
        out);
}

void append_texts(std::string_view key, const std::vector<std::string>& texts, JsonWriter& json) {
  if (!texts.empty()) json.key(key).texts(texts);
}

void append_metadata(const ActorGrant& grant, const audit::RbacRole& role, JsonWriter& json) {
  json.key("metadata").begin_object();
  json.key("annotations").begin_object();
  json.key("saker/actor").text(audit::user_of_subject(grant.subject)).end_object();
  json.key("labels").begin_object().key("app.kubernetes.io/managed-by").text("saker").end_object();
  json.key("name").text(grant.name);
  if (!role.name_space.empty()) json.key("namespace").text(role.name_space);
  json.end_object();
}

void append_role(const ActorGrant& grant, const audit::RbacRole& role, JsonWriter& json) {
  const std::string version = std::string(kGroup) + "/v1";
  json.begin_object().key("apiVersion").text(version).key("kind").text(role.kind);
  append_metadata(grant, role, json);
  json.key("rules").begin_array();
  for (const audit::RbacRule& rule : role.rules) {
    json.begin_object();
    if (rule.urls.empty()) json.key("apiGroups").texts(rule.groups);
    append_texts("nonResourceURLs", rule.urls, json);
    append_texts("resourceNames", rule.names, json);
    append_texts("resources", rule.resources, json);
    json.key("verbs").texts(rule.verbs).end_object();
  }
  json.end_array().end_object();
  json.begin_object().key("apiVersion").text(version).key("kind").text(role.kind + "Binding");
  append_metadata(grant, role, json);
  json.key("roleRef").begin_object().key("apiGroup").text(kGroup);
  json.key("kind").text(role.kind).key("name").text(grant.name).end_object();
  json.key("subjects").begin_array().begin_object();
  const audit::RbacSubject& subject = grant.subject;
  if (subject.kind != "ServiceAccount") json.key("apiGroup").text(kGroup);
  json.key("kind").text(subject.kind).key("name").text(subject.name);
  if (subject.kind == "ServiceAccount") json.key("namespace").text(subject.name_space);
  json.end_object().end_array().end_object();
}

// The members of an object about an access; with how often it was, when that is known.
void append_access(const audit::Access& access, std::optional<uint64_t> count, JsonWriter& json) {
  json.begin_object();
  if (access.is_resource()) json.key("apiGroup").text(access.group);
  if (count) json.key("count").number(*count);
  if (access.is_resource()) {
    json.key("name").text(access.name).key("namespace").text(access.name_space);
    json.key("resource").text(access.resource);
  } else {
    json.key("path").text(access.path);
  }
  json.key("verb").text(access.verb).end_object();
}

void append_counts(std::string_view key, const audit::Deeds::Counts& counts, JsonWriter& json) {
  json.key(key).begin_array();
  for (const auto& [access, count] : counts) append_access(access, count, json);
  json.end_array();
}

void append_use(const audit::RightsUse& use, JsonWriter& json) {
  json.key("present").begin_object();
  json.key("bindings").number(use.bindings);
  json.key("missing_roles").texts(use.missing_roles);
  json.key("not_by_these").begin_array();
  for (const audit::Access& access : use.not_by_these) append_access(access, {}, json);
  json.end_array().key("unused").begin_array();
  for (const audit::UnusedRight& right : use.unused) {
    json.begin_object().key("binding").text(right.binding);
    append_texts("combinations", right.combinations, json);
    append_texts("names", right.names, json);
    append_texts("paths", right.urls, json);
    append_texts("resources", right.resources, json);
    json.key("role").text(right.role).key("rule").number(right.rule);
    append_texts("used_instead", right.used_instead, json);
    append_texts("verbs", right.verbs, json);
    json.key("whole").boolean(right.whole).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

ActorGrant make_actor_grant(const audit::RbacSubject& subject, const audit::Deeds& deeds,
                            const audit::GrantOptions& options, const audit::RbacObjects* present) {
  ActorGrant grant{.subject = subject,
                   .deeds = &deeds,
                   .roles = audit::least_roles(deeds, options),
                   .risks = {},
                   .use = {},
                   .name = object_name(subject)};
  grant.risks = audit::risks_of(grant.roles);
  if (present != nullptr) grant.use = audit::rights_use(*present, subject, deeds);
  return grant;
}

std::string grant_yaml(const ActorGrant& grant, const audit::GrantOptions& options) {
  std::string out;
  describe_deeds(grant, options, out);
  if (grant.use) describe_use(*grant.use, out);
  for (const audit::RbacRole& role : grant.roles) out += role_yaml(grant, role);
  return out;
}

void append_grant(const ActorGrant& grant, JsonWriter& json) {
  const audit::Deeds& deeds = *grant.deeds;
  json.begin_object().key("actor").text(audit::user_of_subject(grant.subject));
  append_counts("allowed", deeds.allowed, json);
  json.key("first").text(deeds.first_time).key("forgotten").number(deeds.forgotten);
  json.key("groups").texts({deeds.groups.begin(), deeds.groups.end()});
  json.key("impersonated").begin_array();
  for (const auto& [name, count] : deeds.impersonated) json.text(name);
  json.end_array().key("kind").text(grant.subject.kind).key("last").text(deeds.last_time);
  json.key("objects").begin_array();
  for (const audit::RbacRole& role : grant.roles) append_role(grant, role, json);
  json.end_array();
  if (grant.use) append_use(*grant.use, json);
  append_counts("refused", deeds.refused, json);
  json.key("requests").number(deeds.requests).key("risks").texts(grant.risks).end_object();
}

}  // namespace saker::cmd
