// Fields of events that are JSON: any value by its pointer, and the whole event.
#include "base/text_builder.h"
#include "event/audit_record.h"
#include "fields/extract.h"
#include "formats/json_text.h"

namespace saker::fields {

namespace json = formats::json_text;

namespace {

bool value_at(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (context.audit == nullptr) return false;
  std::string_view pointer = arg.text;
  if (pointer.starts_with('/')) {
    const auto found = context.audit->find(pointer);
    return found && give(out, json::to_text(*found, *context.scratch));
  }
  // Without the first slash, which records insist on.
  TextBuilder absolute(*context.scratch, pointer.size() + 1);
  if (!pointer.empty()) absolute << '/' << pointer;
  const auto found = context.audit->find(absolute.view());
  return found && give(out, json::to_text(*found, *context.scratch));
}

bool whole(const EvalContext& context, const FieldArg&, Values& out) {
  return context.audit != nullptr &&
         give(out, json::to_pretty_text(context.audit->text(), *context.scratch));
}

bool raw_time(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.audit == nullptr || context.event == nullptr) return false;
  TextBuilder text(*context.scratch, 24);
  return give(out, text.decimal(context.event->timestamp).view());
}

constexpr FieldInfo kFields[] = {
    {.name = "json.value",
     .arg = ArgRule::required,
     .summary = "The value at a JSON pointer: json.value[/user/username].",
     .extract = value_at},
    {.name = "json.obj", .summary = "The whole event as indented JSON.", .extract = whole},
    {.name = "json.rawtime",
     .summary = "Time of the event in nanoseconds since the epoch, as text.",
     .extract = raw_time},
    {.name = "jevt.value",
     .arg = ArgRule::required,
     .summary = "The same as json.value.",
     .extract = value_at},
    {.name = "jevt.obj", .summary = "The same as json.obj.", .extract = whole},
    {.name = "jevt.rawtime", .summary = "The same as json.rawtime.", .extract = raw_time},
};

}  // namespace

std::span<const FieldInfo> json_fields() {
  return kFields;
}

}  // namespace saker::fields
