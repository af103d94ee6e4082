// Collects from an audit log what each actor did, as far as rights are concerned: for a least role
// set, and for telling which rights nobody uses. Memory is bounded by what there is to do in a
// cluster, not by the log: names beyond a limit become "any name".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/rbac.h"
#include "base/arena.h"
#include "event/audit_record.h"

namespace saker::audit {

// Whose deeds. Neither user nor group: everybody's, each apart.
struct ActorChoice {
  std::string user, group;
};

struct DeedFilter {
  std::optional<uint64_t> since_ns, until_ns;
  std::vector<std::string> namespaces;  // none: all
  size_t most_names = 8;  // of one kind of object, for one verb in one namespace; more: any name
};

// What one actor did.
struct Deeds {
  using Counts = std::map<Access, uint64_t>;
  Counts allowed, refused;
  std::map<std::string, uint64_t> impersonated;  // in whose name they acted
  std::set<std::string> groups;                  // that they had
  std::string first_time, last_time;
  uint64_t requests = 0;   // that were allowed or refused
  uint64_t forgotten = 0;  // kinds of requests beyond what is kept

  std::set<Access> any_name;                      // allowed ones whose names were too many
  std::map<Access, std::set<std::string>> names;  // of allowed ones, by the access without its name
};

class DeedCollector {
 public:
  DeedCollector(ActorChoice choice, DeedFilter filter);

  void take(const AuditRecord& record, uint64_t time_ns);
  // By the actor's name.
  [[nodiscard]] const std::map<std::string, Deeds, std::less<>>& actors() const { return actors_; }
  // The names of users and groups that occur, when one was looked for; bounded.
  [[nodiscard]] const std::set<std::string, std::less<>>& others() const { return others_; }

 private:
  enum class Verdict : uint8_t { allowed, refused, open };

  [[nodiscard]] std::string_view text(const AuditRecord& record, std::string_view pointer);
  [[nodiscard]] bool in_group(const AuditRecord& record, std::string_view person);
  [[nodiscard]] Verdict verdict_of(const AuditRecord& record);
  [[nodiscard]] bool wants_namespace(std::string_view name_space) const;
  bool read_access(const AuditRecord& record);
  void note(Deeds& deeds, const AuditRecord& record, Verdict verdict);
  Access widened(Deeds& deeds) const;
  void note_access(Deeds& deeds, Verdict verdict, bool ends) const;
  void note_impersonation(std::string_view user, const AuditRecord& record, Verdict verdict);

  const ActorChoice choice_;
  const DeedFilter filter_;
  Arena scratch_;
  Access access_;  // of the event at hand
  std::map<std::string, Deeds, std::less<>> actors_;
  std::set<std::string, std::less<>> others_;
};

}  // namespace saker::audit
