// From the text of a policy file to a Policy, as the API server's decoder reads it: YAML becomes
// JSON, JSON is decoded by a schema, types must fit, unknown and repeated keys only make a warning.
#pragma once

#include "audit/policy.h"

namespace saker::audit {

// Fills policy, decoded and problems from name and text.
void decode_policy(PolicyFile& file);

}  // namespace saker::audit
