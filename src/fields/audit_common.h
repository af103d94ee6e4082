// Values out of Kubernetes audit events, for the ka.* fields.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "event/audit_record.h"
#include "fields/extract.h"
#include "formats/json_text.h"

namespace saker::fields {

namespace json = formats::json_text;
using audit::AuditValue;

// A text as template argument.
template <size_t N>
struct Fixed {
  char text[N];
  constexpr Fixed(const char (&literal)[N]) { std::copy_n(literal, N, text); }
  [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

// The value at a pointer. Events without an id are not audit events: they have no values.
inline std::optional<json::Token> audit_find(const EvalContext& context, std::string_view pointer) {
  if (context.audit == nullptr || context.audit->value(AuditValue::audit_id).empty())
    return std::nullopt;
  return context.audit->find(pointer);
}

// The same for a pointer that is known when compiling: most of them have a name.
template <Fixed pointer>
std::optional<json::Token> audit_at(const EvalContext& context) {
  constexpr std::optional<AuditValue> kNamed = audit::audit_value_at(pointer.view());
  if constexpr (kNamed) {
    if (context.audit == nullptr || context.audit->value(AuditValue::audit_id).empty())
      return std::nullopt;
    const json::Token found = context.audit->value(*kNamed);
    return found.empty() ? std::nullopt : std::optional(found);
  } else {
    return audit_find(context, pointer.view());
  }
}

// What a class of requests has in common is judged once for all of them.
template <Fixed pointer>
constexpr Scope audit_scope() {
  return audit::is_class_value(pointer.view()) ? Scope::process : Scope::event;
}

inline bool give_json(const EvalContext& context, Values& out, json::Token token) {
  return give(out, json::to_text(token, *context.scratch));
}

template <Fixed pointer>
bool audit_value(const EvalContext& context, const FieldArg&, Values& out) {
  const auto found = audit_at<pointer>(context);
  return found && give_json(context, out, *found);
}

// All elements of the array at a pointer, or the one that the argument picks.
template <Fixed pointer>
bool audit_list(const EvalContext& context, const FieldArg& arg, Values& out) {
  const auto found = audit_at<pointer>(context);
  if (!found) return false;
  size_t index = 0;
  const bool whole = json::for_each_element(*found, [&](json::Token element) {
    if (!arg.index || *arg.index == index) give_json(context, out, element);
    ++index;
    return true;
  });
  return whole && !out.empty();
}

// The argument of a list field is the number of one element.
inline Result<Type> bind_index(FieldArg& arg) {
  if (arg.present && !arg.index)
    return Error{.message = "'" + arg.text + "' is not the number of an element"};
  return Type::text;
}

// Rows of the two usual shapes.
template <Fixed pointer>
constexpr FieldInfo value_row(std::string_view name, std::string_view summary) {
  return {.name = name,
          .scope = audit_scope<pointer>(),
          .summary = summary,
          .extract = audit_value<pointer>};
}

constexpr FieldInfo list_row(std::string_view name, std::string_view summary,
                             filter::Extract extract) {
  return {.name = name,
          .arg = ArgRule::optional,
          .many = Many::list,
          .summary = summary,
          .extract = extract,
          .bind = bind_index};
}

}  // namespace saker::fields
