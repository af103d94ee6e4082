// Fields of the process that made the event: what it is, and how it was started.
#include "base/strings.h"
#include "fields/paths.h"
#include "fields/process.h"

namespace saker::fields {

namespace {

using state::Image;
using state::Thread;

bool args(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (context.thread == nullptr) return false;
  if (arg.index) return give(out, list_element(args_of(*context.thread), *arg.index));
  TextBuilder text(*context.scratch);
  append_args(*context.thread, text);
  return give(out, text.view());
}

bool cmdline(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr) return false;
  if (args_of(*context.thread).empty()) return give(out, context.thread->comm);
  TextBuilder text(*context.scratch, 256);
  append_cmdline(*context.thread, text);
  return give(out, text.view());
}

bool exeline(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr) return false;
  TextBuilder text(*context.scratch, 256);
  text << exe_of(*context.thread) << ' ';
  append_args(*context.thread, text);
  return give(out, text.view());
}

// Counts without argv[0]; `bytes` without separators.
void measure_args(std::string_view list, uint64_t& count, uint64_t& bytes) {
  count = 0;
  bytes = list.size();
  for (char c : list) count += c == '\0' ? 1 : 0;
  bytes -= count;
  if (!list.empty() && list.back() != '\0') ++count;
}

bool env(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (context.thread == nullptr) return false;
  const Thread& thread = *context.thread;
  if (arg.present && !arg.index) return give(out, env_value(thread, arg.text));
  if (arg.index) {
    const Thread& leader = *thread.leader;
    return give(out,
                leader.image ? list_element(leader.image->env, *arg.index) : std::string_view());
  }
  TextBuilder text(*context.scratch, 512);
  append_env(thread, text);
  return give(out, text.view());
}

template <bool Image::* member>
bool image_flag(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr) return false;
  const Image* image = context.thread->image.get();
  return give_bool(out, image != nullptr && image->*member);
}

// Zero means that nobody knows.
template <uint64_t Image::* member>
bool image_number(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr || !context.thread->image) return false;
  const uint64_t value = context.thread->image.get()->*member;
  return value != 0 && give_uint(out, value);
}

bool give_duration(const EvalContext& context, const Thread& thread, Values& out) {
  if (thread.clone_ts == 0 || context.event == nullptr) return false;
  const uint64_t now = context.event->timestamp;
  return give_uint(out, now > thread.clone_ts ? now - thread.clone_ts : 0);
}

const Thread* parent(const EvalContext& context) {
  if (context.thread == nullptr || context.state == nullptr) return nullptr;
  return context.state->ancestor(*context.thread, 1);
}

