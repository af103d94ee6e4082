// Fields of kernel events: type, category, result, data.
#include "base/text_builder.h"
#include "fields/event_common.h"
#include "fields/extract.h"

namespace saker::fields {

using event::Category;
using event::Event;
using event::FdType;

namespace {

bool is_generic(const Event& event) {
  return event.type == event::GENERIC_X || event.type == event::GENERIC_E;
}

bool is_syscall(const Event& event) {
  return event.source == event::Source::syscall && (event.info().kind & event::KindSyscall) != 0;
}

bool is_exit(const Event& event) {
  return is_syscall(event) && !event.info().is_enter;
}

// The call's portable code, or else its number.
std::string_view generic_name(const Event& event) {
  const auto code = event.get<uint16_t>(0);
  std::string_view name = event::syscall_name_of_portable_code(code);
  if (code == 0 || name.empty()) name = event::syscall_name_of_number(event.get<uint16_t>(1));
  return name.empty() ? "unknown" : name;
}

std::string_view type_name(const EvalContext& context) {
  const Event& event = *context.event;
  if (is_generic(event)) return generic_name(event);
  if (event.type == event::ASYNCEVENT_E) return event.text(1);
  return event.info().name;
}

// Categories of events that read, write or otherwise use an fd go by the kind of the fd.
std::string_view category_of_fd(const state::Fd* fd) {
  if (fd == nullptr) return "unknown";
  switch (fd->type) {
    case FdType::file:
    case FdType::file_v2:
    case FdType::directory: return "file";
    case FdType::ipv4_socket:
    case FdType::ipv6_socket:
    case FdType::ipv4_server:
    case FdType::ipv6_server: return "net";
    case FdType::fifo:
    case FdType::unix_socket:
    case FdType::eventfd:
    case FdType::signalfd:
    case FdType::inotify:
    case FdType::userfaultfd: return "ipc";
    default: return "unknown";
  }
}

std::string_view category(const EvalContext& context) {
  const event::EventInfo& info = context.event->info();
  switch (info.category) {
    case Category::Other: return "other";
    case Category::File: return "file";
    case Category::Net: return "net";
    case Category::Ipc: return "IPC";
    case Category::Memory: return "memory";
    case Category::Process: return "process";
    case Category::Sleep: return "sleep";
    case Category::System: return "system";
    case Category::Signal: return "signal";
    case Category::User: return "user";
    case Category::Time: return "time";
    case Category::IoRead:
    case Category::IoWrite:
    case Category::IoOther: return category_of_fd(context.fd);
    case Category::Unknown: break;
  }
  if ((info.kind & event::KindScheduler) != 0) return "scheduler";
  if ((info.kind & event::KindProcessing) != 0) return "processing";
  if ((info.kind & event::KindWait) != 0) return "wait";
  if ((info.kind & event::KindInternal) != 0) return "internal";
  return "unknown";
}

bool result_text(const EvalContext& context, const FieldArg&, Values& out) {
  int64_t result = 0;
  if (!result_of(context, result)) return false;
  if (result >= 0) return give(out, "SUCCESS");
  const std::string_view name =
      result >= -4095 ? event::errno_name(static_cast<int>(-result)) : std::string_view();
  if (!name.empty()) return give(out, name);
  TextBuilder text(*context.scratch, 24);
  return give(out, text.decimal(result).view());
}

bool is_process_info(const EvalContext& context) {
  return context.event->type == event::PROCINFO_E;
}

// Since the event before this one.
template <uint64_t divisor, uint64_t modulus>
bool delta(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr || context.state == nullptr) return false;
  const uint64_t before = context.state->previous_timestamp();
  const uint64_t now = context.event->timestamp;
  const uint64_t ns = before == 0 || before > now ? 0 : now - before;
  return give_uint(out, ns / divisor % modulus);
}

bool zero(const EvalContext& context, const FieldArg&, Values& out) {
  return context.event != nullptr && give_uint(out, 0);
}

Result<Type> bind_type_name(FieldArg& arg) {
  if (event::codes_of_name(arg.text).empty())
    return Error{.message = "unknown event type " + arg.text};
  return Type::uint32;
}

constexpr uint64_t kNoModulus = ~uint64_t{0};
constexpr uint64_t kSecond = 1'000'000'000;

constexpr FieldInfo kFields[] = {
    {.name = "evt.latency",
     .type = Type::reltime,
     .summary = "Always 0: events are one record, not enter and exit.",
     .extract = zero},
    {.name = "evt.latency.s",
     .type = Type::reltime,
     .summary = "Always 0, as evt.latency.",
     .extract = zero},
    {.name = "evt.latency.ns",
     .type = Type::reltime,
     .summary = "Always 0, as evt.latency.",
     .extract = zero},
    {.name = "evt.latency.quantized",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Always 0, as evt.latency.",
     .extract = zero},
    {.name = "evt.latency.human",
     .summary = "Always 0ns, as evt.latency.",
     .extract = +[](const EvalContext& context, const FieldArg&,
                    Values& out) { return context.event != nullptr && give(out, "0ns"); }},
    {.name = "evt.wait_latency",
     .type = Type::reltime,
     .summary = "Always 0, as evt.latency.",
     .extract = zero},
    {.name = "evt.deltatime",
     .type = Type::reltime,
     .summary = "Nanoseconds since the event before.",
     .extract = delta<1, kNoModulus>},
    {.name = "evt.deltatime.s",
     .type = Type::reltime,
     .summary = "Whole seconds since the event before.",
     .extract = delta<kSecond, kNoModulus>},
    {.name = "evt.deltatime.ns",
     .type = Type::reltime,
     .summary = "The fraction of a second of evt.deltatime, in nanoseconds.",
     .extract = delta<1, kSecond>},
    {.name = "evt.dir",
     .summary = "< for the end of a call, > for events that have no end.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give(out, context.event->info().is_enter ? ">" : "<");
         }},
    {.name = "evt.type",
     .summary = "Name of the event: the system call, or what else happened.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give(out, type_name(context));
         }},
    {.name = "evt.type.is",
     .type = Type::uint32,
     .arg = ArgRule::required,
     .summary = "1 when the event has the given name, else 0.",
     .extract =
         +[](const EvalContext& context, const FieldArg& arg, Values& out) {
           return context.event != nullptr &&
                  give_uint(out, type_name(context) == arg.text ? 1 : 0);
         },
     .bind = bind_type_name},
    {.name = "syscall.type",
     .summary = "Name of the system call; only system calls have one.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && is_syscall(*context.event) &&
                  give(out, type_name(context));
         }},
    {.name = "evt.category",
     .summary = "Kind of event: file, net, process ...; of reads and writes that of the fd.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give(out, category(context));
         }},
    {.name = "evt.cpu",
     .type = Type::int16,
     .summary = "Number of the CPU that the event happened on.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give_int(out, context.event->cpu);
         }},
    {.name = "evt.res",
     .summary = "SUCCESS, or the name of the error that the call returned.",
     .extract = result_text},
    {.name = "evt.rawres",
     .type = Type::int64,
     .summary = "What the call returned; errors are negative.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           int64_t result = 0;
           return result_of(context, result) && give_int(out, result);
         }},
    {.name = "evt.failed",
     .type = Type::boolean,
     .summary = "True when the call returned an error.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           int64_t result = 0;
           return result_of(context, result) && give_bool(out, result < 0);
         }},
    {.name = "evt.count",
     .type = Type::uint32,
     .summary = "Always 1.",
     .extract = +[](const EvalContext& context, const FieldArg&,
                    Values& out) { return context.event != nullptr && give_uint(out, 1); }},
    {.name = "evt.count.exit",
     .type = Type::uint32,
     .summary = "1 for the end of a system call.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && is_exit(*context.event) && give_uint(out, 1);
         }},
    {.name = "evt.count.procinfo",
     .type = Type::uint32,
     .flags = filter::kTableOnly,
     .summary = "1 for a record of a process's CPU use, else 0.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.event == nullptr) return false;
           const bool main = context.thread != nullptr && context.thread->is_main();
           return give_uint(out, is_process_info(context) && main ? 1 : 0);
         }},
    {.name = "evt.count.threadinfo",
     .type = Type::uint32,
     .flags = filter::kTableOnly,
     .summary = "1 for a record of a thread's CPU use, else 0.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give_uint(out, is_process_info(context) ? 1 : 0);
         }},
    {.name = "evt.around",
     .type = Type::uint64,
     .arg = ArgRule::required,
     .flags = filter::kFilterOnly | filter::kNoRhs | filter::kNoTransformer | filter::kDistance,
     .summary = "evt.around[TIME]=MS: the event is at most MS ms before or after TIME (ns).",
     .extract =
         +[](const EvalContext& context, const FieldArg& arg, Values& out) {
           if (context.event == nullptr || !arg.index) return false;
           constexpr uint64_t kNsPerMs = 1'000'000;
           const uint64_t time = context.event->timestamp;
           const uint64_t distance = time > *arg.index ? time - *arg.index : *arg.index - time;
           return give_uint(out, distance / kNsPerMs + (distance % kNsPerMs != 0 ? 1 : 0));
         },
     .bind = [](FieldArg& arg) -> Result<Type> {
       if (arg.index) return Type::uint64;
       return Error{.message = "the time of evt.around is a number of nanoseconds"};
     }},
    {.name = "evt.infra.docker.name",
     .flags = filter::kTableOnly,
     .summary = "Of records that are not made any more.",
     .extract = never},
    {.name = "evt.infra.docker.container.id",
     .flags = filter::kTableOnly,
     .summary = "Of records that are not made any more.",
     .extract = never},
    {.name = "evt.infra.docker.container.name",
     .flags = filter::kTableOnly,
     .summary = "Of records that are not made any more.",
     .extract = never},
    {.name = "evt.infra.docker.container.image",
     .flags = filter::kTableOnly,
     .summary = "Of records that are not made any more.",
     .extract = never},
    {.name = "util.cnt",
     .type = Type::uint64,
     .flags = filter::kNotComputed,
     .summary = "A counter of evaluations; use evt.num.",
     .extract = never},
};

}  // namespace

std::span<const FieldInfo> event_fields() {
  return kFields;
}

}  // namespace saker::fields
