// What several fields of kernel events ask of an event.
#pragma once

#include "fields/extract.h"

namespace saker::fields {

// The result of the call, which is its first parameter whatever type that has.
inline bool result_of(const EvalContext& context, int64_t& result) {
  if (context.event == nullptr) return false;
  const event::Event& event = *context.event;
  if (!event.info().return_value || event.param_count == 0) return false;
  const Bytes bytes = event.param(0);
  switch (bytes.size()) {
    case 0: return false;
    case 1: result = bytes[0]; return true;
    case 4: result = load<uint32_t>(bytes.data()); return true;
    default:
      if (bytes.size() < 8) return false;
      result = load<int64_t>(bytes.data());
      return true;
  }
}

}  // namespace saker::fields
