// The checks that kube-apiserver makes of a decoded policy before it starts.
#pragma once

#include <vector>

#include "audit/policy.h"

namespace saker::audit {

void validate_policy(const Policy& policy, std::vector<PolicyProblem>& problems);

// A DNS-1123 subdomain: what an API group must be.
bool is_dns_subdomain(std::string_view text);

}  // namespace saker::audit
