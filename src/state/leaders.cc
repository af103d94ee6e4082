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

// The highest of the consecutive ancestors that share `id`; the process itself when its parent is
// elsewhere.
const Thread* highest_sharing(const World& world, const Thread& thread, int64_t Thread::* id) {
  const Thread* leader = thread.leader;
  for (int i = 0; i < kMaxAncestors; ++i) {
    const Thread* parent = world.parent_process(*leader);
    if (parent == nullptr || parent->*id != thread.*id) break;
    leader = parent;
  }
  return leader;
}

}  // namespace

const Thread* State::session_leader(const Thread& thread) const {
  if (thread.tid == thread.vtid) return impl_->threads.find(thread.sid);
  return highest_sharing(*impl_, thread, &Thread::sid);
}

const Thread* State::group_leader(const Thread& thread) const {
  if (thread.tid == thread.vtid) return impl_->threads.find(thread.vpgid);
  return highest_sharing(*impl_, thread, &Thread::vpgid);
}

const Thread* State::host_group_leader(const Thread& thread) const {
  return impl_->threads.find(thread.pgid);
}

}  // namespace saker::state
