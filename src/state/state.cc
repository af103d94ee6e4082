// The public face: apply() and finish(), and look-ups.
#include "state/state.h"

#include "state/impl.h"

namespace saker::state {

State::State(Limits limits) : impl_(std::make_unique<Impl>(limits, this)) {}
State::~State() = default;

void State::set_live_lookup(LiveLookup* lookup) {
  impl_->lookup = lookup;
}

void State::set_reference_quirks(bool on) {
  impl_->reference_quirks = on;
}

bool State::reference_quirks() const {
  return impl_->reference_quirks;
}

void State::set_container_request(std::function<void(const Cgroups&, const Thread&)> request) {
  impl_->container_request = std::move(request);
}

void State::set_container_forget(std::function<void(const Cgroups&)> forget) {
  impl_->container_forget = std::move(forget);
}

void State::forget_deserted_containers() {
  for (const Ref<Cgroups>& gone : impl_->cgroups.take_deserted()) impl_->forget_container(*gone);
}

namespace {

int64_t read_fd(const event::Event& event, size_t index) {
  const Bytes bytes = event.param(index);
  if (bytes.size() >= 8) [[likely]]
    return load<int64_t>(bytes.data());
  return bytes.size() == 4 ? load<int32_t>(bytes.data()) : -1;
}

}  // namespace

Applied State::apply(const event::Event& event) {
  Impl& world = *impl_;
  if (world.pending.kind != Pending::Kind::none) [[unlikely]]
    world.settle();
  if (world.snapshot_pending) [[unlikely]]
    world.settle_snapshot();
  // Kept in registers and stored last: reading back what was just stored in parts is slow.
  Applied found;
  if (event.type >= event::kEventCodeCount || event.source != event::Source::syscall) [[unlikely]] {
    world.applied = found;
    return found;
  }
  previous_timestamp_ = last_timestamp_;
  last_timestamp_ = event.timestamp;
  if (first_timestamp_ == 0 && (event.info().kind & event::KindMeta) == 0) [[unlikely]]
    first_timestamp_ = event.timestamp;
  const Step& step = world.table[event.type];
  if (step.who == Step::Who::nobody) [[unlikely]] {
    world.applied = found;
    if (step.handle_alone != nullptr) step.handle_alone(world, event);
    return world.applied;
  }
  Thread* thread = world.threads.find(event.tid);
  if (thread == nullptr && step.who == Step::Who::make) [[unlikely]]
    thread = world.thread_or_placeholder(event.tid, event.timestamp);
  found.thread = thread;
  if (thread != nullptr) [[likely]] {
    thread->last_access_ts = event.timestamp;
    if (step.fd_index >= 0) {
      found.fd_number = read_fd(event, static_cast<size_t>(step.fd_index));
      found.fd = world.fd_of(*thread, found.fd_number);
    }
    world.catch_up(*thread);
  }
  world.applied = found;
  if (step.handle != nullptr) {
    if (thread == nullptr) return found;
    step.handle(world, event, *thread);
  } else if (step.handle_alone != nullptr) {
    step.handle_alone(world, event);
  } else {
    return found;
  }
  if (world.applied.thread != nullptr) world.catch_up(*world.applied.thread);
  return world.applied;
}

void State::finish(const event::Event& /*event*/) {
  if (impl_->pending.kind != Pending::Kind::none) impl_->settle();
}

void World::settle() {
  const Pending work = pending;
  pending = {};
  Thread* thread = threads.find(work.tid);
  switch (work.kind) {
    case Pending::Kind::close:
      if (thread != nullptr) remove_fd(*thread, work.first);
      break;
    case Pending::Kind::close_range: {
      const FdTable* table = thread == nullptr ? nullptr : thread->leader->fds.get();
      if (table == nullptr) break;
      std::vector<int64_t> numbers;
      table->for_each([&](int64_t number, const Ref<Fd>&) {
        if (number >= work.first && number <= work.last) numbers.push_back(number);
        return number < work.last;
      });
      for (int64_t number : numbers) remove_fd(*thread, number);
      break;
    }
    case Pending::Kind::exit:
      if (thread != nullptr && thread->dead) remove_thread(*thread);
      break;
    case Pending::Kind::container:
      containers.remove(gone_container);
      requested_containers.erase(gone_container);
      users.remove_container(gone_container);
      touch_all();
      break;
    case Pending::Kind::none: break;
  }
}

const Thread* State::thread(int64_t tid) const {
  return impl_->threads.find(tid);
}

const Fd* State::fd(const Thread& thread, int64_t number) const {
  return impl_->fd_of(thread, number);
}

const User* State::user(std::string_view container_id, uint32_t uid) const {
  return impl_->users.user(container_id, uid);
}

const std::string* State::group(std::string_view container_id, uint32_t gid) const {
  return impl_->users.group(container_id, gid);
}

const k8s::ContainerInfo* State::container(std::string_view id) const {
  return impl_->containers.find(id);
}

bool State::is_local_address(const std::array<uint8_t, 16>& ip, bool v6) const {
  return impl_->interfaces.is_local(ip, v6);
}

size_t State::open_fds(const Thread& thread) const {
  const FdTable* table = thread.leader->fds.get();
  return table == nullptr ? 0 : table->count;
}

void State::for_each_fd(const Thread& thread,
                        const std::function<void(int64_t, const Fd&)>& visit) const {
  const FdTable* table = thread.leader->fds.get();
  if (table == nullptr) return;
  table->for_each([&](int64_t number, const Ref<Fd>& fd) {
    visit(number, *fd);
    return true;
  });
}

void State::for_each_thread(const std::function<void(const Thread&)>& visit) const {
  impl_->threads.for_each(visit);
}

void State::set_container(k8s::ContainerInfo info) {
  impl_->containers.set(std::move(info));
  impl_->touch_all();
}

void State::remove_container(std::string_view id) {
  impl_->containers.remove(id);
  impl_->requested_containers.erase(std::string(id));
  impl_->users.remove_container(id);
  impl_->touch_all();
}

const event::MachineInfo& State::machine() const {
  return impl_->machine;
}

std::string_view State::hostname() const {
  return impl_->hostname;
}

StateStats State::stats() const {
  StateStats stats = impl_->stats;
  stats.threads = impl_->threads.size();
  stats.containers = impl_->containers.size();
  impl_->threads.for_each([&](const Thread& thread) {
    if (thread.fds) stats.fds += thread.fds->count;
  });
  return stats;
}

const Applied& State::applied() const {
  return impl_->applied;
}

}  // namespace saker::state
