// Fields that events of every source have: number, time, source.
#include <ctime>

#include "base/text_builder.h"
#include "event/audit_record.h"
#include "fields/extract.h"

namespace saker::fields {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// strftime of the event's time, in local time or UTC, with the ns behind it when `ns` is set.
bool give_time(const EvalContext& context, Values& out, const char* format, bool utc, bool ns,
               std::string_view suffix = {}) {
  if (context.event == nullptr) return false;
  const uint64_t timestamp = context.event->timestamp;
  const auto seconds = static_cast<time_t>(timestamp / kSecond);
  std::tm parts{};
  if (utc) {
    gmtime_r(&seconds, &parts);
  } else {
    localtime_r(&seconds, &parts);
  }
  char buffer[64];
  const size_t size = std::strftime(buffer, sizeof buffer, format, &parts);
  TextBuilder text(*context.scratch, 48);
  text << std::string_view(buffer, size);
  if (ns) (text << '.').padded(timestamp % kSecond, 9);
  text << suffix;
  return give(out, text.view());
}

// Since the first event that is no description of the system; all of the time when there was none.
bool since_start(const EvalContext& context, uint64_t& ns) {
  if (context.event == nullptr) return false;
  const uint64_t start = context.state != nullptr ? context.state->first_timestamp() : 0;
  ns = context.event->timestamp - start;
  return true;
}

bool is_meta(const event::Event& event) {
  return (event.info().kind & event::KindMeta) != 0 && event.source == event::Source::syscall;
}

bool async_name(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr || !is_meta(*context.event)) return false;
  const event::Event& event = *context.event;
  return give(out, event.type == event::ASYNCEVENT_E ? event.text(1) : event.info().name);
}

bool plugin_name(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr || context.event->source != event::Source::k8s_audit) return false;
  return give(out, "k8saudit");
}

constexpr FieldInfo kFields[] = {
    {.name = "evt.num",
     .type = Type::uint64,
     .summary = "Number of the event, counted from 1.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give_uint(out, context.event->number);
         }},
    {.name = "evt.time",
     .flags = filter::kTimeText,
     .summary = "Local time of day with nanoseconds.",
     .extract = +[](const EvalContext& context, const FieldArg&,
                    Values& out) { return give_time(context, out, "%H:%M:%S", false, true); }},
    {.name = "evt.time.s",
     .flags = filter::kTimeText,
     .summary = "Local time of day in whole seconds.",
     .extract = +[](const EvalContext& context, const FieldArg&,
                    Values& out) { return give_time(context, out, "%H:%M:%S", false, false); }},
    {.name = "evt.time.iso8601",
     .flags = filter::kTimeText,
     .summary = "Date and time in UTC as ISO 8601 with nanoseconds.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return give_time(context, out, "%Y-%m-%dT%H:%M:%S", true, true, "+0000");
         }},
    {.name = "evt.datetime",
     .flags = filter::kTimeText,
     .summary = "Local date and time with nanoseconds.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return give_time(context, out, "%Y-%m-%d %H:%M:%S", false, true);
         }},
    {.name = "evt.datetime.s",
     .flags = filter::kTimeText,
     .summary = "Local date and time in whole seconds.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return give_time(context, out, "%Y-%m-%d %H:%M:%S", false, false);
         }},
    {.name = "evt.outputtime",
     .flags = filter::kTimeText | filter::kPrintOnly,
     .summary = "Time as output lines begin with it.",
     .extract = +[](const EvalContext& context, const FieldArg&,
                    Values& out) { return give_time(context, out, "%H:%M:%S", false, true); }},
    {.name = "evt.rawtime",
     .type = Type::abstime,
     .summary = "Time as nanoseconds since the epoch.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give_uint(out, context.event->timestamp);
         }},
    {.name = "evt.rawtime.s",
     .type = Type::abstime,
     .summary = "Time as whole seconds since the epoch.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give_uint(out, context.event->timestamp / kSecond);
         }},
    {.name = "evt.rawtime.ns",
     .type = Type::abstime,
     .print = Print::padded9,
     .summary = "The fraction of a second of the time, in nanoseconds.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give_uint(out, context.event->timestamp % kSecond);
         }},
    {.name = "evt.reltime",
     .type = Type::reltime,
     .summary = "Nanoseconds since the first event.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           uint64_t ns = 0;
           return since_start(context, ns) && give_uint(out, ns);
         }},
    {.name = "evt.reltime.s",
     .type = Type::reltime,
     .summary = "Whole seconds since the first event.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           uint64_t ns = 0;
           return since_start(context, ns) && give_uint(out, ns / kSecond);
         }},
    {.name = "evt.reltime.ns",
     .type = Type::reltime,
     .summary = "The fraction of a second of evt.reltime, in nanoseconds.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           uint64_t ns = 0;
           return since_start(context, ns) && give_uint(out, ns % kSecond);
         }},
    {.name = "evt.pluginname",
     .summary = "Name of the source outside the kernel that the event comes from.",
     .extract = plugin_name},
    {.name = "evt.plugininfo",
     .summary = "The event of such a source as one text: its JSON.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.audit != nullptr && give(out, context.audit->text());
         }},
    {.name = "evt.source",
     .summary = "Source of the event: syscall, k8s_audit.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give(out, event::to_string(context.event->source));
         }},
    {.name = "evt.is_async",
     .type = Type::boolean,
     .summary = "True for records that describe the system and come from no thread's call.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.event != nullptr && give_bool(out, is_meta(*context.event));
         }},
    {.name = "evt.asynctype", .summary = "Name of such a record.", .extract = async_name},
    {.name = "evt.hostname",
     .summary = "Name of the host that the event happened on.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.state != nullptr && !context.state->hostname().empty() &&
                  give(out, context.state->hostname());
         }},
};

}  // namespace

std::span<const FieldInfo> general_fields() {
  return kFields;
}

}  // namespace saker::fields
