// static.KEY: constants of the configuration, for telling clusters or teams apart in outputs.
#include <algorithm>
#include <vector>

#include "fields/catalog.h"
#include "fields/extract.h"

namespace saker::fields {

namespace {

using Entry = std::pair<std::string, std::string>;

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

const Entry* find(std::string_view key) {
  auto found = std::ranges::find(entries(), key, &Entry::first);
  return found != entries().end() ? &*found : nullptr;
}

bool value(const EvalContext&, const FieldArg& arg, Values& out) {
  const Entry* entry = find(arg.text);
  return entry != nullptr && give(out, entry->second);
}

Result<Type> bind_key(FieldArg& arg) {
  if (find(arg.text) != nullptr) return Type::text;
  return Error{.message = "static field '" + arg.text + "' is not configured",
               .hint = "set it under static_fields"};
}

constexpr FieldInfo kFields[] = {
    {.name = "static",
     .arg = ArgRule::required,
     .scope = Scope::process,
     .summary = "A constant from the configuration: static.cluster.",
     .extract = value,
     .bind = bind_key},
};

}  // namespace

void set_static_fields(std::vector<Entry> fields) {
  entries() = std::move(fields);
}

std::span<const FieldInfo> static_fields() {
  return kFields;
}

}  // namespace saker::fields
