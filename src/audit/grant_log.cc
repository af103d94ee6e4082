// From events to deeds. See grant_log.h.
#include "audit/grant_log.h"

#include <algorithm>

#include "audit/uri_path.h"
#include "formats/json_text.h"

namespace saker::audit {

namespace {

namespace json = formats::json_text;

constexpr size_t kMostActors = 100'000, kMostKinds = 100'000, kMostOthers = 1000;

}  // namespace

DeedCollector::DeedCollector(ActorChoice choice, DeedFilter filter)
    : choice_(std::move(choice)), filter_(std::move(filter)) {}

std::string_view DeedCollector::text(const AuditRecord& record, std::string_view pointer) {
  const auto found = record.find(pointer);
  return found ? json::to_text(*found, scratch_) : std::string_view();
}

bool DeedCollector::in_group(const AuditRecord& record, std::string_view person) {
  const auto groups = record.find(std::string(person) + "/groups");
  bool found = false;
  if (groups)
    json::for_each_element(*groups, [&](json::Token group) {
      const std::string_view name = json::to_text(group, scratch_);
      found = found || name == choice_.group;
      if (others_.size() < kMostOthers && !others_.contains(name)) others_.emplace(name);
      return true;
    });
  return found;
}

// What the authorizer said. Where it was not asked (a credential that failed, too many requests),
// the event says nothing about rights.
DeedCollector::Verdict DeedCollector::verdict_of(const AuditRecord& record) {
  const std::string_view decision = text(record, "/annotations/authorization.k8s.io~1decision");
  if (decision == "allow") return Verdict::allowed;
  const std::string_view code = text(record, "/responseStatus/code");
  if (decision == "forbid" || code == "403") return Verdict::refused;
  const bool asked = !code.empty() && code != "401" && code != "429" && code != "0";
  return asked ? Verdict::allowed : Verdict::open;
}

bool DeedCollector::wants_namespace(std::string_view name_space) const {
  const auto& list = filter_.namespaces;
  return list.empty() || std::find(list.begin(), list.end(), name_space) != list.end();
}

// False when the event is about no request that a role could allow, or not about these namespaces.
bool DeedCollector::read_access(const AuditRecord& record) {
  access_ = {};
  access_.verb = text(record, "/verb");
  access_.resource = text(record, "/objectRef/resource");
  if (access_.verb.empty()) return false;
  if (!access_.is_resource()) {
    decode_uri_path(text(record, "/requestURI"), access_.path);
    return filter_.namespaces.empty() && !access_.path.empty();
  }
  access_.group = text(record, "/objectRef/apiGroup");
  access_.name_space = text(record, "/objectRef/namespace");
  access_.name = text(record, "/objectRef/name");
  const std::string_view part = text(record, "/objectRef/subresource");
  // What is made has no name yet when the server asks whether it may be made.
  if (part.empty() && (access_.verb == "create" || access_.verb == "deletecollection"))
    access_.name.clear();
  if (!part.empty()) access_.resource.append("/").append(part);
  return wants_namespace(access_.name_space);
}

// Too many names of one kind of object become any name, and what was noted of single ones with it.
Access DeedCollector::widened(Deeds& deeds) const {
  Access kind = access_;
  kind.name.clear();
  if (deeds.any_name.contains(kind)) return kind;
  std::set<std::string>& names = deeds.names[kind];
  names.insert(access_.name);
  if (names.size() <= filter_.most_names) return access_;
  for (const std::string& name : names) {
    Access single = kind;
    single.name = name;
    const auto found = deeds.allowed.find(single);
    if (found == deeds.allowed.end()) continue;
    deeds.allowed[kind] += found->second;
    deeds.allowed.erase(found);
  }
  deeds.names.erase(kind);
  deeds.any_name.insert(kind);
  return kind;
}

void DeedCollector::note_access(Deeds& deeds, Verdict verdict, bool ends) const {
  const bool allowed = verdict == Verdict::allowed;
  Deeds::Counts& counts = allowed ? deeds.allowed : deeds.refused;
  Access access = allowed && !access_.name.empty() ? widened(deeds) : access_;
  const auto found = counts.find(access);
  if (found != counts.end()) {
    found->second += ends ? 1 : 0;
  } else if (counts.size() < kMostKinds) {
    counts.emplace(std::move(access), ends ? 1 : 0);
  } else {
    ++deeds.forgotten;
  }
}

void DeedCollector::note(Deeds& deeds, const AuditRecord& record, Verdict verdict) {
  // A session has an event when it starts and one when it ends: one request.
  const bool ends = text(record, "/stage") != "ResponseStarted";
  deeds.requests += ends ? 1 : 0;
  const std::string_view time = text(record, "/stageTimestamp");
  if (deeds.first_time.empty() || time < deeds.first_time) deeds.first_time = time;
  if (time > deeds.last_time) deeds.last_time = time;
  note_access(deeds, verdict, ends);
}

void DeedCollector::note_impersonation(std::string_view user, const AuditRecord& record,
                                       Verdict verdict) {
  if (verdict != Verdict::allowed || user.empty()) return;
  const std::string_view other = text(record, "/impersonatedUser/username");
  const bool wanted = !choice_.group.empty()  ? in_group(record, "/user")
                      : !choice_.user.empty() ? user == choice_.user
                                              : actors_.size() < kMostActors;
  if (!wanted || other.empty()) return;
  const std::string_view actor = !choice_.group.empty() ? std::string_view(choice_.group) : user;
  ++actors_[std::string(actor)].impersonated[std::string(other)];
}

void DeedCollector::take(const AuditRecord& record, uint64_t time_ns) {
  scratch_.reset();
  if (filter_.since_ns && time_ns < *filter_.since_ns) return;
  if (filter_.until_ns && time_ns >= *filter_.until_ns) return;
  const std::string_view user = text(record, "/user/username");
  const bool impersonates = record.find("/impersonatedUser").has_value();
  const std::string_view person = impersonates ? "/impersonatedUser" : "/user";
  const std::string_view effective =
      impersonates ? text(record, "/impersonatedUser/username") : user;
  if (effective.empty()) return;
  if (!choice_.user.empty() && effective != choice_.user && others_.size() < kMostOthers &&
      !others_.contains(effective))
    others_.emplace(effective);
  const Verdict verdict = verdict_of(record);
  if (impersonates) note_impersonation(user, record, verdict);

  std::string_view actor = effective;
  if (!choice_.group.empty()) {
    if (!in_group(record, person)) return;
    actor = choice_.group;
  } else if (!choice_.user.empty() && effective != choice_.user) {
    return;
  }
  if (verdict == Verdict::open || !read_access(record)) return;
  auto found = actors_.find(actor);
  if (found == actors_.end()) {
    if (actors_.size() >= kMostActors) return;
    found = actors_.emplace(std::string(actor), Deeds{}).first;
  }
  Deeds& deeds = found->second;
  if (const auto groups = record.find(std::string(person) + "/groups"))
    json::for_each_element(*groups, [&](json::Token group) {
      const std::string_view name = json::to_text(group, scratch_);
      if (deeds.groups.size() < kMostOthers) deeds.groups.emplace(name);
      return true;
    });
  note(deeds, record, verdict);
}

}  // namespace saker::audit
