// The numbers of a watch for people, programs and /metrics.
#include <cstdio>

#include "agent/watch.h"
#include "finding/finding.h"

namespace saker::agent {

namespace {

void append_counts(const std::map<std::string, uint64_t>& counts, std::string& out) {
  out += '{';
  for (const auto& [name, count] : counts) {
    if (out.back() != '{') out += ',';
    finding::append_json_string(name, out);
    out += ':' + std::to_string(count);
  }
  out += '}';
}

}  // namespace

std::string to_text(const WatchStats& stats) {
  char line[160];
  std::snprintf(line, sizeof line, "%.2f s of CPU, %.1f MiB resident, watching after %.3f s\n",
                stats.cpu_seconds, static_cast<double>(stats.rss_bytes) / (1 << 20),
                stats.start_seconds);
  std::string text = "Events: " + std::to_string(stats.delivered) +
                     ", alerts: " + std::to_string(stats.matched) + "; " + line;
  if (stats.audit_events + stats.audit_repeated != 0)
    text += "Audit events: " + std::to_string(stats.audit_events) + ", and " +
            std::to_string(stats.audit_repeated) + " that came again\n";
  for (const auto& [reason, count] : stats.lost)
    if (count != 0) text += "Lost: " + std::to_string(count) + " (" + reason + ")\n";
  for (const auto& [type, count] : stats.lost_by_type)
    if (count != 0) text += "   " + type + ": " + std::to_string(count) + "\n";
  return text;
}

std::string to_json(const WatchStats& stats) {
  std::string out = R"({"schema":1,"events":{"seen":)" + std::to_string(stats.seen) +
                    R"(,"delivered":)" + std::to_string(stats.delivered) + R"(,"matched":)" +
                    std::to_string(stats.matched) + R"(,"audit":)" +
                    std::to_string(stats.audit_events) + R"(,"audit_repeated":)" +
                    std::to_string(stats.audit_repeated) + R"(,"lost":)";
  append_counts(stats.lost, out);
  out += R"(,"lost_by_type":)";
  append_counts(stats.lost_by_type, out);
  char numbers[160];
  std::snprintf(numbers, sizeof numbers,
                R"(},"cpu_seconds":%.4f,"rss_bytes":%llu,"start_seconds":%.4f,"reloads":%llu})",
                stats.cpu_seconds, static_cast<unsigned long long>(stats.rss_bytes),
                stats.start_seconds, static_cast<unsigned long long>(stats.reloads));
  return out + numbers + "\n";
}

void WatchMetrics::publish(const WatchStats& stats, std::vector<RuleRow> rules,
                           const State& state) {
  std::lock_guard lock(mutex_);
  stats_ = stats;
  rules_ = std::move(rules);
  state_ = state;
}

void WatchMetrics::collect(server::MetricsWriter& writer) const {
  std::lock_guard lock(mutex_);
  writer.counter("saker_events_seen_total", "Events that the kernel side met");
  writer.sample(stats_.seen);
  writer.counter("saker_events_total", "Events that went through state and rules");
  writer.sample(stats_.delivered);
  writer.counter("saker_audit_events_total", "Audit events of Kubernetes that went through rules");
  writer.sample(stats_.audit_events);
  writer.counter("saker_audit_events_repeated_total", "Audit events that came more than once");
  writer.sample(stats_.audit_repeated);
  writer.counter("saker_events_lost_total", "Events lost, by reason");
  for (const auto& [reason, count] : stats_.lost) writer.sample(count, {{"reason", reason}});
  writer.counter("saker_events_lost_by_type_total", "Events lost, by type");
  for (const auto& [type, count] : stats_.lost_by_type) writer.sample(count, {{"type", type}});
  writer.gauge("saker_state_threads", "Threads in the process table");
  writer.sample(state_.threads);
  writer.gauge("saker_state_fds", "File descriptors in the tables");
  writer.sample(state_.fds);
  writer.gauge("saker_state_containers", "Containers whose metadata is known");
  writer.sample(state_.containers);
  const k8s::ResolverStats& lookups = state_.lookups;
  writer.counter("saker_container_lookups_total", "Containers asked for, by what came of it");
  writer.sample(lookups.resolved, {{"outcome", "resolved"}});
  writer.sample(lookups.partial, {{"outcome", "partial"}});
  writer.sample(lookups.given_up, {{"outcome", "given_up"}});
  writer.sample(lookups.dropped, {{"outcome", "dropped"}});
  writer.gauge("saker_container_lookups_waiting", "Look-ups that wait for a runtime");
  writer.sample(lookups.waiting);
  writer.counter("saker_rules_reloads_total", "Times that changed rules were taken over");
  writer.sample(stats_.reloads);
  writer.counter("saker_rules_reload_failures_total", "Times that changed rules had errors");
  writer.sample(stats_.reload_failures);
  writer.counter("saker_rule_evaluations_total", "Evaluations of each rule");
  for (const RuleRow& rule : rules_)
    writer.sample(rule.stats.evaluations, {{"rule_name", rule.name}});
  writer.counter("saker_rule_matches_total", "Matches of each rule");
  for (const RuleRow& rule : rules_)
    writer.sample(rule.stats.matches,
                  {{"priority", rule.priority}, {"rule_name", rule.name}, {"source", rule.source}});
  writer.counter("saker_rule_seconds_total",
                 "Time in each rule, estimated from a sample of the events");
  for (const RuleRow& rule : rules_)
    writer.sample(static_cast<double>(rule.stats.nanoseconds) / 1e9, {{"rule_name", rule.name}});
}

}  // namespace saker::agent
