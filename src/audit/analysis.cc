// See analysis.h.
#include "audit/analysis.h"

#include <algorithm>

#include "audit/order_kinds.h"
#include "formats/json_text.h"

namespace saker::audit {

namespace {

namespace json = formats::json_text;

constexpr size_t kMostAddresses = 16;
constexpr size_t kMostText = 1024;  // of a value that is kept; names have 253 characters

}  // namespace

std::string slug(std::string_view title) {
  std::string out;
  for (const char c : title) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper || kept)
      out += upper ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  if (out.ends_with('-')) out.pop_back();
  return out;
}

std::string_view Analysis::text(const AuditRecord& record, AuditValue value) {
  const json::Token found = record.value(value);
  return found.empty() ? found : json::to_text(found, scratch_).substr(0, kMostText);
}

std::string Analysis::actor_of(const AuditRecord& record) {
  const std::string_view user = text(record, AuditValue::user_name);
  return user.empty() ? "-" : std::string(user);
}

// "secrets", "pods/exec", or the path of what is no object.
std::string Analysis::object_kind(const AuditRecord& record) {
  std::string kind(text(record, AuditValue::resource));
  if (kind.empty()) {
    const std::string_view uri = text(record, AuditValue::request_uri);
    return std::string(uri.substr(0, uri.find('?')));
  }
  if (const std::string_view part = text(record, AuditValue::subresource); !part.empty())
    kind.append("/").append(part);
  return kind;
}

std::string Analysis::request_of(const AuditRecord& record) {
  std::string out = std::string(text(record, AuditValue::verb)) + " " + object_kind(record);
  const std::string_view space = text(record, AuditValue::name_space);
  const std::string_view name = text(record, AuditValue::name);
  if (!space.empty() || !name.empty()) out += " ";
  if (!space.empty()) out.append(space).append("/");
  return out.append(name);
}

// What fails authentication has no user, and may be what an actor's success comes after.
bool Analysis::wants(const AuditRecord& record) const {
  if (filter_.actor.empty()) return true;
  Arena scratch;
  const json::Token user = record.value(AuditValue::user_name);
  if (user.empty() || json::to_text(user, scratch) == filter_.actor) return true;
  const json::Token name = record.value(AuditValue::impersonated_name);
  return !name.empty() && json::to_text(name, scratch) == filter_.actor;
}

bool Analysis::take(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record) {
  const SeenRequests::Sighting sighting = seen_.see(digest);
  if (sighting == SeenRequests::Sighting::repeated) {
    ++repeated_;
    return false;
  }
  const auto tell = [&](const SuspicionKind& kind) { note(kind, record()); };
  // An id of one's own on a path is how people try whether their requests are logged.
  if (sighting == SeenRequests::Sighting::id_reused && digest.is_object &&
      digest.outcome != Outcome::open)
    tell(order::kIdReused);
  order_.look(digest, record, tell);
  accesses_.count(digest, [&] {
    scratch_.reset();
    return passes_filter(record()) ? &record() : nullptr;
  });
  return true;
}

bool Analysis::passes_filter(const AuditRecord& record) {
  if (!filter_.actor.empty() && actor_of(record) != filter_.actor &&
      text(record, AuditValue::impersonated_name) != filter_.actor)
    return false;
  if (!filter_.name_space.empty() && text(record, AuditValue::name_space) != filter_.name_space)
    return false;
  return filter_.resource.empty() || text(record, AuditValue::resource) == filter_.resource ||
         object_kind(record) == filter_.resource;
}

// Null when there is no room.
Suspicion* Analysis::find_or_make(const SuspicionKind& kind, const AuditRecord& record) {
  std::tuple key(std::string(kind.title), actor_of(record),
                 std::string(text(record, AuditValue::impersonated_name)));
  auto place = found_.find(key);
  if (place != found_.end()) return &place->second;
  // Half of the room is for what is severe: invented names must not crowd it out.
  const bool severe = kind.severity <= finding::Severity::warning;
  if (found_.size() >= (severe ? kMostSuspicions : kMostSuspicions / 2)) {
    ++forgotten_;
    return nullptr;
  }
  Suspicion fresh{.id = slug(kind.title),
                  .title = std::string(kind.title),
                  .description = std::string(kind.description),
                  .severity = kind.severity,
                  .technique = std::string(kind.technique),
                  .actor = std::get<1>(key),
                  .impersonated = std::get<2>(key)};
  return &found_.emplace(std::move(key), std::move(fresh)).first->second;
}

void Analysis::note(const SuspicionKind& kind, const AuditRecord& record) {
  scratch_.reset();
  if (!passes_filter(record)) return;
  Suspicion* const suspicion = find_or_make(kind, record);
  if (suspicion == nullptr) return;
  ++suspicion->count;
  std::string_view time = text(record, AuditValue::stage_time);
  if (time.empty()) time = text(record, AuditValue::request_time);
  if (suspicion->first.empty() || time < suspicion->first) suspicion->first = time;
  if (time > suspicion->last) suspicion->last = time;
  if (const auto addresses = record.find("/sourceIPs"))
    json::for_each_element(*addresses, [&](json::Token address) {
      if (suspicion->source_ips.size() < kMostAddresses)
        suspicion->source_ips.emplace(json::to_text(address, scratch_).substr(0, kMostText));
      return true;
    });
  if (suspicion->audit_ids.size() >= kMostEvidence) return;
  suspicion->audit_ids.emplace_back(text(record, AuditValue::audit_id));
  suspicion->requests.push_back(request_of(record));
}

std::vector<const Suspicion*> Analysis::suspicions() const {
  std::vector<const Suspicion*> out;
  out.reserve(found_.size());
  for (const auto& [key, suspicion] : found_) out.push_back(&suspicion);
  std::ranges::sort(out, [](const Suspicion* a, const Suspicion* b) {
    return std::tie(a->severity, a->first, a->title, a->actor, a->impersonated) <
           std::tie(b->severity, b->first, b->title, b->actor, b->impersonated);
  });
  return out;
}

}  // namespace saker::audit
