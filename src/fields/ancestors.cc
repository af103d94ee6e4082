// Fields of the parent and of the whole line of ancestors. With a number a field means one
// ancestor (0 the process itself, 1 its parent ...); without one, comparisons hold when they hold
// for any ancestor, and outputs show them all.
#include "fields/process.h"

namespace saker::fields {

namespace {

using state::Thread;

// A chain longer than this is a loop made by a damaged capture.
constexpr unsigned kMaxAncestors = 1000;
// How far proc.aenv[NAME] looks.
constexpr unsigned kMaxEnvAncestors = 20;

using TextOf = std::string_view (*)(const EvalContext&, const Thread&);

std::string_view name_text(const EvalContext&, const Thread& thread) {
  return thread.comm;
}
std::string_view exe_text(const EvalContext&, const Thread& thread) {
  return exe_of(thread);
}
std::string_view exepath_text(const EvalContext&, const Thread& thread) {
  return exepath_of(thread);
}
std::string_view args_text(const EvalContext& context, const Thread& thread) {
  TextBuilder text(*context.scratch);
  append_args(thread, text);
  return text.view();
}
std::string_view cmdline_text(const EvalContext& context, const Thread& thread) {
  TextBuilder text(*context.scratch, 256);
  append_cmdline(thread, text);
  return text.view();
}
std::string_view env_text(const EvalContext& context, const Thread& thread) {
  TextBuilder text(*context.scratch, 512);
  append_env(thread, text);
  return text.view();
}

const Thread* ancestor(const EvalContext& context, uint64_t n) {
  if (context.thread == nullptr || context.state == nullptr || n > kMaxAncestors) return nullptr;
  return context.state->ancestor(*context.thread, static_cast<unsigned>(n));
}

// Calls back for every ancestor, nearest first, as long as it says true.
template <typename Visit>
void for_each_ancestor(const EvalContext& context, unsigned limit, const Visit& visit) {
  if (context.thread == nullptr || context.state == nullptr) return;
  const Thread* thread = context.state->parent_record(*context.thread->leader);
  for (unsigned i = 0; thread != nullptr && i < limit; ++i) {
    if (!visit(*thread)) return;
    thread = context.state->parent_record(*thread);
  }
}

template <TextOf text_of>
bool one_or_any(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (arg.index) {
    const Thread* thread = ancestor(context, *arg.index);
    return thread != nullptr && give(out, text_of(context, *thread));
  }
  for_each_ancestor(context, kMaxAncestors,
                    [&](const Thread& thread) { return give(out, text_of(context, thread)); });
  return !out.empty();
}

// All ancestors as one text. Blanks come only once there is text; no text is no value.
template <TextOf text_of>
bool joined(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (arg.index) return one_or_any<text_of>(context, arg, out);
  TextBuilder text(*context.scratch, 256);
  for_each_ancestor(context, kMaxAncestors, [&](const Thread& thread) {
    if (!text.empty()) text << ' ';
    text << text_of(context, thread);
    return true;
  });
  return !text.empty() && give(out, text.view());
}

template <TextOf text_of>
bool of_parent(const EvalContext& context, const FieldArg&, Values& out) {
  const Thread* thread = ancestor(context, 1);
  return thread != nullptr && give(out, text_of(context, *thread));
}

bool pids(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (arg.index) {
    const Thread* thread = ancestor(context, *arg.index);
    return thread != nullptr && thread->pid >= 0 && give_int(out, thread->pid);
  }
  for_each_ancestor(context, kMaxAncestors,
                    [&](const Thread& thread) { return give_int(out, thread.pid); });
  return !out.empty();
}

bool shown_pid(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (arg.index) return pids(context, arg, out);
  return context.thread != nullptr && context.thread->pid >= 0 &&
         give_int(out, context.thread->pid);
}

// A variable of the nearest ancestor that has it.
bool inherited_variable(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (ancestor(context, 1) == nullptr) return false;
  std::string_view value;
  for_each_ancestor(context, kMaxEnvAncestors, [&](const Thread& thread) {
    value = env_value(thread, arg.text);
    return value.empty();
  });
  return give(out, value);
}

bool environments(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (arg.present && !arg.index) return inherited_variable(context, arg, out);
  return one_or_any<env_text>(context, arg, out);
}

bool shown_environment(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (arg.present) return environments(context, arg, out);
  return context.thread != nullptr && give(out, env_text(context, *context.thread));
}

// The oldest of the process and its ancestors that is a shell by its name.
bool login_shell(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr) return false;
  const Thread* shell = nullptr;
  if (context.thread->leader->comm.ends_with("sh")) shell = context.thread->leader;
  for_each_ancestor(context, kMaxAncestors, [&](const Thread& thread) {
    if (thread.comm.ends_with("sh")) shell = &thread;
    return true;
  });
  return shell != nullptr && give_int(out, shell->pid);
}

Result<Type> bind_level(FieldArg& arg) {
  if (arg.present && !arg.index)
    return Error{.message = "'" + arg.text + "' is not a number of generations"};
  return Type::text;
}

Result<Type> bind_pid_level(FieldArg& arg) {
  SAKER_TRY(bind_level(arg));
  return Type::int64;
}

constexpr uint16_t kChain = filter::kNoRhs | filter::kNoTransformer;

constexpr FieldInfo kFields[] = {
    {.name = "proc.ppid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Process id of the parent.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           const Thread* thread = ancestor(context, 1);
           return thread != nullptr && give_int(out, thread->pid);
         }},
    {.name = "proc.pvpid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Process id of the parent in its own pid namespace.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr || context.state == nullptr) return false;
           const Thread* thread = context.state->parent_record(*context.thread);
           return thread != nullptr && thread->vpid >= 0 && give_int(out, thread->vpid);
         }},
    {.name = "proc.pname",
     .scope = Scope::process,
     .summary = "Name of the parent process.",
     .extract = of_parent<name_text>},
    {.name = "proc.pexe",
     .scope = Scope::process,
     .summary = "proc.exe of the parent process.",
     .extract = of_parent<exe_text>},
    {.name = "proc.pexepath",
     .scope = Scope::process,
     .summary = "Full path of the parent's program file.",
     .extract = of_parent<exepath_text>},
    {.name = "proc.pcmdline",
     .scope = Scope::process,
     .summary = "Name and arguments of the parent process.",
     .extract = of_parent<cmdline_text>},
    {.name = "proc.aname",
     .arg = ArgRule::optional,
     .many = Many::any,
     .scope = Scope::process,
     .flags = kChain,
     .summary = "Name of an ancestor: proc.aname[2] is the grandparent, without number any.",
     .extract = one_or_any<name_text>,
     .bind = bind_level,
     .display = joined<name_text>},
    {.name = "proc.aexe",
     .arg = ArgRule::optional,
     .many = Many::any,
     .scope = Scope::process,
     .flags = kChain,
     .summary = "proc.exe of an ancestor: with a number one of them, without any.",
     .extract = one_or_any<exe_text>,
     .bind = bind_level,
     .display = joined<exe_text>},
    {.name = "proc.aexepath",
     .arg = ArgRule::optional,
     .many = Many::any,
     .scope = Scope::process,
     .flags = kChain,
     .summary = "Path of an ancestor's program file: with a number one of them, without any.",
     .extract = one_or_any<exepath_text>,
     .bind = bind_level,
     .display = joined<exepath_text>},
    {.name = "proc.acmdline",
     .arg = ArgRule::optional,
     .many = Many::any,
     .scope = Scope::process,
     .flags = kChain,
     .summary = "Name and arguments of an ancestor: with a number one of them, without any.",
     .extract = one_or_any<cmdline_text>,
     .bind = bind_level,
     .display = joined<cmdline_text>},
    {.name = "proc.aargs",
     .arg = ArgRule::optional,
     .scope = Scope::process,
     .summary = "Arguments of an ancestor; without number those of all, joined by blanks.",
     .extract = joined<args_text>,
     .bind = bind_level},
    {.name = "proc.apid",
     .type = Type::int64,
     .arg = ArgRule::optional,
     .many = Many::any,
     .scope = Scope::process,
     .flags = kChain,
     .summary = "Process id of an ancestor: with a number one of them, without any.",
     .extract = pids,
     .bind = bind_pid_level,
     .display = shown_pid},
    {.name = "proc.aenv",
     .arg = ArgRule::optional,
     .many = Many::any,
     .scope = Scope::process,
     .flags = kChain,
     .summary = "Environment of an ancestor; proc.aenv[HOME] is the nearest one's variable.",
     .extract = environments,
     .display = shown_environment},
    {.name = "proc.loginshellid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Process id of the oldest ancestor that is a shell.",
     .extract = login_shell},
};

}  // namespace

std::span<const FieldInfo> ancestor_fields() {
  return kFields;
}

}  // namespace saker::fields
