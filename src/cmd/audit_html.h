// The findings of an audit log as one HTML page that needs nothing else: a timeline and a table.
#pragma once

#include <string>
#include <vector>

#include "audit/analysis.h"

namespace saker::cmd {

// `logs` and `notes` are told on the page. Everything out of the log is escaped: the page has no
// script, and forbids any.
std::string audit_html(const std::vector<const audit::Suspicion*>& suspicions,
                       const std::vector<std::string>& logs, const std::string& notes);

}  // namespace saker::cmd
