// Fields of the user that the thread runs as.
#include "fields/extract.h"
#include "fields/users.h"

namespace saker::fields {

namespace {

constexpr uint32_t kNobody = 0xffffffff;

const state::User* user_of(const EvalContext& context, uint32_t uid) {
  if (context.state == nullptr || uid == kNobody) return nullptr;
  return context.state->user(container_of(*context.thread), uid);
}

std::string_view user_name(const EvalContext& context, uint32_t uid) {
  if (const state::User* user = user_of(context, uid)) return user->name;
  return uid == 0 ? "root" : kUnknown;
}

constexpr FieldInfo kFields[] = {
    {.name = "user.uid",
     .type = Type::uint32,
     .scope = Scope::process,
     .summary = "User id.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give_uint(out, context.thread->uid);
         }},
    {.name = "user.name",
     .scope = Scope::process,
     .summary = "User name; <NA> when it is not known.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr && give(out, user_name(context, context.thread->uid));
         }},
    {.name = "user.homedir",
     .scope = Scope::process,
     .summary = "Home directory of the user; <NA> when it is not known.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr) return false;
           const uint32_t uid = context.thread->uid;
           if (const state::User* user = user_of(context, uid)) return give(out, user->home);
           return give(out, uid == 0 ? "/root" : kUnknown);
         }},
    {.name = "user.shell",
     .scope = Scope::process,
     .summary = "Login shell of the user; <NA> when it is not known.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr) return false;
           const state::User* user = user_of(context, context.thread->uid);
           return give(out, user != nullptr ? std::string_view(user->shell) : kUnknown);
         }},
    {.name = "user.loginuid",
     .type = Type::int64,
     .scope = Scope::process,
     .summary = "User id that logged in, whoever the user became since; -1 when nobody did.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (context.thread == nullptr) return false;
           const uint32_t uid = context.thread->loginuid;
           return give_int(out, uid == kNobody ? -1 : int64_t{uid});
         }},
    {.name = "user.loginname",
     .scope = Scope::process,
     .summary = "Name of the user that logged in; <NA> when nobody did or it is not known.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return context.thread != nullptr &&
                  give(out, user_name(context, context.thread->loginuid));
         }},
};

}  // namespace

std::span<const FieldInfo> user_fields() {
  return kFields;
}

}  // namespace saker::fields
