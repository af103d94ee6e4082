// Who touched which secrets and config maps, and who was refused them: counted by actor, bounded by
// the limits below.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "audit/digest.h"
#include "base/arena.h"
#include "base/function_ref.h"
#include "event/audit_record.h"

namespace saker::audit {

// What one actor did with one kind of object, in one name.
struct ObjectAccess {
  std::string actor;         // the real one
  std::string impersonated;  // in whose name; empty: in its own
  ActorKind actor_kind = ActorKind::nobody;
  std::string resource;              // "secrets", "configmaps"
  uint64_t reads = 0;                // get
  uint64_t lists = 0;                // list and watch, each of which reads all
  uint64_t writes = 0;               // create, update, patch, delete, deletecollection; no dry runs
  uint64_t refused = 0;              // of any verb
  uint64_t named = 0;                // different objects among those read and written by name
  std::set<std::string> namespaces;  // "*": all at once
  std::set<std::string> objects;     // "shop/db", some of the named ones
};

class AccessTable {
 public:
  static constexpr size_t kMostRows = 10'000, kMostNames = 100'000, kMostNamesARow = 1024,
                          kMostObjects = 32, kMostText = 512;

  // The record of an event; null when nobody wants it told.
  using Fetch = FunctionRef<const AuditRecord*()>;

  // The next event of the log.
  void count(const AuditDigest& digest, Fetch fetch);

  // By kind of actor (people first), name, resource.
  [[nodiscard]] std::vector<ObjectAccess> rows() const;
  // Events that there was no room for.
  [[nodiscard]] uint64_t forgotten() const { return forgotten_; }

 private:
  // Of one actor, kind of object and namespace.
  struct Row {
    ObjectAccess access;
    bool wanted = true;
    bool watch_starts = false;  // they are logged: the ends are not counted again
    std::unordered_set<uint64_t> names;
  };

  Row* row_of(const AuditDigest& digest, Fetch fetch);
  void add_name(Row& row, const AuditDigest& digest, Fetch fetch);
  std::string text(const AuditRecord& record, AuditValue value);

  std::unordered_map<uint64_t, Row> rows_;
  Arena scratch_;
  uint64_t names_ = 0, forgotten_ = 0;
};

}  // namespace saker::audit
