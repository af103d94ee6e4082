// The findings of an audit log as one HTML page that needs nothing else: a timeline and tables.
#pragma once

#include <string>

#include "cmd/audit_report.h"

namespace saker::cmd {

// Everything out of the log is escaped: the page has no script, and forbids any.
std::string audit_html(const AuditReport& report);

}  // namespace saker::cmd
