// Fields of the group that the thread runs as.
#include "fields/extract.h"
#include "fields/users.h"

namespace saker::fields {

namespace {

bool group_name(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.thread == nullptr) return false;
  const uint32_t gid = context.thread->gid;
  if (context.state != nullptr && gid != 0xffffffff) {
    if (const std::string* name = context.state->group(container_of(*context.thread), gid))
      return give(out, *name);
  }
  return give(out, gid == 0 ? "root" : kUnknown);
}

constexpr FieldInfo kFields[] = {
    {.name = "group.gid",
     .type = Type::uint32,
     .scope = Scope::process,
     .summary = "Group id.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give_uint(out, context.thread->gid);
         }},
    {.name = "group.name",
     .scope = Scope::process,
     .summary = "Group name; <NA> when it is not known.",
     .extract = group_name},
};

}  // namespace

std::span<const FieldInfo> group_fields() {
  return kFields;
}

}  // namespace saker::fields