constexpr FieldInfo kFields[] = {
    {.name = "proc.exe",
     .scope = Scope::process,
     .summary = "First argument that the process was started with, usually its name as typed.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give(out, exe_of(*context.thread));
         }},
    {.name = "proc.exepath",
     .scope = Scope::process,
     .summary = "Full path of the program file.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give(out, exepath_of(*context.thread));
         }},
    {.name = "proc.name",
     .scope = Scope::process,
     .summary = "Name of the process: the first 15 bytes of its program file's name, as a rule.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give(out, context.thread->comm);
         }},
    {.name = "proc.args",
     .arg = ArgRule::optional,
     .scope = Scope::process,
     .summary = "Arguments, joined by blanks; proc.args[0] is the first one.",
     .extract = args},
    {.name = "proc.cmdline",
     .scope = Scope::process,
     .summary = "Name and arguments.",
     .extract = cmdline},
    {.name = "proc.exeline",
     .scope = Scope::process,
     .summary = "proc.exe and arguments.",
     .extract = exeline},
    {.name = "proc.cmdnargs",
     .type = Type::uint64,
     .scope = Scope::process,
     .summary = "How many arguments there are.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr) return false;
           uint64_t count = 0, bytes = 0;
           measure_args(args_of(*context.thread), count, bytes);
           return give_uint(out, count);
         }},
    {.name = "proc.cmdlenargs",
     .type = Type::uint64,
     .scope = Scope::process,
     .summary = "Bytes of all arguments together.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr) return false;
           uint64_t count = 0, bytes = 0;
           measure_args(args_of(*context.thread), count, bytes);
           return give_uint(out, bytes);
         }},
    {.name = "proc.env",
     .arg = ArgRule::optional,
     .scope = Scope::process,
     .summary = "Environment, joined by blanks; proc.env[HOME] is one variable's value.",
     .extract = env},
    {.name = "proc.cwd",
     .summary = "Working directory, ending in a slash.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give(out, working_directory(*context.thread));
         }},
    {.name = "proc.tty",
     .type = Type::uint32,
     .scope = Scope::process,
     .summary = "Device number of the controlling terminal, 0 when there is none.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give_uint(out, context.thread->tty);
         }},
    {.name = "proc.pid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Process id, as the host sees it.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give_int(out, context.thread->pid);
         }},
    {.name = "proc.vpid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Process id, as the process's own pid namespace sees it.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && context.thread->vpid >= 0 &&
                  give_int(out, context.thread->vpid);
         }},
    {.name = "proc.duration",
     .type = Type::reltime,
     .summary = "Nanoseconds since the process started.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give_duration(context, *context.thread, out);
         }},
    {.name = "proc.ppid.duration",
     .type = Type::reltime,
     .summary = "Nanoseconds since the parent process started.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           const Thread* thread = parent(context);
           return thread != nullptr && give_duration(context, *thread, out);
         }},
    {.name = "proc.pid.ts",
     .type = Type::reltime,
     .scope = Scope::process,
     .summary = "When the process started, in nanoseconds since the epoch.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && context.thread->clone_ts != 0 &&
                  give_uint(out, context.thread->clone_ts);
         }},
    {.name = "proc.ppid.ts",
     .type = Type::reltime,
     .scope = Scope::process,
     .summary = "When the parent process started, in nanoseconds since the epoch.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           const Thread* thread = parent(context);
           return thread != nullptr && thread->clone_ts != 0 && give_uint(out, thread->clone_ts);
         }},
    {.name = "proc.is_exe_writable",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the user who started the program file can write to it.",
     .extract = image_flag<&Image::exe_writable>},
    {.name = "proc.is_exe_upper_layer",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the program file is in the upper, writable layer of an overlayfs.",
     .extract = image_flag<&Image::exe_upper_layer>},
    {.name = "proc.is_exe_lower_layer",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the program file is in a lower layer of an overlayfs.",
     .extract = image_flag<&Image::exe_lower_layer>},
    {.name = "proc.is_exe_from_memfd",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True when the program was started from memory (memfd), not from a file.",
     .extract = image_flag<&Image::exe_from_memfd>},
    {.name = "proc.exe_ino",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Inode number of the program file.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr || !context.thread->image) return false;
           const uint64_t inode = context.thread->image->exe_ino;
           return inode != 0 && give_int(out, static_cast<int64_t>(inode));
         }},
    {.name = "proc.exe_ino.ctime",
     .type = Type::abstime,
     .scope = Scope::process,
     .summary = "When the inode of the program file last changed.",
     .extract = image_number<&Image::exe_ino_ctime>},
    {.name = "proc.exe_ino.mtime",
     .type = Type::abstime,
     .scope = Scope::process,
     .summary = "When the program file was last written.",
     .extract = image_number<&Image::exe_ino_mtime>},
    {.name = "proc.exe_ino.ctime_duration_proc_start",
     .type = Type::abstime,
     .scope = Scope::process,
     .summary = "Nanoseconds from the last change of the program file's inode to the start.",
     .extract = image_number<&Image::ctime_duration_clone_ts>},
    {.name = "proc.exe_ino.ctime_duration_pidns_start",
     .type = Type::abstime,
     .scope = Scope::process,
     .summary = "Nanoseconds from the start of the pid namespace (the container) to the last "
                "change of the program file's inode.",
     .extract = image_number<&Image::ctime_duration_pidns_start>},
    {.name = "proc.pidns_init_start_ts",
     .type = Type::uint64,
     .scope = Scope::process,
     .summary = "When the first process of the pid namespace (the container) started.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && context.thread->pidns_init_start_ts != 0 &&
                  give_uint(out, context.thread->pidns_init_start_ts);
         }},
};

}  // namespace

std::span<const FieldInfo> process_fields() {
  return kFields;
}

}  // namespace saker::fields
