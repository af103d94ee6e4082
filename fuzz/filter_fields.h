// A few fields for the fuzz targets of conditions and output templates: each type and kind once.
#pragma once

#include <array>

#include "filter/field.h"

namespace saker::fuzz {

inline bool some_text(const filter::EvalContext&, const filter::FieldArg& arg,
                      filter::Values& out) {
  out.add(filter::Value::of_text(arg.present ? std::string_view(arg.text) : "/usr/bin/a\xff b"));
  return true;
}
inline bool some_list(const filter::EvalContext&, const filter::FieldArg&, filter::Values& out) {
  for (std::string_view text : {"-a", "b", "--", "file", "ipv4", ""})
    out.add(filter::Value::of_text(text));
  return true;
}
inline bool some_number(const filter::EvalContext&, const filter::FieldArg&, filter::Values& out) {
  out.add(filter::Value::of_int(-1));
  return true;
}
inline bool some_real(const filter::EvalContext&, const filter::FieldArg&, filter::Values& out) {
  out.add(filter::Value::of_real(0.5));
  return true;
}
inline bool some_ip(const filter::EvalContext&, const filter::FieldArg&, filter::Values& out) {
  static const filter::IpAddress address = *filter::parse_ip("10.0.0.1");
  out.add(filter::Value::of_ip(&address));
  return true;
}
inline bool no_value(const filter::EvalContext&, const filter::FieldArg&, filter::Values&) {
  return false;
}

inline const filter::FieldCatalog& catalog() {
  using filter::ArgRule;
  using filter::Many;
  using filter::Type;
  static const std::array<filter::FieldInfo, 14> kFields = {{
      {.name = "evt.type", .extract = some_text},
      {.name = "evt.num", .type = Type::uint64, .extract = some_number},
      {.name = "evt.arg", .arg = ArgRule::required, .extract = some_text},
      {.name = "evt.buffer", .type = Type::bytes, .extract = some_text},
      {.name = "evt.is_io", .type = Type::boolean, .extract = some_number},
      {.name = "proc.name", .scope = filter::Scope::process, .extract = some_text},
      {.name = "proc.pname", .extract = no_value},
      {.name = "proc.aname",
       .arg = ArgRule::optional,
       .many = Many::any,
       .flags = filter::kNoRhs | filter::kNoTransformer,
       .extract = some_list},
      {.name = "proc.pid",
       .type = Type::int64,
       .print = filter::Print::hex,
       .extract = some_number},
      {.name = "fd.name", .type = Type::path, .extract = some_text},
      {.name = "fd.types", .many = Many::list, .extract = some_list},
      {.name = "fd.ip", .type = Type::ip, .many = Many::either, .extract = some_ip},
      {.name = "fd.snet", .type = Type::net, .extract = some_ip},
      {.name = "thread.cpu", .type = Type::real, .extract = some_real},
  }};
  static const filter::FieldCatalog catalog({{"fuzz", "", "", kFields}});
  return catalog;
}

}  // namespace saker::fuzz
