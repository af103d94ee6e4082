// Taking in what a source knows before its first event, or (live) of a thread that it is asked for.
#include "state/impl.h"

namespace saker::state {

namespace {

constexpr size_t kLongestPath = 4096;

void set_ids(Thread& thread, const event::ProcessEntry& process) {
  thread.vtid = process.vtid;
  thread.vpid = process.vpid;
  thread.sid = process.sid;
  thread.pgid = process.pgid;
  thread.vpgid = process.vpgid;
  thread.uid = process.uid;
  thread.gid = process.gid;
  thread.loginuid = process.loginuid;
  thread.tty = process.tty;
  thread.flags = process.flags;
  thread.cap_inheritable = process.cap_inheritable;
  thread.cap_permitted = process.cap_permitted;
  thread.cap_effective = process.cap_effective;
}

void set_counters(Thread& thread, const event::ProcessEntry& process) {
  thread.fdlimit = process.fdlimit;
  thread.vmsize_kb = process.vmsize_kb;
  thread.vmrss_kb = process.vmrss_kb;
  thread.vmswap_kb = process.vmswap_kb;
  thread.pfmajor = process.pfmajor;
  thread.pfminor = process.pfminor;
  thread.clone_ts = process.clone_ts;
  thread.pidns_init_start_ts = process.pidns_init_start_ts;
}

void set_image(World& world, Thread& thread, const event::ProcessEntry& process) {
  Ref<Image> image = world.new_image();
  world.set_texts(*image, process.exe, process.args, process.env);
  constexpr std::string_view kDeleted = " (deleted)";  // how /proc marks a program that is gone
  std::string_view exepath = process.exepath.substr(0, kLongestPath);
  if (exepath.ends_with(kDeleted)) exepath.remove_suffix(kDeleted.size());
  image->exepath = exepath;
  image->exe_ino = process.exe_ino;
  image->exe_ino_ctime = process.exe_ino_ctime;
  image->exe_ino_mtime = process.exe_ino_mtime;
  image->exe_writable = process.exe_writable;
  image->exe_upper_layer = process.exe_upper_layer;
  image->exe_lower_layer = process.exe_lower_layer;
  image->exe_from_memfd = process.exe_from_memfd;
  if (process.clone_ts > process.exe_ino_ctime)
    image->ctime_duration_clone_ts = process.clone_ts - process.exe_ino_ctime;
  if (process.pidns_init_start_ts != 0 && process.exe_ino_ctime > process.pidns_init_start_ts)
    image->ctime_duration_pidns_start = process.exe_ino_ctime - process.pidns_init_start_ts;
  thread.image = std::move(image);
}

// Datagram and stream sockets of a snapshot have no role. One whose near port is served by somebody
// is the server's end; the record has the client as the source.
void assign_role(World& world, Fd& fd) {
  if (fd.type != event::FdType::ipv4_socket || fd.role != SocketRole::none) return;
  if (!world.server_ports.contains(fd.source_port)) {
    fd.role = SocketRole::client;
    return;
  }
  std::swap(fd.source_ip, fd.dest_ip);
  std::swap(fd.source_port, fd.dest_port);
  fd.role = SocketRole::server;
  fd.name.clear();
  append_tuple_text(fd, fd.name);
}

Ref<Fd> make_fd(const event::FdEntry& entry) {
  Ref<Fd> fd = new_fd();
  fd->type = entry.type;
  fd->ino = entry.ino;
  fd->dev = entry.dev;
  fd->open_flags = entry.open_flags;
  fd->cloexec = (entry.open_flags & 4096) != 0;
  fd->name = entry.name.substr(0, kLongestPath);
  fd->l4 = entry.l4;
  fd->unix_source = entry.unix_source;
  fd->unix_dest = entry.unix_dest;
  if (!fd->is_inet()) return fd;
  fd->source_ip = entry.source_ip;
  fd->source_port = entry.source_port;
  fd->dest_ip = entry.dest_ip;
  fd->dest_port = entry.dest_port;
  if (fd->is_inet_server()) {
    if (fd->dest_port == 0 && fd->source_port != 0) {
      std::swap(fd->dest_ip, fd->source_ip);
      std::swap(fd->dest_port, fd->source_port);
    }
    fd->role = SocketRole::server;
  }
  fd->connected = fd->l4 == event::L4Proto::tcp && !fd->is_inet_server();
  fd->name.clear();
  append_tuple_text(*fd, fd->name);
  return fd;
}

}  // namespace

void State::on_machine(const event::MachineInfo& machine) {
  impl_->hostname = machine.hostname;
  impl_->machine = machine;
  impl_->machine.hostname = impl_->hostname;
}

void State::on_process(const event::ProcessEntry& process) {
  World& world = *impl_;
  if (process.tid < 0) return;
  Thread* thread = world.threads.find(process.tid);
  if (thread == nullptr) thread = world.add_thread(process.tid);
  if (thread == nullptr) return;
  if (thread->placeholder) world.become_real(*thread);
  world.set_group(*thread, process.pid);
  world.set_parent(*thread, process.ptid);
  thread->comm = process.comm.substr(0, 64);
  set_ids(*thread, process);
  set_counters(*thread, process);
  set_image(world, *thread, process);
  thread->cwd = process.cwd.substr(0, kLongestPath);
  if (!thread->cwd.ends_with('/')) thread->cwd.push_back('/');
  thread->root = process.root.substr(0, kLongestPath);
  world.set_cgroups(*thread, process.cgroups);
  world.touch(*thread, true);
}

void State::on_fd(const event::FdEntry& entry) {
  World& world = *impl_;
  Thread* thread = world.threads.find(entry.tid);
  if (thread == nullptr || entry.fd < 0) return;
  const Applied before = world.applied;
  Ref<Fd> fd = make_fd(entry);
  if (fd->is_inet_server() && fd->dest_port != 0) world.server_ports.insert(fd->dest_port);
  if (fd->type == event::FdType::ipv4_socket) {
    world.snapshot_pending = true;
    world.unsettled.emplace_back(thread->tid, entry.fd);
  }
  world.add_fd(*thread, entry.fd, std::move(fd));
  world.applied = before;
}

void World::settle_snapshot() {
  snapshot_pending = false;
  const Applied before = applied;
  for (const auto& [tid, number] : unsettled) {
    Thread* thread = threads.find(tid);
    if (thread == nullptr) continue;
    if (Fd* fd = own_fd(*thread, number)) assign_role(*this, *fd);
  }
  unsettled.clear();
  applied = before;
}

void State::on_user(const event::UserEntry& user) {
  if (user.is_group) {
    impl_->users.set_group(user.container_id, user.id, user.name);
  } else {
    impl_->users.set_user(user.container_id, user.id,
                          {.name = std::string(user.name),
                           .home = std::string(user.home),
                           .shell = std::string(user.shell),
                           .gid = user.gid});
  }
  impl_->touch_all();
}

void State::on_interface(const event::InterfaceEntry& interface) {
  impl_->interfaces.add(interface);
}

}  // namespace saker::state
