// Sockets: socket, bind, connect, accept, socketpair, and the calls whose data tell of addresses.
#include "state/world.h"

namespace saker::state {

namespace {

using namespace event;

constexpr int64_t kInProgress = -115;
constexpr size_t kLongestPath = 256;  // the kernel's limit is 108
constexpr uint32_t kCloseOnExec = 4096;

FdType type_of(uint8_t family) {
  switch (family) {
    case kUnix: return FdType::unix_socket;
    case kInet: return FdType::ipv4_socket;
    case kInet6: return FdType::ipv6_socket;
    default: return FdType::unknown;
  }
}

L4Proto protocol_of(uint32_t type, uint32_t protocol) {
  enum : uint32_t { kStream = 1, kDatagram = 2, kRaw = 3 };
  type &= 0xff;
  switch (protocol) {
    case 0:
      return type == kStream ? L4Proto::tcp : type == kDatagram ? L4Proto::udp : L4Proto::unknown;
    case 1: return type == kRaw ? L4Proto::raw : L4Proto::icmp;
    case 6: return type == kRaw ? L4Proto::raw : L4Proto::tcp;
    case 17: return type == kRaw ? L4Proto::raw : L4Proto::udp;
    case 255: return L4Proto::raw;
    default: return L4Proto::unknown;
  }
}

void on_socket(World& world, const Event& event, Thread& thread) {
  constexpr uint32_t kTypeCloexec = 0x80000;
  const int64_t number = event.get<int64_t>(0, -1);
  if (number < 0) return;
  const auto domain = event.get<uint32_t>(1);
  const auto type = event.get<uint32_t>(2);
  Ref<Fd> fd = new_fd();
  if (domain == kNetlink) {
    fd->type = FdType::netlink;
  } else if (domain <= kInet6) {
    fd->type = type_of(static_cast<uint8_t>(domain));
  }
  if (fd->is_inet()) fd->l4 = protocol_of(type, event.get<uint32_t>(3));
  fd->cloexec = (type & kTypeCloexec) != 0 || (event.get<uint32_t>(4) & kCloseOnExec) != 0;
  world.add_fd(thread, number, std::move(fd));
}

// Both ends are the other's peer; the event is about the second.
void on_socketpair(World& world, const Event& event, Thread& thread) {
  constexpr uint32_t kTypeCloexec = 0x80000;
  if (event.get<int64_t>(0, -1) < 0) return;
  const auto source = event.get<uint64_t>(3);
  const auto peer = event.get<uint64_t>(4);
  for (size_t end : std::initializer_list<size_t>{1, 2}) {
    Ref<Fd> fd = new_fd();
    fd->type = FdType::unix_socket;
    fd->unix_source = end == 1 ? source : peer;
    fd->unix_dest = end == 1 ? peer : source;
    fd->cloexec = (event.get<uint32_t>(6) & kTypeCloexec) != 0;
    world.add_fd(thread, event.get<int64_t>(end, -1), std::move(fd));
  }
}

// The event's fd, for writing.
Fd* event_fd(World& world, Thread& thread) {
  if (world.applied.fd == nullptr) return nullptr;
  Fd* fd = world.own_fd(thread, world.applied.fd_number);
  if (fd != nullptr) world.applied.fd = fd;
  return fd;
}

void set_name(World& world, Fd& fd, std::string_view name) {
  name = name.substr(0, kLongestPath);
  world.applied.fd_name_changed = fd.name != name;
  fd.name.assign(name);
}

// "source->dest path" of a unix socket.
void name_by_unix_tuple(World& world, Fd& fd, std::string_view path) {
  std::string& text = world.scratch;
  text.clear();
  append_tuple_text(fd, text);
  text.push_back(' ');
  text.append(path.substr(0, kLongestPath));
  world.applied.fd_name_changed = fd.name != text;
  fd.name = text;
}

void on_bind(World& world, const Event& event, Thread& thread) {
  if (event.get<int64_t>(0, -1) < 0) return;
  const SocketAddress address = parse_address(event.param(1));
  if (address.family == 0) return;
  Fd* fd = event_fd(world, thread);
  if (fd == nullptr) return;
  if (address.family == kUnix) {
    set_name(world, *fd, address.path);
    return;
  }
  fd->type = address.family == kInet ? FdType::ipv4_server : FdType::ipv6_server;
  fd->dest_ip = address.dest_ip;
  fd->dest_port = address.dest_port;
  world.name_by_tuple(*fd);
  if (address.dest_port == 0) {  // the kernel will choose one that nobody tells us
    fd->type = type_of(address.family);
    return;
  }
  fd->source_ip = {};
  fd->source_port = 0;
  fd->role = SocketRole::server;
}

// An end that is not bound to an address is most likely this machine's.
void infer_ends(const World& world, SocketAddress& address) {
  const bool v6 = address.family == kInet6;
  if (address.family == kUnix) return;
  if (is_zero(address.source_ip))
    address.source_ip = world.interfaces.local_for(address.dest_ip, v6);
  else if (is_zero(address.dest_ip))
    address.dest_ip = world.interfaces.local_for(address.source_ip, v6);
}

void set_tuple(Fd& fd, const SocketAddress& address) {
  fd.type = type_of(address.family);
  if (address.family == kUnix) {
    fd.unix_source = address.unix_source;
    fd.unix_dest = address.unix_dest;
    return;
  }
  fd.source_ip = address.source_ip;
  fd.source_port = address.source_port;
  fd.dest_ip = address.dest_ip;
  fd.dest_port = address.dest_port;
}

void on_connect(World& world, const Event& event, Thread& thread) {
  const int64_t result = event.get<int64_t>(0, -1);
  if (result < 0 && result != kInProgress) return;
  SocketAddress address = parse_tuple(event.param(1));
  const bool complete = address.family != 0;
  if (!complete) address = parse_address(event.param(3));
  infer_ends(world, address);
  Fd* fd = event_fd(world, thread);
  if (fd == nullptr) return;
  fd->connected = true;
  if (address.family == 0) return;
  set_tuple(*fd, address);
  if (fd->role == SocketRole::none) fd->role = SocketRole::client;
  if (address.family != kUnix) {
    world.name_by_tuple(*fd);
  } else if (complete) {
    name_by_unix_tuple(world, *fd, address.path);
  } else {
    set_name(world, *fd, address.path);
  }
}

template <uint16_t kType>
void on_accept(World& world, const Event& event, Thread& thread) {
  const int64_t number = event.get<int64_t>(0, -1);
  if (number < 0) return;
  world.applied.fd_number = number;
  SocketAddress address = parse_tuple(event.param(1));
  infer_ends(world, address);
  if (address.family == 0) {  // of a family that tuples don't have
    world.remove_fd(thread, number);
    return;
  }
  Ref<Fd> fd = new_fd();
  set_tuple(*fd, address);
  fd->role = SocketRole::server;
  fd->connected = true;
  if constexpr (kType == SOCKET_ACCEPT4_6_X)
    fd->cloexec = (event.get<uint32_t>(5) & kCloseOnExec) != 0;
  if (address.family == kUnix) {
    name_by_unix_tuple(world, *fd, address.path);
  } else {
    fd->l4 = L4Proto::tcp;
    world.name_by_tuple(*fd);
  }
  world.add_fd(thread, number, std::move(fd));
}

bool is_bound_to(const Thread& thread, uint16_t port) {
  constexpr int kLooked = 4096;
  const FdTable* table = thread.leader->fds.get();
  if (table == nullptr) return false;
  bool bound = false;
  int looked = 0;
  table->for_each([&](int64_t, const Ref<Fd>& fd) {
    bound = fd->is_inet_server() && fd->dest_port == port;
    return !bound && ++looked < kLooked;
  });
  return bound;
}

// Which end of a datagram's tuple this process is. When only one address is the machine's, that one
// tells; else a process that bound the destination port serves it.
SocketRole guess_role(World& world, const Thread& thread, const SocketAddress& address) {
  const bool v6 = address.family == kInet6;
  const bool source_local = world.interfaces.is_local(address.source_ip, v6);
  const bool dest_local = world.interfaces.is_local(address.dest_ip, v6);
  if (source_local != dest_local) return source_local ? SocketRole::client : SocketRole::server;
  return is_bound_to(thread, address.dest_port) ? SocketRole::server : SocketRole::client;
}

bool has_ends(const Fd& fd, const SocketAddress& address) {
  return fd.type == type_of(address.family) && fd.source_ip == address.source_ip &&
         fd.source_port == address.source_port && fd.dest_ip == address.dest_ip &&
         fd.dest_port == address.dest_port;
}

// What a datagram (or a call on a socket whose connect was missed) tells of the two ends. The
// source is always the client in our record.
void learn_ends(World& world, Thread& thread, SocketAddress address, bool incoming) {
  if (address.family == kUnix) {
    if (world.applied.fd->name == address.path.substr(0, kLongestPath) &&
        world.applied.fd->type == FdType::unix_socket)
      return;
    Fd* fd = event_fd(world, thread);
    if (fd == nullptr) return;
    set_tuple(*fd, address);
    set_name(world, *fd, address.path);
    return;
  }
  infer_ends(world, address);
  const Fd& known = *world.applied.fd;
  const SocketRole role =
      known.role == SocketRole::none ? guess_role(world, thread, address) : known.role;
  if (role == (incoming ? SocketRole::client : SocketRole::server)) {
    std::swap(address.source_ip, address.dest_ip);
    std::swap(address.source_port, address.dest_port);
  }
  if (role == known.role && has_ends(known, address) && !known.name.empty()) return;
  Fd* fd = event_fd(world, thread);
  if (fd == nullptr) return;
  set_tuple(*fd, address);
  if (fd->l4 == L4Proto::unknown) fd->l4 = L4Proto::udp;
  fd->role = role;
  world.name_by_tuple(*fd);
}

void mark_connected(World& world, Thread& thread) {
  const Fd& fd = *world.applied.fd;
  if (fd.connected || !fd.is_inet()) return;
  if (Fd* own = event_fd(world, thread)) own->connected = true;
}

template <int kTuple, bool kIncoming>
void on_transfer(World& world, const Event& event, Thread& thread) {
  const Fd* fd = world.applied.fd;
  if (fd == nullptr || event.get<int64_t>(0, -1) < 0) return;
  if (fd->name.empty() || fd->l4 != L4Proto::tcp) {
    const SocketAddress address = parse_tuple(event.param(kTuple));
    if (address.family != 0) learn_ends(world, thread, address, kIncoming);
  }
  mark_connected(world, thread);
}

void on_io(World& world, const Event& event, Thread& thread) {
  if (world.applied.fd != nullptr && event.get<int64_t>(0, -1) >= 0) mark_connected(world, thread);
}

}  // namespace

void add_socket_steps(Step* steps) {
  steps[SOCKET_SOCKET_X].handle = on_socket;
  steps[SOCKET_SOCKETPAIR_X].handle = on_socketpair;
  steps[SOCKET_BIND_X].handle = on_bind;
  steps[SOCKET_CONNECT_X].handle = on_connect;
  steps[SOCKET_ACCEPT_5_X].handle = on_accept<SOCKET_ACCEPT_5_X>;
  steps[SOCKET_ACCEPT4_6_X].handle = on_accept<SOCKET_ACCEPT4_6_X>;
  steps[SOCKET_SENDTO_X].handle = on_transfer<4, false>;
  steps[SOCKET_SEND_X].handle = on_transfer<4, false>;
  steps[SOCKET_SENDMSG_X].handle = on_transfer<4, false>;
  steps[SOCKET_SENDMMSG_X].handle = on_transfer<4, false>;
  steps[SOCKET_RECVFROM_X].handle = on_transfer<2, true>;
  steps[SOCKET_RECV_X].handle = on_transfer<4, true>;
  steps[SOCKET_RECVMSG_X].handle = on_transfer<3, true>;
  steps[SOCKET_RECVMMSG_X].handle = on_transfer<4, true>;
  for (uint16_t type : {SYSCALL_READ_X, SYSCALL_WRITE_X, SYSCALL_READV_X, SYSCALL_WRITEV_X})
    steps[type].handle = on_io;
}

}  // namespace saker::state
