// What a process uses: memory, fds, threads; and its standard input and outputs.
#include "fields/extract.h"
#include "fields/fd_kinds.h"

namespace saker::fields {

namespace {

using state::Fd;
using state::Thread;

template <uint32_t Thread::* member>
bool process_memory(const EvalContext& context, const FieldArg&, Values& out) {
  return context.thread != nullptr && give_uint(out, context.thread->leader->*member);
}

uint64_t open_fds(const EvalContext& context) {
  if (context.thread->placeholder || context.state == nullptr) return 0;
  return context.state->open_fds(*context.thread);
}

// Threads of the process that are not its main thread.
uint64_t other_threads(const Thread& leader) {
  const uint64_t live = leader.live_threads;
  return live > 0 && !leader.dead ? live - 1 : live;
}

uint64_t live_threads(const Thread& thread) {
  return thread.placeholder ? 0 : thread.leader->live_threads;
}

template <int number>
bool stream_type(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr || context.state == nullptr) return false;
  const Fd* fd = context.state->fd(*context.thread, number);
  return fd != nullptr && give(out, type_word(fd->type));
}

template <int number>
bool stream_name(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr || context.state == nullptr) return false;
  const Fd* fd = context.state->fd(*context.thread, number);
  return fd != nullptr && give(out, fd->name);
}

constexpr FieldInfo kFields[] = {
    {.name = "proc.fdopencount",
     .type = Type::uint64,
     .summary = "How many fds the process has open.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give_uint(out, open_fds(context));
         }},
    {.name = "proc.fdlimit",
     .type = Type::int64,
     .summary = "How many fds the process may have open.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr &&
                  give_int(out, static_cast<int64_t>(context.thread->fdlimit));
         }},
    {.name = "proc.fdusage",
     .type = Type::real,
     .summary = "Open fds as a percentage of the limit.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr) return false;
           const uint64_t limit = context.thread->fdlimit;
           const auto open = static_cast<double>(open_fds(context));
           return give_real(out, limit == 0 ? 0 : open * 100 / static_cast<double>(limit));
         }},
    {.name = "proc.vmsize",
     .type = Type::uint64,
     .summary = "Virtual memory of the process in KiB.",
     .extract = process_memory<&Thread::vmsize_kb>},
    {.name = "proc.vmrss",
     .type = Type::uint64,
     .summary = "Resident memory of the process in KiB.",
     .extract = process_memory<&Thread::vmrss_kb>},
    {.name = "proc.vmswap",
     .type = Type::uint64,
     .summary = "Swapped memory of the process in KiB.",
     .extract = process_memory<&Thread::vmswap_kb>},
    {.name = "proc.nthreads",
     .type = Type::uint64,
     .summary = "How many threads of the process are alive.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give_uint(out, live_threads(*context.thread));
         }},
    {.name = "proc.nchilds",
     .type = Type::uint64,
     .summary = "How many threads besides the main one are alive.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr) return false;
           const bool known = !context.thread->placeholder;
           return give_uint(out, known ? other_threads(*context.thread->leader) : 0);
         }},
    {.name = "proc.stdin.type",
     .summary = "Kind of fd that standard input is.",
     .extract = stream_type<0>},
    {.name = "proc.stdout.type",
     .summary = "Kind of fd that standard output is.",
     .extract = stream_type<1>},
    {.name = "proc.stderr.type",
     .summary = "Kind of fd that standard error is.",
     .extract = stream_type<2>},
    {.name = "proc.stdin.name", .summary = "fd.name of standard input.", .extract = stream_name<0>},
    {.name = "proc.stdout.name",
     .summary = "fd.name of standard output.",
     .extract = stream_name<1>},
    {.name = "proc.stderr.name",
     .summary = "fd.name of standard error.",
     .extract = stream_name<2>},
};

}  // namespace

std::span<const FieldInfo> resource_fields() {
  return kFields;
}

}  // namespace saker::fields
