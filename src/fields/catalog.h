// All field classes of Saker, for those who compile conditions.
#pragma once

#include "filter/field.h"

namespace saker::fields {

// Built once; the same object for the whole program.
const filter::FieldCatalog& catalog();

}  // namespace saker::fields
