// All field classes of Saker, for those who compile conditions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "filter/field.h"

namespace saker::fields {

// Built once; the same object for the whole program.
const filter::FieldCatalog& catalog();

// The constants behind static.KEY. To be called before conditions are compiled; replaces those of
// an earlier call, whose values must then not be in use any more.
void set_static_fields(std::vector<std::pair<std::string, std::string>> fields);

}  // namespace saker::fields
