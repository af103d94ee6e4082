// What only the order of events tells.
#pragma once

#include "audit/suspicion.h"

namespace saker::audit::order {

extern const SuspicionKind kLateSuccess, kNewClient, kAcceptedAfterGuesses, kIdReused, kNewPlace,
    kAccountMoved, kAccountElsewhere, kAccountOutside, kNodeElsewhere;

// What takes a baseline.
extern const SuspicionKind kNewUser, kNewMachine, kUserElsewhere, kUserFirstDeed, kUserFirstSecret,
    kMachineFirstDeed, kMachineFirstSecret, kOddHour, kChangeAtOddHour;

}  // namespace saker::audit::order
