// Parsing the constants of a check for the type of its left side.
#pragma once

#include <string_view>

#include "filter/compile.h"

namespace saker::filter {

// Adds `text` to the constants of a check whose left side and operator are set.
Status add_constant(std::string_view text, Check& check);

// Whether an event can have this name: one of the event table or a system call.
bool is_event_name(std::string_view name);

// The event name nearest to a misspelt one, as a hint; empty when none is near.
std::string event_name_hint(std::string_view name);

}  // namespace saker::filter
