// Putting a place into an error.
#pragma once

#include <utility>

#include "base/result.h"
#include "filter/ast.h"

namespace saker::filter {

inline Error located(Error error, const Place& place) {
  error.position.line = place.line;
  error.position.column = place.column;
  error.position.offset = place.offset;
  return error;
}

}  // namespace saker::filter
