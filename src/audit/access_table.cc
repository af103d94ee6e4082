// See access_table.h.
#include "audit/access_table.h"

#include <iterator>
#include <map>
#include <tuple>

#include "base/hash.h"
#include "formats/json_text.h"

namespace saker::audit {

namespace {

uint64_t& counter_of(ObjectAccess& access, const AuditDigest& digest) {
  if (digest.outcome == Outcome::refused) return access.refused;
  switch (digest.act) {
    case Act::read: return access.reads;
    case Act::list:
    case Act::watch: return access.lists;
    default: return access.writes;
  }
}

void merge(const ObjectAccess& row, ObjectAccess& into) {
  into.reads += row.reads;
  into.lists += row.lists;
  into.writes += row.writes;
  into.refused += row.refused;
  into.named += row.named;
  into.namespaces.insert(row.namespaces.begin(), row.namespaces.end());
  into.objects.insert(row.objects.begin(), row.objects.end());
}

// People first, machinery last.
int rank_of(ActorKind kind) {
  switch (kind) {
    case ActorKind::anonymous: return 0;
    case ActorKind::person: return 1;
    case ActorKind::service_account: return 2;
    case ActorKind::system: return 3;
    default: return 4;
  }
}

}  // namespace

std::string AccessTable::text(const AuditRecord& record, AuditValue value) {
  const std::string_view token = record.value(value);
  if (token.empty()) return {};
  return std::string(formats::json_text::to_text(token, scratch_).substr(0, kMostText));
}

void AccessTable::count(const AuditDigest& digest, Fetch fetch) {
  if (!digest.is_sensitive || digest.act == Act::other || digest.dry_run) return;
  if (digest.outcome != Outcome::allowed && digest.outcome != Outcome::refused) return;
  Row* const row = row_of(digest, fetch);
  if (row == nullptr || !row->wanted) return;
  if (digest.act == Act::watch && !digest.complete) row->watch_starts = true;
  if (digest.complete && digest.act == Act::watch && row->watch_starts) return;
  ++counter_of(row->access, digest);
  if (digest.outcome == Outcome::allowed && digest.name != 0) add_name(*row, digest, fetch);
}

// Null when there is no room.
AccessTable::Row* AccessTable::row_of(const AuditDigest& digest, Fetch fetch) {
  const uint64_t key = hash_int(digest.access ^ digest.impersonated);
  if (const auto place = rows_.find(key); place != rows_.end()) return &place->second;
  if (rows_.size() >= kMostRows) {
    ++forgotten_;
    return nullptr;
  }
  Row& row = rows_[key];
  const AuditRecord* const record = fetch();
  row.wanted = record != nullptr;
  if (!row.wanted) return &row;
  scratch_.reset();
  row.access.actor = text(*record, AuditValue::user_name);
  row.access.impersonated = text(*record, AuditValue::impersonated_name);
  row.access.actor_kind = digest.actor_kind;
  row.access.resource = text(*record, AuditValue::resource);
  const std::string space = text(*record, AuditValue::name_space);
  row.access.namespaces.insert(space.empty() ? "*" : space);
  return &row;
}

void AccessTable::add_name(Row& row, const AuditDigest& digest, Fetch fetch) {
  if (row.names.contains(digest.name)) return;
  if (row.names.size() >= kMostNamesARow || names_ >= kMostNames) return;
  row.names.insert(digest.name);
  ++names_;
  row.access.named = row.names.size();
  if (row.access.objects.size() >= kMostObjects) return;
  if (const AuditRecord* const record = fetch()) {
    scratch_.reset();
    row.access.objects.insert(*row.access.namespaces.begin() + "/" +
                              text(*record, AuditValue::name));
  }
}

std::vector<ObjectAccess> AccessTable::rows() const {
  std::map<std::tuple<int, std::string, std::string, std::string>, ObjectAccess> merged;
  for (const auto& [key, row] : rows_) {
    if (!row.wanted) continue;
    const ObjectAccess& from = row.access;
    ObjectAccess& into =
        merged[{rank_of(from.actor_kind), from.actor, from.impersonated, from.resource}];
    into.actor = from.actor;
    into.impersonated = from.impersonated;
    into.actor_kind = from.actor_kind;
    into.resource = from.resource;
    merge(from, into);
  }
  std::vector<ObjectAccess> out;
  for (auto& [key, access] : merged) {
    while (access.objects.size() > kMostObjects)
      access.objects.erase(std::prev(access.objects.end()));
    out.push_back(std::move(access));
  }
  return out;
}

}  // namespace saker::audit
