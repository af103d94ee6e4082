// Audit events of Kubernetes written as text: "audit user=ana verb=get resource=secrets
// namespace=shop name=db". What a key does not say is what a server would write for such a request.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "cases/event_line.h"

namespace saker::cases {

// The event as one line of JSON. Its id is made of `number`.
Result<std::string> audit_event_json(const Attributes& attributes, uint64_t number,
                                     uint64_t time_ns);

}  // namespace saker::cases
