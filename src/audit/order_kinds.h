// What only the order of events tells.
#pragma once

#include "audit/suspicion.h"

namespace saker::audit::order {

extern const SuspicionKind kLateSuccess, kNewClient, kAcceptedAfterGuesses, kIdReused, kNewPlace,
    kAccountMoved, kAccountElsewhere, kAccountOutside, kNodeElsewhere;

}  // namespace saker::audit::order
