// Fields of the session and the process groups that a process is in. A leader that is not known
// gives an empty text, not a missing value.
#include "fields/process.h"

namespace saker::fields {

namespace {

using state::State;
using state::Thread;

using LeaderOf = const Thread* (State::*)(const Thread&) const;
using TextOf = std::string_view (*)(const Thread&);

constexpr LeaderOf kSession = &State::session_leader;
constexpr LeaderOf kGroup = &State::group_leader;
constexpr LeaderOf kHostGroup = &State::host_group_leader;

template <LeaderOf leader_of, TextOf text_of>
bool leader_text(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr || context.state == nullptr) return false;
  const Thread* leader = (context.state->*leader_of)(*context.thread);
  return give(out, leader != nullptr ? text_of(*leader) : std::string_view());
}

template <int64_t Thread::* member>
bool id(const EvalContext& context, const FieldArg&, Values& out) {
  return context.thread != nullptr && give_int(out, context.thread->*member);
}

template <int64_t Thread::* member, int64_t Thread::* same_as>
bool leads(const EvalContext& context, const FieldArg&, Values& out) {
  return context.thread != nullptr &&
         give_bool(out, context.thread->*member == context.thread->*same_as);
}

constexpr FieldInfo kFields[] = {
    {.name = "proc.sid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Session id.",
     .extract = id<&Thread::sid>},
    {.name = "proc.sname",
     .scope = Scope::process,
     .summary = "Name of the process that leads the session.",
     .extract = leader_text<kSession, name_of>},
    {.name = "proc.sid.exe",
     .scope = Scope::process,
     .summary = "proc.exe of the process that leads the session.",
     .extract = leader_text<kSession, exe_of>},
    {.name = "proc.sid.exepath",
     .scope = Scope::process,
     .summary = "Path of the program file of the process that leads the session.",
     .extract = leader_text<kSession, exepath_of>},
    {.name = "proc.vpgid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Process group id, as the process's own pid namespace sees it.",
     .extract = id<&Thread::vpgid>},
    {.name = "proc.vpgid.name",
     .scope = Scope::process,
     .summary = "Name of the process that leads the group of proc.vpgid.",
     .extract = leader_text<kGroup, name_of>},
    {.name = "proc.vpgid.exe",
     .scope = Scope::process,
     .summary = "proc.exe of the process that leads the group of proc.vpgid.",
     .extract = leader_text<kGroup, exe_of>},
    {.name = "proc.vpgid.exepath",
     .scope = Scope::process,
     .summary = "Path of the program file of the process that leads the group of proc.vpgid.",
     .extract = leader_text<kGroup, exepath_of>},
    {.name = "proc.pgid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Process group id, as the host sees it.",
     .extract = id<&Thread::pgid>},
    {.name = "proc.pgid.name",
     .scope = Scope::process,
     .summary = "Name of the process that leads the group of proc.pgid.",
     .extract = leader_text<kHostGroup, name_of>},
    {.name = "proc.pgid.exe",
     .scope = Scope::process,
     .summary = "proc.exe of the process that leads the group of proc.pgid.",
     .extract = leader_text<kHostGroup, exe_of>},
    {.name = "proc.pgid.exepath",
     .scope = Scope::process,
     .summary = "Path of the program file of the process that leads the group of proc.pgid.",
     .extract = leader_text<kHostGroup, exepath_of>},
    {.name = "proc.is_sid_leader",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the process leads its session.",
     .extract = leads<&Thread::sid, &Thread::vpid>},
    {.name = "proc.is_vpgid_leader",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the process leads its group, by its own pid namespace.",
     .extract = leads<&Thread::vpgid, &Thread::vpid>},
    {.name = "proc.is_pgid_leader",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the process leads its group, by the host's numbers.",
     .extract = leads<&Thread::pgid, &Thread::pid>},
};

}  // namespace

std::span<const FieldInfo> leader_fields() {
  return kFields;
}

}  // namespace saker::fields
