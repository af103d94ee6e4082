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

const SuspicionKind kNewUser = {
    .title = "Kubernetes user not in the baseline",
    .description =
        "A person whom the baseline does not know. Next: who is it, and who let them "
        "in?",
    .severity = Severity::notice,
    .technique = "T1078"};

const SuspicionKind kNewMachine = {
    .title = "Kubernetes program not in the baseline",
    .description =
        "A service account, node or part of the control plane that the baseline does "
        "not know: something was added. Next: was it meant?",
    .severity = Severity::informational,
    .technique = "T1078"};

const SuspicionKind kUserElsewhere = {
    .title = "Kubernetes user from a new place",
    .description =
        "A person comes from an address far from those in the baseline, with a program "
        "as ever. Next: nothing, unless they did not travel.",
    .severity = Severity::informational,
    .technique = "T1078"};

const SuspicionKind kUserFirstDeed = {
    .title = "Kubernetes user does something for the first time",
    .description =
        "A person did what they never did in the baseline: each verb on each kind of "
        "objects is counted once. Next: nothing, unless it is odd for them.",
    .severity = Severity::informational,
    .technique = "T1078"};

const SuspicionKind kUserFirstSecret = {
    .title = "Kubernetes user touches secrets for the first time",
    .description =
        "A person read, listed or changed secrets and never did so in the baseline. "
        "Next: which ones, and what for?",
    .severity = Severity::notice,
    .technique = "T1552.007"};

const SuspicionKind kMachineFirstDeed = {
    .title = "Kubernetes program does something for the first time",
    .description =
        "A service account, node or part of the control plane did what it never did in "
        "the baseline: each verb on each kind of objects is counted once. Programs "
        "change with their versions only. Next: is there a new version? If not, is it "
        "the program that does it?",
    .severity = Severity::notice,
    .technique = "T1078"};

const SuspicionKind kMachineFirstSecret = {
    .title = "Kubernetes program touches secrets for the first time",
    .description =
        "A service account, node or part of the control plane read, listed or changed "
        "secrets and never did so in the baseline. Next: is there a new version that "
        "needs it? If not, its token may be in other hands: delete its pods.",
    .severity = Severity::warning,
    .technique = "T1552.007"};

const SuspicionKind kOddHour = {
    .title = "Kubernetes user active at an odd hour",
    .description =
        "A person is active at an hour of the day at which, and around which, the "
        "baseline never shows them. Next: ask them, if there is more that is odd.",
    .severity = Severity::informational,
    .technique = "T1078"};

const SuspicionKind kChangeAtOddHour = {
    .title = "Kubernetes change at an odd hour",
    .description =
        "A person changed something or read secrets at an hour of the day at which, and "
        "around which, the baseline never shows them. Next: ask them.",
    .severity = Severity::notice,
    .technique = "T1078"};

}  // namespace saker::audit::order
