// What the field tables of this room share: short names for the types of the language, and helpers
// that hand out one value. Not for other rooms.
#pragma once

#include <cstdint>
#include <new>
#include <span>
#include <string_view>

#include "filter/field.h"
#include "state/state.h"

namespace saker::fields {

using filter::ArgRule;
using filter::EvalContext;
using filter::FieldArg;
using filter::FieldInfo;
using filter::Many;
using filter::Print;
using filter::Scope;
using filter::Type;
using filter::Value;
using filter::Values;

// What the reference shows for a name that nobody knows. A value, not a missing one.
inline constexpr std::string_view kUnknown = "<NA>";

inline bool give(Values& out, std::string_view text) {
  out.add(Value::of_text(text));
  return true;
}
inline bool give_bool(Values& out, bool value) {
  out.add(Value::of_bool(value));
  return true;
}
inline bool give_int(Values& out, int64_t value) {
  out.add(Value::of_int(value));
  return true;
}
inline bool give_uint(Values& out, uint64_t value) {
  out.add(Value::of_uint(value));
  return true;
}
inline bool give_real(Values& out, double value) {
  out.add(Value::of_real(value));
  return true;
}
inline bool give_ip(const EvalContext& context, Values& out, const std::array<uint8_t, 16>& bytes,
                    bool v6) {
  auto* ip = new (context.scratch->allocate(sizeof(filter::IpAddress))) filter::IpAddress;
  const size_t size = v6 ? 16 : 4;
  std::copy_n(bytes.begin(), size, ip->bytes.begin());
  ip->v6 = v6;
  out.add(Value::of_ip(ip));
  return true;
}

// For deprecated fields and those of other products: known by name, never a value.
inline bool never(const EvalContext&, const FieldArg&, Values&) {
  return false;
}

// The tables, one a file of this room.
std::span<const FieldInfo> general_fields();
std::span<const FieldInfo> event_fields();
std::span<const FieldInfo> io_fields();
std::span<const FieldInfo> argument_fields();
std::span<const FieldInfo> process_fields();
std::span<const FieldInfo> ancestor_fields();
std::span<const FieldInfo> leader_fields();
std::span<const FieldInfo> resource_fields();
std::span<const FieldInfo> thread_fields();
std::span<const FieldInfo> user_fields();
std::span<const FieldInfo> group_fields();
std::span<const FieldInfo> fd_fields();
std::span<const FieldInfo> socket_fields();
std::span<const FieldInfo> fdlist_fields();
std::span<const FieldInfo> fspath_fields();
std::span<const FieldInfo> container_fields();
std::span<const FieldInfo> k8s_fields();
std::span<const FieldInfo> k8smeta_fields();
std::span<const FieldInfo> static_fields();
std::span<const FieldInfo> audit_fields();
std::span<const FieldInfo> audit_request_fields();
std::span<const FieldInfo> audit_pod_fields();
std::span<const FieldInfo> audit_container_fields();
std::span<const FieldInfo> audit_init_container_fields();
std::span<const FieldInfo> audit_ephemeral_container_fields();
std::span<const FieldInfo> json_fields();

}  // namespace saker::fields
