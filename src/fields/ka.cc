#include "fields/extract.h"
namespace saker::fields {
std::span<const FieldInfo> audit_fields() {
  return {};
}
std::span<const FieldInfo> json_fields() {
  return {};
}
}  // namespace saker::fields
