// Fields of the thread that made the event.
#include "fields/process.h"

namespace saker::fields {

namespace {

using state::Thread;

template <uint64_t Thread::* member>
bool capabilities(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr) return false;
  const uint64_t set = context.thread->*member;
  if (set == 0) return give(out, "");
  TextBuilder text(*context.scratch, 256);
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((set >> bit & 1) == 0) continue;
    const std::string_view name = event::capability_name(bit);
    if (name.empty()) continue;
    if (!text.empty()) text << ' ';
    text << name;
  }
  return give(out, text.view());
}

template <uint64_t Thread::* member>
bool counter(const EvalContext& context, const FieldArg&, Values& out) {
  return context.thread != nullptr && give_uint(out, context.thread->*member);
}

// Memory belongs to the process, so only the main thread has any.
template <uint32_t Thread::* member, uint64_t unit>
bool own_memory(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr) return false;
  const uint64_t size = context.thread->is_main() ? context.thread->*member : 0;
  return give_uint(out, size * unit);
}

bool cgroups(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr || !context.thread->cgroups) return false;
  const std::string& list = context.thread->cgroups->text;
  if (list.empty()) return false;
  TextBuilder text(*context.scratch, list.size());
  append_joined(list, text);
  return give(out, text.view());
}

bool cgroup(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (context.thread == nullptr || !context.thread->cgroups) return false;
  std::string_view rest = context.thread->cgroups->text;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry.size() > arg.text.size() && entry.starts_with(arg.text) &&
        entry[arg.text.size()] == '=')
      return give(out, entry.substr(arg.text.size() + 1));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
  }
  return false;
}

constexpr uint16_t kCpuTime = filter::kNotComputed;

constexpr FieldInfo kFields[] = {
    {.name = "thread.cap_permitted",
     .scope = Scope::process,
     .summary = "Capabilities that the thread may use, joined by blanks.",
     .extract = capabilities<&Thread::cap_permitted>},
    {.name = "thread.cap_inheritable",
     .scope = Scope::process,
     .summary = "Capabilities that the thread passes on, joined by blanks.",
     .extract = capabilities<&Thread::cap_inheritable>},
    {.name = "thread.cap_effective",
     .scope = Scope::process,
     .summary = "Capabilities that the thread has in effect, joined by blanks.",
     .extract = capabilities<&Thread::cap_effective>},
    {.name = "thread.pfmajor",
     .type = Type::uint64,
     .summary = "Page faults that had to read from disk.",
     .extract = counter<&Thread::pfmajor>},
    {.name = "thread.pfminor",
     .type = Type::uint64,
     .summary = "Page faults that were served from memory.",
     .extract = counter<&Thread::pfminor>},
    {.name = "thread.tid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Thread id, as the host sees it.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.event != nullptr)
             return context.event->tid >= 0 && give_int(out, context.event->tid);
           return context.thread != nullptr && give_int(out, context.thread->tid);
         }},
    {.name = "thread.ismain",
     .type = Type::boolean,
     .scope = Scope::process,
     .summary = "True for the main thread of its process.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give_bool(out, context.thread->is_main());
         }},
    {.name = "thread.vtid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "Thread id, as the thread's own pid namespace sees it.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && context.thread->vtid >= 0 &&
                  give_int(out, context.thread->vtid);
         }},
    {.name = "thread.nametid",
     .scope = Scope::process,
     .flags = filter::kTableOnly,
     .summary = "Name and thread id in one word.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr) return false;
           TextBuilder text(*context.scratch, 40);
           text << context.thread->comm;
           return give(out, text.decimal(context.thread->tid).view());
         }},
    {.name = "thread.exectime",
     .type = Type::reltime,
     .flags = kCpuTime,
     .summary = "CPU time of the last turn.",
     .extract = never},
    {.name = "thread.totexectime",
     .type = Type::reltime,
     .flags = kCpuTime,
     .summary = "CPU time since capture began.",
     .extract = never},
    {.name = "thread.cgroups",
     .scope = Scope::process,
     .summary = "All cgroups: controller=path, joined by blanks.",
     .extract = cgroups},
    {.name = "thread.cgroup",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "Path of the cgroup of one controller.",
     .extract = cgroup},
    {.name = "thread.cpu",
     .type = Type::real,
     .flags = kCpuTime,
     .summary = "CPU use of the thread in percent.",
     .extract = never},
    {.name = "thread.cpu.user",
     .type = Type::real,
     .flags = kCpuTime,
     .summary = "CPU use in user mode in percent.",
     .extract = never},
    {.name = "thread.cpu.system",
     .type = Type::real,
     .flags = kCpuTime,
     .summary = "CPU use in the kernel in percent.",
     .extract = never},
    {.name = "thread.vmsize",
     .type = Type::uint64,
     .summary = "Virtual memory in KiB; 0 unless it is the main thread.",
     .extract = own_memory<&Thread::vmsize_kb, 1>},
    {.name = "thread.vmrss",
     .type = Type::uint64,
     .summary = "Resident memory in KiB; 0 unless it is the main thread.",
     .extract = own_memory<&Thread::vmrss_kb, 1>},
    {.name = "thread.vmsize.b",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "thread.vmsize in bytes.",
     .extract = own_memory<&Thread::vmsize_kb, 1024>},
    {.name = "thread.vmrss.b",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "thread.vmrss in bytes.",
     .extract = own_memory<&Thread::vmrss_kb, 1024>},
};

}  // namespace

std::span<const FieldInfo> thread_fields() {
  return kFields;
}

}  // namespace saker::fields
