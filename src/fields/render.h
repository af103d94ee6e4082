// How parameters of events look as text: evt.arg.*, evt.args.
#pragma once

#include <string_view>

#include "event/schema.h"
#include "filter/field.h"

namespace saker::fields {

// "-2" and "ENOENT"; `resolved` is empty when there is nothing better to show than `raw`. Views of
// the event, of static tables, of the state or of the arena.
struct RenderedParam {
  std::string_view raw;
  std::string_view resolved;

  // What conditions and outputs see.
  [[nodiscard]] std::string_view text() const { return resolved.empty() ? raw : resolved; }
};

// Parameter `index` of the context's event; it must be below the schema's count of parameters.
RenderedParam render_param(const filter::EvalContext& context, size_t index);

// "name=raw(resolved) name=raw ...": all parameters.
std::string_view render_params(const filter::EvalContext& context);

// Printable ASCII as it is, everything else as a dot.
std::string_view render_bytes(const filter::EvalContext& context, Bytes bytes);

// The names of the bits that are set, joined by "|"; empty when none has a name.
std::string_view render_flags(const filter::EvalContext& context, event::FlagTable table,
                              uint64_t value);

}  // namespace saker::fields
