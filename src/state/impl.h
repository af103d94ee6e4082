// What State hides: the world and the table of handlers.
#pragma once

#include "state/state.h"
#include "state/world.h"

namespace saker::state {

struct State::Impl : World {
  Impl(Limits the_limits, event::SnapshotSink* sink) : World(the_limits, sink), table(steps()) {}
  const Step* table;
};

}  // namespace saker::state
