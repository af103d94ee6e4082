// See audit_report.h.
#include "cmd/audit_report.h"

#include <algorithm>

#include "base/strings.h"
#include "cmd/audit_access.h"
#include "cmd/listing.h"

namespace saker::cmd {

namespace {

// Commands that look further, for people to copy.
std::vector<std::string> next_of(const audit::Suspicion& suspicion, const AuditReport& report) {
  std::vector<std::string> out;
  const std::string log = shell_quoted(report.logs.front());
  if (suspicion.actor == "-") return {"saker replay " + log + " --filter 'ka.response.code=401'"};
  const std::string actor = shown(suspicion.actor);
  if (!report.of_one_actor)
    out.push_back("saker audit analyze " + log + " --actor " + shell_quoted(actor));
  else if (actor.find_first_of("\"\\") == std::string::npos)
    out.push_back("saker replay " + log + " --filter " +
                  shell_quoted("ka.user.name = \"" + actor + "\"") +
                  " --format '%evt.time %ka.verb %ka.uri %ka.response.code'");
  out.push_back("kubectl auth can-i --list --as " + shell_quoted(actor));
  return out;
}

std::string addresses_of(const audit::Suspicion& suspicion) {
  return join({suspicion.source_ips.begin(), suspicion.source_ips.end()}, ", ");
}

void append_finding(const audit::Suspicion& suspicion, const AuditReport& report,
                    JsonWriter& json) {
  json.begin_object().key("actor").text(suspicion.actor);
  json.key("as").text(suspicion.impersonated);
  json.key("auditIDs").texts(suspicion.audit_ids).key("count").number(suspicion.count);
  json.key("description").text(suspicion.description).key("first").text(suspicion.first);
  json.key("id").text(suspicion.id).key("last").text(suspicion.last);
  json.key("next").texts(next_of(suspicion, report));
  json.key("requests").texts(suspicion.requests);
  json.key("severity").text(lower_name(suspicion.severity));
  json.key("source_ips").texts({suspicion.source_ips.begin(), suspicion.source_ips.end()});
  json.key("technique").text(suspicion.technique).key("title").text(suspicion.title).end_object();
}

// The time of day is enough where all is of one day.
std::string short_time(const std::string& time, bool one_day) {
  constexpr size_t kDate = 11, kSeconds = 19;
  return time.size() < kSeconds ? time : time.substr(one_day ? kDate : 0, one_day ? 8 : kSeconds);
}

Table table_of(const std::vector<const audit::Suspicion*>& suspicions, Medium medium) {
  constexpr size_t kDate = 10;
  const bool one_day = std::ranges::all_of(suspicions, [&](const audit::Suspicion* each) {
    const std::string& day = suspicions.front()->first;
    return each->first.starts_with(day.substr(0, kDate)) &&
           each->last.starts_with(day.substr(0, kDate));
  });
  Table table({"SEVERITY", "ACTOR", "FINDING", "COUNT", "FIRST", "LAST", "FROM", "FIRST REQUEST"});
  for (const audit::Suspicion* each : suspicions)
    table.add({lower_name(each->severity), shown(audit_actor(*each), medium), each->title,
               std::to_string(each->count), short_time(each->first, one_day),
               short_time(each->last, one_day), shown(addresses_of(*each), medium),
               each->requests.empty() ? "" : shown(each->requests.front(), medium)});
  return table;
}

}  // namespace

std::string audit_actor(const audit::Suspicion& suspicion) {
  if (suspicion.impersonated.empty()) return suspicion.actor;
  return suspicion.actor + " as " + suspicion.impersonated;
}

std::string audit_json(const AuditReport& report) {
  JsonWriter json;
  json.begin_object().key("access");
  append_accesses(report.accesses, json);
  json.key("baseline").text(report.baseline);
  json.key("events").number(report.events).key("findings").begin_array();
  for (const audit::Suspicion* suspicion : report.suspicions)
    append_finding(*suspicion, report, json);
  json.end_array().key("forgotten").number(report.forgotten);
  json.key("repeated").number(report.repeated).key("schema").text("saker.audit.analysis.v1");
  return json.key("skipped").number(report.skipped).end_object().result() + "\n";
}

std::string audit_notes(const AuditReport& report) {
  std::string out = std::to_string(report.events) + " events";
  if (report.skipped != 0) out += ", " + std::to_string(report.skipped) + " lines skipped";
  if (report.repeated != 0) out += ", " + std::to_string(report.repeated) + " repeated";
  if (report.forgotten != 0)
    out += ", " + std::to_string(report.forgotten) + " beyond what is kept: not complete";
  if (!report.baseline.empty()) out += ", compared with " + shown(report.baseline);
  return out + ".";
}

std::string audit_text(const AuditReport& report, Medium medium) {
  const bool markdown = medium == Medium::markdown;
  std::string out = markdown ? "# Kubernetes audit: findings\n\n" : "";
  if (report.suspicions.empty()) {
    out += "Nothing to tell.\n";
  } else {
    const Table table = table_of(report.suspicions, medium);
    out += markdown ? table.to_markdown() : table.to_text();
  }
  out += access_report(report.accesses, medium);
  out += "\n" + audit_notes(report) + "\n";
  if (report.suspicions.empty()) return out;
  out += markdown ? "\nNext:\n\n" : "Next:\n";
  for (const std::string& command : next_of(*report.suspicions.front(), report))
    out += (markdown ? "    " : "  ") + command + "\n";
  if (!markdown) out += "--json tells of each what it means, its auditIDs and requests.\n";
  return out;
}

}  // namespace saker::cmd
