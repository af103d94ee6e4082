// See audit_access.h.
#include "cmd/audit_access.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"

namespace saker::cmd {

namespace {

using Accesses = std::vector<audit::ObjectAccess>;

constexpr size_t kMostSpaces = 3, kMostObjects = 2;  // names in a cell

// The group of actors that a row is shown with; empty: it is shown by itself.
std::string group_of(const audit::ObjectAccess& access) {
  if (!access.impersonated.empty()) return {};
  if (access.actor_kind == audit::ActorKind::node) return "nodes";
  if (access.actor_kind == audit::ActorKind::system) return "parts of the control plane";
  return access.actor.starts_with("system:serviceaccount:kube-system:") ? "accounts of kube-system"
                                                                        : "";
}

std::string some_of(const std::set<std::string>& names, uint64_t all, size_t most) {
  std::vector<std::string> first;
  for (const std::string& name : names)
    if (first.size() < most) first.push_back(name);
  std::string out = join(first, ", ");
  if (all > first.size()) out += " and " + std::to_string(all - first.size()) + " more";
  return out;
}

AccessLine line_of(const audit::ObjectAccess& access, std::string actor) {
  return {.actor = std::move(actor),
          .resource = access.resource,
          .reads = access.reads,
          .lists = access.lists,
          .writes = access.writes,
          .refused = access.refused,
          .namespaces = some_of(access.namespaces, access.namespaces.size(), kMostSpaces),
          .objects = some_of(access.objects, access.named, kMostObjects)};
}

std::string name_of(const audit::ObjectAccess& access) {
  return access.impersonated.empty() ? access.actor : access.actor + " as " + access.impersonated;
}

// Of one group and kind of object.
struct Folded {
  audit::ObjectAccess sum;
  std::set<std::string> actors;
};

void add(const audit::ObjectAccess& access, Folded& folded) {
  audit::ObjectAccess& sum = folded.sum;
  sum.actor = access.actor;
  sum.resource = access.resource;
  sum.reads += access.reads;
  sum.lists += access.lists;
  sum.writes += access.writes;
  sum.refused += access.refused;
  sum.namespaces.insert(access.namespaces.begin(), access.namespaces.end());
  sum.objects.insert(access.objects.begin(), access.objects.end());
  // Which of them are the same is not known: as many as any of them named, at least.
  sum.named = std::max<uint64_t>({sum.named, access.named, sum.objects.size()});
  folded.actors.insert(access.actor);
}

}  // namespace

AccessLines access_lines(const Accesses& accesses, size_t most) {
  AccessLines out;
  std::map<std::pair<std::string, std::string>, Folded> groups;
  for (const audit::ObjectAccess& access : accesses) {
    if (const std::string group = group_of(access); !group.empty())
      add(access, groups[{group, access.resource}]);
    else
      out.lines.push_back(line_of(access, name_of(access)));
  }
  for (const auto& [key, folded] : groups) {
    const size_t count = folded.actors.size();
    out.lines.push_back(line_of(
        folded.sum, count == 1 ? folded.sum.actor : std::to_string(count) + " " + key.first));
  }
  if (out.lines.size() > most) {
    out.left_out = out.lines.size() - most;
    out.lines.resize(most);
  }
  return out;
}

std::string access_report(const Accesses& accesses, Medium medium) {
  constexpr size_t kMostLines = 25;
  const bool markdown = medium == Medium::markdown;
  const AccessLines shown_lines = access_lines(accesses, kMostLines);
  if (shown_lines.lines.empty()) return {};
  Table table({"ACTOR", "KIND", "READ", "LISTED", "WRITTEN", "REFUSED", "NAMESPACES", "OBJECTS"});
  for (const AccessLine& line : shown_lines.lines)
    table.add({shown(line.actor, medium), shown(line.resource, medium), std::to_string(line.reads),
               std::to_string(line.lists), std::to_string(line.writes),
               std::to_string(line.refused), shown(line.namespaces, medium),
               shown(line.objects, medium)});
  std::string out = markdown ? "\n## Secrets and config maps\n\n" : "\nSecrets and config maps:\n";
  out += markdown ? table.to_markdown() : table.to_text();
  if (shown_lines.left_out != 0)
    out += (markdown ? "\n" : "") + std::string("and ") + std::to_string(shown_lines.left_out) +
           " more: --json\n";
  return out;
}

void append_accesses(const Accesses& accesses, JsonWriter& json) {
  json.begin_array();
  for (const audit::ObjectAccess& access : accesses) {
    json.begin_object().key("actor").text(access.actor);
    json.key("as").text(access.impersonated).key("lists").number(access.lists);
    json.key("named").number(access.named);
    json.key("namespaces").texts({access.namespaces.begin(), access.namespaces.end()});
    json.key("objects").texts({access.objects.begin(), access.objects.end()});
    json.key("reads").number(access.reads).key("refused").number(access.refused);
    json.key("resource").text(access.resource).key("writes").number(access.writes).end_object();
  }
  json.end_array();
}

}  // namespace saker::cmd
