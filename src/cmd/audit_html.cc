// See audit_html.h.
#include "cmd/audit_html.h"

#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "base/time.h"
#include "cmd/audit_access.h"

namespace saker::cmd {

namespace {

using Suspicions = std::vector<const audit::Suspicion*>;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : sanitize_utf8(text)) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += static_cast<uint8_t>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

constexpr std::string_view kHead =
    R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Kubernetes audit: findings</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 4px 8px; border-bottom: 1px solid #ddd; }
td.line { width: 30%; min-width: 200px; }
.track { position: relative; height: 10px; margin-top: 5px; background: #eee; }
.bar { position: absolute; height: 10px; min-width: 3px; background: #888; }
.error .bar, .critical .bar, .alert .bar, .emergency .bar { background: #a00; }
.warning .bar { background: #d70; }
.notice .bar { background: #27a; }
.severity { font-weight: 600; }
ul { margin: 4px 0; padding-left: 1.2em; }
code { font-size: 12px; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>Kubernetes audit: findings</h1>
)";

// The time that all findings lie in; one of no length when none has a time.
struct Span {
  uint64_t first = UINT64_MAX, last = 0;

  explicit Span(const Suspicions& suspicions) {
    for (const audit::Suspicion* each : suspicions) {
      if (const auto time = parse_rfc3339(each->first)) first = std::min(first, *time);
      if (const auto time = parse_rfc3339(each->last)) last = std::max(last, *time);
    }
  }

  // In percent of the whole.
  [[nodiscard]] double place(std::string_view text) const {
    const auto time = parse_rfc3339(text);
    if (!time || last <= first) return 0;
    return 100.0 * static_cast<double>(*time - first) / static_cast<double>(last - first);
  }
};

std::string bar(const audit::Suspicion& suspicion, const Span& span) {
  const double from = span.place(suspicion.first), to = span.place(suspicion.last);
  char style[64];
  std::snprintf(style, sizeof style, "left:%.2f%%;width:%.2f%%", std::min(from, 99.0), to - from);
  return "<div class=\"track\"><div class=\"bar\" style=\"" + std::string(style) +
         "\"></div></div>";
}

std::string evidence(const audit::Suspicion& suspicion) {
  std::string out = "<details><summary>" + std::to_string(suspicion.count) + "</summary><ul>";
  for (size_t i = 0; i < suspicion.audit_ids.size(); ++i)
    out += "<li>" + escaped(suspicion.requests[i]) + " <code>" + escaped(suspicion.audit_ids[i]) +
           "</code></li>";
  if (suspicion.count > suspicion.audit_ids.size())
    out += "<li>and " + std::to_string(suspicion.count - suspicion.audit_ids.size()) + " more</li>";
  return out + "</ul></details>";
}

std::string row(const audit::Suspicion& suspicion, const Span& span) {
  const std::string severity = lower_name(suspicion.severity);
  std::string out = "<tr class=\"" + severity + "\"><td class=\"severity\">" + severity +
                    "</td><td>" + escaped(audit_actor(suspicion)) + "</td><td><strong>" +
                    escaped(suspicion.title) + "</strong> " + escaped(suspicion.technique) +
                    "<br>" + escaped(suspicion.description) + "</td><td class=\"line\">" +
                    escaped(suspicion.first);
  if (suspicion.last != suspicion.first) out += " to " + escaped(suspicion.last);
  out += bar(suspicion, span) + "</td><td>";
  for (const std::string& address : suspicion.source_ips) out += escaped(address) + "<br>";
  return out + "</td><td>" + evidence(suspicion) + "</td></tr>\n";
}

void append_findings(const Suspicions& suspicions, std::string& out) {
  if (suspicions.empty()) {
    out += "<p>Nothing to tell.</p>\n";
    return;
  }
  out +=
      "<table>\n<tr><th>Severity</th><th>Actor</th><th>Finding</th><th>When</th><th>From</th>"
      "<th>Events</th></tr>\n";
  const Span span(suspicions);
  for (const audit::Suspicion* suspicion : suspicions) out += row(*suspicion, span);
  out += "</table>\n";
}

std::string cell(std::string_view text) {
  return "<td>" + escaped(text) + "</td>";
}

void append_access(const std::vector<audit::ObjectAccess>& accesses, std::string& out) {
  constexpr size_t kMostLines = 500;
  const AccessLines shown_lines = access_lines(accesses, kMostLines);
  if (shown_lines.lines.empty()) return;
  out +=
      "<h2>Secrets and config maps</h2>\n<table>\n<tr><th>Actor</th><th>Kind</th><th>Read</th>"
      "<th>Listed</th><th>Written</th><th>Refused</th><th>Namespaces</th><th>Objects</th></tr>\n";
  for (const AccessLine& line : shown_lines.lines) {
    out += "<tr>" + cell(line.actor) + cell(line.resource);
    for (const uint64_t count : {line.reads, line.lists, line.writes, line.refused})
      out += cell(std::to_string(count));
    out += cell(line.namespaces) + cell(line.objects) + "</tr>\n";
  }
  out += "</table>\n";
  if (shown_lines.left_out != 0)
    out += "<p>and " + std::to_string(shown_lines.left_out) + " more</p>\n";
}

}  // namespace

std::string audit_html(const AuditReport& report) {
  std::string out(kHead);
  out += "<p>" + escaped(join(report.logs, ", ")) + ": " + escaped(audit_notes(report)) + "</p>\n";
  append_findings(report.suspicions, out);
  append_access(report.accesses, out);
  return out + "</body>\n</html>\n";
}

}  // namespace saker::cmd
