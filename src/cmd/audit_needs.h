// What a detection rule on audit events needs to see: the classes of requests on which its
// condition can be true, with the level and stages that it takes.
#pragma once

#include "audit/policy_coverage.h"
#include "filter/ast.h"

namespace saker::cmd {

audit::DetectionNeeds needs_of(std::string_view name, const filter::Node& condition);

}  // namespace saker::cmd
