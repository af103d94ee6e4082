// Parsing the constants of a check for the type of its left side.
#pragma once

#include <span>
#include <string_view>

#include "filter/compile.h"

namespace saker::filter {

// Fills `out` from `text`. Host names are not looked up yet: see resolve_host_names().
Status parse_constant(std::string_view text, const Operand& left, Op op, Constant& out);

// Looks up the constants of a host name check, side by side and for at most two seconds in all.
// What is not found keeps no addresses.
void resolve_host_names(std::span<Constant> constants);

// Whether an event can have this name: one of the event table or a system call.
bool is_event_name(std::string_view name);

// The event name nearest to a misspelt one, as a hint; empty when none is near.
std::string event_name_hint(std::string_view name);

}  // namespace saker::filter
