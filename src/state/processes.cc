// Threads, their groups, parents and children: the operations that keep the links consistent.
#include <algorithm>

#include "state/world.h"

namespace saker::state {

namespace {

// Walks over ancestors and descendants end here: chains of pids in a capture may be cycles.
constexpr int kMaxAncestors = 60;
constexpr size_t kMaxDescendants = 256;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kPurgeInterval = 60 * kSecond;
constexpr uint64_t kIdleFor = 1800 * kSecond;

}  // namespace

bool RecentExits::contains(int64_t tid, uint64_t timestamp) const {
  return std::ranges::any_of(ring_, [&](const Exit& exit) {
    return exit.tid == tid && timestamp - exit.timestamp < 2 * kSecond;
  });
}

World::World(Limits the_limits, event::SnapshotSink* sink)
    : limits(the_limits),
      slots{.used = 0, .limit = the_limits.max_fd_slots},
      texts{.used = 0, .limit = the_limits.max_text_bytes},
      threads(the_limits.max_threads),
      users(the_limits.max_users),
      containers(the_limits.max_containers),
      self(sink) {}

World::~World() = default;

Thread* World::add_thread(int64_t tid) {
  Thread* thread = threads.add(tid);
  if (thread == nullptr) {
    ++stats.dropped_threads;
    return nullptr;
  }
  thread->seen_shift = shift_;
  auto waiting = orphans_.find(tid);
  if (waiting != orphans_.end()) {
    thread->children = std::move(waiting->second);
    orphans_.erase(waiting);
    for (int64_t child : thread->children)
      if (Thread* record = threads.find(child)) touch(*record, false);
  }
  return thread;
}

Thread* World::add_placeholder(int64_t tid) {
  Thread* thread = add_thread(tid);
  if (thread == nullptr) return nullptr;
  thread->comm = "<NA>";
  thread->cwd = "./";
  thread->placeholder = true;
  thread->live_threads = 0;
  thread->image = new_image();
  thread->image->exe = "<NA>";
  ++stats.placeholders;
  return thread;
}

void World::become_real(Thread& thread) {
  thread.placeholder = false;
  thread.cwd.clear();
  if (!thread.dead) ++thread.leader->live_threads;
}

Thread* World::thread_or_placeholder(int64_t tid, uint64_t timestamp) {
  if (Thread* known = threads.find(tid)) return known;
  if (tid < 0) return nullptr;
  if (threads.full()) purge(timestamp);
  if (lookup != nullptr && lookup->look_up_thread(tid, *self)) {
    settle_snapshot();
    if (Thread* found = threads.find(tid)) return found;
  }
  return add_placeholder(tid);
}

// Makes room in a full table: what was not heard of for half an hour goes. At most once a minute of
// event time, since it looks at every record.
void World::purge(uint64_t timestamp) {
  if (timestamp - purged_at_ < kPurgeInterval) return;
  purged_at_ = timestamp;
  std::vector<int64_t> idle;
  threads.for_each([&](const Thread& thread) {
    const bool old = timestamp > thread.last_access_ts + kIdleFor;
    if (old || (thread.placeholder && thread.children.empty() &&
                timestamp > thread.last_access_ts + kPurgeInterval))
      idle.push_back(thread.tid);
  });
  for (int64_t tid : idle)
    if (Thread* thread = threads.find(tid)) remove_thread(*thread);
}

void World::leave_group(Thread& thread) {
  thread.group_prev->group_next = thread.group_next;
  thread.group_next->group_prev = thread.group_prev;
  thread.group_next = thread.group_prev = &thread;
  if (!thread.dead && thread.leader != &thread && thread.leader->live_threads > 0)
    --thread.leader->live_threads;
  thread.leader = &thread;
}

void World::set_group(Thread& thread, int64_t pid) {
  thread.pid = pid;
  Thread* leader = &thread;
  if (pid != thread.tid && pid >= 0) {
    leader = threads.find(pid);
    if (leader == nullptr) {
      leader = add_placeholder(pid);
      if (leader != nullptr) leader->pid = pid;
    }
    // A main thread that is a member of another group is no main thread: a broken capture.
    if (leader == nullptr || leader->leader != leader) leader = &thread;
  }
  if (thread.leader == leader) return;
  if (thread.leader == &thread && thread.group_next != &thread) return;  // leads others itself
  leave_group(thread);
  thread.leader = leader;
  thread.group_next = leader->group_next;
  thread.group_prev = leader;
  leader->group_next->group_prev = &thread;
  leader->group_next = &thread;
  if (!thread.dead) ++leader->live_threads;
}

std::vector<int64_t>* World::siblings_of(int64_t ptid) {
  if (Thread* parent = threads.find(ptid)) return &parent->children;
  auto found = orphans_.find(ptid);
  return found == orphans_.end() ? nullptr : &found->second;
}

// Out of the parent's list: the last child takes the place.
void World::unlink_parent(Thread& thread) {
  if (thread.child_slot == Thread::kNoChildSlot) return;
  const uint32_t slot = thread.child_slot;
  thread.child_slot = Thread::kNoChildSlot;
  std::vector<int64_t>* siblings = siblings_of(thread.ptid);
  if (siblings == nullptr || slot >= siblings->size() || (*siblings)[slot] != thread.tid) return;
  const int64_t moved = siblings->back();
  (*siblings)[slot] = moved;
  siblings->pop_back();
  if (moved != thread.tid)
    if (Thread* other = threads.find(moved)) other->child_slot = slot;
  if (siblings->empty()) orphans_.erase(thread.ptid);
}

void World::set_parent(Thread& thread, int64_t ptid) {
  if (thread.ptid == ptid && thread.child_slot != Thread::kNoChildSlot) return;
  unlink_parent(thread);
  thread.ptid = ptid;
  if (ptid <= 0 || ptid == thread.tid) return;
  Thread* parent = threads.find(ptid);
  std::vector<int64_t>& siblings = parent != nullptr ? parent->children : orphans_[ptid];
  thread.child_slot = static_cast<uint32_t>(siblings.size());
  siblings.push_back(thread.tid);
}

Thread* World::parent_process(const Thread& thread) const {
  Thread* parent = threads.find(thread.leader->ptid);
  return parent == nullptr ? nullptr : parent->leader;
}

// Who gets the children: another thread of the group, else the nearest ancestor that asked for such
// children and is inside a pid namespace or outside like the thread.
Thread* World::find_reaper(Thread& thread) {
  for (Thread* other = thread.group_next; other != &thread; other = other->group_next)
    if (!other->dead && !other->placeholder) return other;
  const bool inside = thread.tid != thread.vtid;
  Thread* ancestor = &thread;
  for (int i = 0; i < kMaxAncestors; ++i) {
    ancestor = threads.find(ancestor->leader->ptid);
    if (ancestor == nullptr || ancestor == &thread) return nullptr;
    if ((ancestor->tid != ancestor->vtid) != inside) return nullptr;
    if (!ancestor->leader->is_subreaper) continue;
    Thread* other = ancestor->leader;
    do {
      if (!other->dead) return other;
      other = other->group_next;
    } while (other != ancestor->leader);
  }
  return nullptr;
}

void World::reparent_children(Thread& thread) {
  if (thread.children.empty()) return;
  Thread* reaper = thread.reaper_tid > 0 ? threads.find(thread.reaper_tid) : nullptr;
  if (reaper == nullptr || reaper == &thread || reaper->dead) reaper = find_reaper(thread);
  if (reaper != nullptr && reaper->leader != thread.leader) reaper->leader->is_subreaper = true;
  std::vector<int64_t> children = std::move(thread.children);
  thread.children.clear();
  for (int64_t tid : children) {
    Thread* child = threads.find(tid);
    if (child == nullptr) continue;
    child->child_slot = Thread::kNoChildSlot;
    set_parent(*child, reaper == nullptr ? 0 : reaper->tid);
  }
  if (children.size() > kMaxDescendants) {
    touch_all();
    return;
  }
  for (int64_t tid : children)
    if (Thread* child = threads.find(tid)) touch(*child, true);
}

void World::mark_dead(Thread& thread) {
  if (thread.dead) return;
  thread.dead = true;
  if (thread.leader->live_threads > 0) --thread.leader->live_threads;
}

void World::erase_record(Thread& thread) {
  // Others may still name it as leader of their session or group.
  if (thread.is_main() &&
      (thread.sid == thread.tid || thread.pgid == thread.tid || thread.vpgid == thread.tid))
    touch_all();
  unlink_parent(thread);
  leave_group(thread);
  threads.erase(thread);
}

void World::remove_thread(Thread& thread) {
  mark_dead(thread);
  reparent_children(thread);
  if (thread.leader == &thread) {
    if (thread.group_next != &thread) return;
    erase_record(thread);
    return;
  }
  Thread* leader = thread.leader;
  erase_record(thread);
  if (leader->dead && leader->group_next == leader) {
    reparent_children(*leader);
    erase_record(*leader);
  }
}

void World::remove_other_threads(Thread& thread) {
  Thread* leader = thread.leader;
  for (Thread* other = leader->group_next; other != leader;) {
    Thread* next = other->group_next;
    if (other != &thread) {
      other->reaper_tid = thread.tid;
      mark_dead(*other);
      reparent_children(*other);
      erase_record(*other);
    }
    other = next;
  }
}

void World::remove_process(Thread& thread) {
  if (thread.leader == &thread) remove_other_threads(thread);
  remove_thread(thread);
}

void World::touch(Thread& thread, bool descendants) {
  ++thread.rules.epoch;
  if (!descendants || (thread.children.empty() && thread.group_next == &thread)) return;
  walk_.assign(thread.children.begin(),
               thread.children.begin() + static_cast<std::ptrdiff_t>(std::min(
                                             thread.children.size(), kMaxDescendants + 1)));
  // Children of the other threads of a process see its main thread.
  if (thread.leader == &thread)
    for (Thread* other = thread.group_next; other != &thread; other = other->group_next) {
      if (walk_.size() > kMaxDescendants) break;
      walk_.push_back(other->tid);
    }
  for (size_t i = 0; i < walk_.size(); ++i) {
    if (walk_.size() > kMaxDescendants) {
      touch_all();
      return;
    }
    Thread* child = threads.find(walk_[i]);
    if (child == nullptr) continue;
    ++child->rules.epoch;
    for (int64_t grandchild : child->children) {
      walk_.push_back(grandchild);
      if (walk_.size() > kMaxDescendants) break;
    }
  }
}

}  // namespace saker::state
