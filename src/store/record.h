// How a finding is kept in a row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "finding/finding.h"
#include "store/database.h"

namespace saker::store {

// The columns in the order that read_row() expects.
inline constexpr std::string_view kColumns =
    "id, time_ns, severity, rule, source, hostname, container_id, message, tags, fields, sequence";

struct StoredAlert {
  int64_t id = 0;
  finding::Finding finding;
};

// The finding's JSON object with the alert's "id" in front.
std::string to_json(const StoredAlert& alert, const finding::JsonOptions& options = {});

// Binds everything but the id, as parameters 1 to 10.
void bind_finding(const finding::Finding& finding, Statement& statement);
StoredAlert read_row(const Statement& row);

}  // namespace saker::store
