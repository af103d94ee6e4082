// Any bytes as a stream of events: each is a u16 type, a u8 thread, a u8 number of parameters, and
// for each a u8 length and the data. Decoded and applied, then looked at the way fields do.
// parser: src/state/clone_events.cc src/state/credential_events.cc src/state/exec_events.cc
// parser: src/state/fd_events.cc src/state/file_events.cc src/state/socket_events.cc
// parser: src/state/meta_events.cc src/state/addresses.cc
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "event/event.h"
#include "state/state.h"

namespace {

using namespace saker;

size_t look_at(const state::State& state, const state::Applied& applied) {
  size_t seen = 0;
  const state::Thread* thread = applied.thread;
  if (applied.fd != nullptr) seen += applied.fd->name.size() + applied.fd->name_raw.size();
  if (thread == nullptr) return seen;
  if (thread->leader == nullptr || !thread->image) std::abort();
  for (unsigned n : {0u, 1u, 2u, 300u})
    if (const auto* ancestor = state.ancestor(*thread, n)) seen += ancestor->comm.size();
  for (const auto* leader : {state.session_leader(*thread), state.group_leader(*thread),
                             state.host_group_leader(*thread), state.parent_record(*thread)})
    if (leader != nullptr) seen += leader->image->exe.size();
  state.for_each_fd(*thread, [&](int64_t, const state::Fd& fd) { seen += fd.name.size(); });
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader reader({data, size});
  state::State state({.max_threads = 64, .max_fds_per_process = 64, .max_containers = 8});
  event::Encoder encoder;
  uint64_t now = 1'000'000'000;
  size_t seen = 0;
  while (reader.remaining() >= 4) {
    const auto type = static_cast<uint16_t>(reader.read<uint16_t>() % event::kEventCodeCount);
    const auto tid = static_cast<int64_t>(reader.read<uint8_t>() % 16);
    const size_t count = reader.read<uint8_t>() % (event::kMaxParams + 1);
    encoder.begin(now += 50'000'000, tid, type);
    for (size_t i = 0; i < count && reader.remaining() > 0; ++i)
      encoder.add(reader.take(std::min<size_t>(reader.read<uint8_t>(), reader.remaining())));
    auto event = event::Event::decode(encoder.finish(), 0);
    if (!event.ok()) std::abort();
    seen += look_at(state, state.apply(*event));
    state.finish(*event);
  }
  return seen == SIZE_MAX ? 1 : 0;
}
