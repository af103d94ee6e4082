// See order_kinds.h.
#include "audit/order_kinds.h"

namespace saker::audit::order {

using finding::Severity;

const SuspicionKind kLateSuccess = {.title = "Kubernetes success after refusal",
                                    .description =
                                        "Somebody was refused more than once and later let in, "
                                        "for the first time. Next: which binding "
                                        "was made in between, by whom, and was it meant?",
                                    .severity = Severity::warning,
                                    .technique = "T1078"};

const SuspicionKind kNewClient = {
    .title = "Kubernetes service account with a new client",
    .description =
        "A service account that always used one program uses another: a new version of "
        "the workload, or its token is elsewhere. Next: is the address that of its "
        "pods?",
    .severity = Severity::notice,
    .technique = "T1528"};

const SuspicionKind kAcceptedAfterGuesses = {
    .title = "Kubernetes credential accepted after failures",
    .description =
        "Five or more credentials from one address were not accepted, and within an "
        "hour one was, of somebody who never came from there: a guess that fitted. "
        "Counted is all that they did from there in the next hour. Next: take the "
        "credential away, block the address, see what was done.",
    .severity = Severity::warning,
    .technique = "T1110"};

const SuspicionKind kIdReused = {
    .title = "Kubernetes audit id used again",
    .description =
        "Different requests came with one audit id, which the client chose: so that one "
        "is taken for another, or for a repetition. Next: search the log for the id and "
        "look at each request with it.",
    .severity = Severity::warning,
    .technique = "T1070"};

const SuspicionKind kNewPlace = {
    .title = "Kubernetes user from a new place with a new client",
    .description =
        "A person who had kept to the same addresses and programs for long comes from "
        "an address far from them with another program: a new computer, or a stolen "
        "credential. Counted is all that they did from there in the next hour. Next: "
        "ask them.",
    .severity = Severity::warning,
    .technique = "T1078"};

const SuspicionKind kAccountMoved = {
    .title = "Kubernetes service account moved",
    .description =
        "A service account that had kept to the same addresses for long comes from "
        "another one near them: its pod moved, or its token is used in another pod. "
        "Next: is the address that of its pods?",
    .severity = Severity::informational,
    .technique = "T1528"};

const SuspicionKind kAccountElsewhere = {
    .title = "Kubernetes service account from a new address",
    .description =
        "A service account that had kept to the same addresses for long comes from one "
        "far from them. Counted is all that was done from there in the next hour. Next: "
        "is the address that of its pods? If not, delete them, which ends their tokens.",
    .severity = Severity::notice,
    .technique = "T1528"};

const SuspicionKind kAccountOutside = {
    .title = "Kubernetes service account from outside",
    .description =
        "A service account that had come from private addresses for long comes from a "
        "public one: its token is used outside of the cluster. Counted is all that was "
        "done from there in the next hour. Next: delete its pods, which ends their "
        "tokens, and see what was done.",
    .severity = Severity::warning,
    .technique = "T1528"};

const SuspicionKind kNodeElsewhere = {
    .title = "Kubernetes node from a new address",
    .description =
        "A node that had kept to its addresses for long comes from one far from them: "
        "it got another address, or its credential was taken. Next: is the address that "
        "of the node?",
    .severity = Severity::notice,
    .technique = "T1078"};

}  // namespace saker::audit::order
