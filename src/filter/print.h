// Single values as text.
#pragma once

#include <string>
#include <string_view>

#include "filter/compile.h"

namespace saker::filter {

// Appends one value as people read it.
void append_value_text(const Operand& operand, const Value& value, std::string& out);

// The same as a text that lives as long as the value and the arena.
std::string_view to_scratch_text(const Operand& operand, const Value& value, Arena& scratch);

}  // namespace saker::filter
