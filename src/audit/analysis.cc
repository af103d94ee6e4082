// See analysis.h.
#include "audit/analysis.h"

#include <algorithm>

#include "formats/json_text.h"

namespace saker::audit {

namespace {

namespace json = formats::json_text;

constexpr size_t kMostAddresses = 16, kMostClients = 64;

constexpr SuspicionKind kLateSuccess = {.title = "Kubernetes success after refusal",
                                        .description =
                                            "Somebody was refused more than once and later let in, "
                                            "for the first time. Next: which binding "
                                            "was made in between, by whom, and was it meant?",
                                        .severity = finding::Severity::warning,
                                        .technique = "T1078"};

constexpr SuspicionKind kNewClient = {
    .title = "Kubernetes service account with a new client",
    .description =
        "A service account that always used one program uses another: a new version of "
        "the workload, or its token is elsewhere. Next: is the address that of its "
        "pods?",
    .severity = finding::Severity::notice,
    .technique = "T1528"};

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
  return found.empty() ? found : json::to_text(found, scratch_);
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

bool Analysis::wants(const AuditRecord& record) const {
  if (filter_.actor.empty()) return true;
  Arena scratch;
  const json::Token user = record.value(AuditValue::user_name);
  return !user.empty() && json::to_text(user, scratch) == filter_.actor;
}

// A server sends a batch again when it got no answer, and a log may be given twice. The id alone
// does not tell a repetition: a client may choose it, and would hide a request behind another one.
bool Analysis::take(const AuditDigest& digest, FunctionRef<const AuditRecord&()> record) {
  if (!seen_.insert(digest.identity)) {
    ++repeated_;
    return false;
  }
  if (is_late_success(digest)) note(kLateSuccess, record());
  if (is_new_client(digest)) note(kNewClient, record());
  return true;
}

// By namespace: who may read here and not there is refused there every day. What was allowed
// before is no surprise, and one refusal is a slip.
bool Analysis::is_late_success(const AuditDigest& digest) {
  constexpr uint32_t kSurprising = 2;
  const bool refused = digest.outcome == Outcome::refused;
  if (!refused && !(digest.outcome == Outcome::allowed && digest.complete)) return false;
  auto place = access_.find(digest.access);
  if (place == access_.end()) {
    if (access_.size() >= kMostKeys) {
      ++forgotten_;
      return false;
    }
    place = access_.emplace(digest.access, AccessHistory{}).first;
  }
  AccessHistory& history = place->second;
  if (refused) {
    history.refusals += history.allowed ? 0 : 1;
    return false;
  }
  history.allowed = true;
  return history.refusals >= kSurprising;
}

bool Analysis::is_new_client(const AuditDigest& digest) {
  if (!digest.service_account || digest.program == 0) return false;
  const auto known = clients_.find(digest.actor);
  if (known == clients_.end()) {
    if (clients_.size() < kMostKeys)
      clients_[digest.actor].push_back(digest.program);
    else
      ++forgotten_;
    return false;
  }
  std::vector<uint64_t>& programs = known->second;
  if (std::ranges::find(programs, digest.program) != programs.end() ||
      programs.size() >= kMostClients)
    return false;
  programs.push_back(digest.program);
  return true;
}

void Analysis::note(const SuspicionKind& kind, const AuditRecord& record) {
  scratch_.reset();
  if (!filter_.name_space.empty() && text(record, AuditValue::name_space) != filter_.name_space)
    return;
  if (!filter_.resource.empty() && text(record, AuditValue::resource) != filter_.resource &&
      object_kind(record) != filter_.resource)
    return;
  std::pair key(std::string(kind.title), actor_of(record));
  auto place = found_.find(key);
  if (place == found_.end()) {
    // Half of the room is for what is severe: invented names must not crowd it out.
    const bool severe = kind.severity <= finding::Severity::warning;
    if (found_.size() >= (severe ? kMostSuspicions : kMostSuspicions / 2)) {
      ++forgotten_;
      return;
    }
    Suspicion fresh{.id = slug(kind.title),
                    .title = std::string(kind.title),
                    .description = std::string(kind.description),
                    .severity = kind.severity,
                    .technique = std::string(kind.technique),
                    .actor = key.second};
    place = found_.emplace(std::move(key), std::move(fresh)).first;
  }
  Suspicion& suspicion = place->second;
  ++suspicion.count;
  const std::string_view time = text(record, AuditValue::stage_time);
  if (suspicion.first.empty() || time < suspicion.first) suspicion.first = time;
  if (time > suspicion.last) suspicion.last = time;
  if (const auto addresses = record.find("/sourceIPs"))
    json::for_each_element(*addresses, [&](json::Token address) {
      if (suspicion.source_ips.size() < kMostAddresses)
        suspicion.source_ips.emplace(json::to_text(address, scratch_));
      return true;
    });
  if (suspicion.audit_ids.size() >= kMostEvidence) return;
  suspicion.audit_ids.emplace_back(text(record, AuditValue::audit_id));
  suspicion.requests.push_back(request_of(record));
}

std::vector<const Suspicion*> Analysis::suspicions() const {
  std::vector<const Suspicion*> out;
  out.reserve(found_.size());
  for (const auto& [key, suspicion] : found_) out.push_back(&suspicion);
  std::ranges::sort(out, [](const Suspicion* a, const Suspicion* b) {
    return std::tie(a->severity, a->first, a->title, a->actor) <
           std::tie(b->severity, b->first, b->title, b->actor);
  });
  return out;
}

}  // namespace saker::audit
