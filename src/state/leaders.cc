// Ancestors of a process, and the leaders of its session and process group.
#include "state/impl.h"

namespace saker::state {

namespace {
constexpr int kMaxAncestors = 256;  // pids of a capture may form cycles
}

const Thread* State::parent_record(const Thread& thread) const {
  return impl_->threads.find(thread.ptid);
}

const Thread* State::ancestor(const Thread& thread, unsigned n) const {
  const Thread* at = thread.leader;
  for (unsigned i = 0; i < n && at != nullptr; ++i) {
    if (i > kMaxAncestors) return nullptr;
    at = impl_->parent_process(*at);
  }
  return at;
}

namespace {

// The highest of the consecutive ancestors that share `id`. Null when the parent does not.
const Thread* highest_sharing(const World& world, const Thread& thread, int64_t Thread::* id) {
  const Thread* leader = nullptr;
  const Thread* at = thread.leader;
  for (int i = 0; i < kMaxAncestors; ++i) {
    at = world.parent_process(*at);
    if (at == nullptr || at->*id != thread.*id) break;
    leader = at;
  }
  return leader;
}

// Outside a pid namespace the number names the leader. Inside it is one of the namespace's, and a
// leader may be gone: then the chain of parents is what is left.
const Thread* leader_of(const World& world, const Thread& thread, int64_t Thread::* id) {
  if (thread.*id < 0) return nullptr;
  if (thread.tid == thread.vtid)
    if (const Thread* leader = world.threads.find(thread.*id)) return leader;
  return highest_sharing(world, thread, id);
}

}  // namespace

const Thread* State::session_leader(const Thread& thread) const {
  return leader_of(*impl_, thread, &Thread::sid);
}

const Thread* State::group_leader(const Thread& thread) const {
  return leader_of(*impl_, thread, &Thread::vpgid);
}

const Thread* State::host_group_leader(const Thread& thread) const {
  return impl_->threads.find(thread.pgid);
}

}  // namespace saker::state
