// Paths of events: parameters made absolute against the working directory or a directory fd.
#pragma once

#include <string_view>

#include "event/event.h"
#include "filter/field.h"

namespace saker::fields {

// Base of a path whose directory fd is not known.
inline constexpr std::string_view kUnknownBase = "<UNKNOWN>";

// The working directory of the process, ending in "/".
std::string_view working_directory(const state::Thread& thread);

// `path` made absolute and normal against `base`; in the arena, or `path` itself.
std::string_view absolute_path(const filter::EvalContext& context, std::string_view base,
                               std::string_view path);

// The directory that parameter `dirfd_param` names, ending in "/"; kUnknownBase when not known.
std::string_view directory_of(const filter::EvalContext& context, int dirfd_param);

// Parameter `index` (a path) made absolute: against the directory fd that the schema names for it,
// or else the working directory. Empty stays empty.
std::string_view absolute_param(const filter::EvalContext& context, size_t index);

// The path that an open-like event is about, made absolute; empty for other events.
std::string_view opened_path(const filter::EvalContext& context);

// The same as the caller passed it.
std::string_view opened_path_raw(const filter::EvalContext& context);

}  // namespace saker::fields
