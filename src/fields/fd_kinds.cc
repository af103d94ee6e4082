#include "fields/fd_kinds.h"

namespace saker::fields {

using event::FdType;
using event::L4Proto;

namespace {

struct Kind {
  char letter;
  std::string_view word;
};

Kind kind_of(FdType type) {
  switch (type) {
    case FdType::unknown: return {'o', "<NA>"};
    case FdType::file:
    case FdType::file_v2: return {'f', "file"};
    case FdType::directory: return {'d', "directory"};
    case FdType::ipv4_socket:
    case FdType::ipv4_server: return {'4', "ipv4"};
    case FdType::ipv6_socket:
    case FdType::ipv6_server: return {'6', "ipv6"};
    case FdType::fifo: return {'p', "pipe"};
    case FdType::unix_socket: return {'u', "unix"};
    case FdType::eventfd: return {'e', "event"};
    case FdType::unsupported: return {'X', "<NA>"};
    case FdType::signalfd: return {'s', "signalfd"};
    case FdType::eventpoll: return {'l', "eventpoll"};
    case FdType::inotify: return {'i', "inotify"};
    case FdType::timerfd: return {'t', "timerfd"};
    case FdType::netlink: return {'n', "netlink"};
    case FdType::bpf: return {'b', "bpf"};
    case FdType::userfaultfd: return {'u', "userfaultfd"};
    case FdType::io_uring: return {'r', "io_uring"};
    case FdType::memfd: return {'m', "memfd"};
    case FdType::pidfd: return {'P', "pidfd"};
  }
  return {'o', "<NA>"};
}

}  // namespace

std::string_view type_word(FdType type) {
  return kind_of(type).word;
}

char type_letter(FdType type) {
  return kind_of(type).letter;
}

std::string_view l4_word(L4Proto proto) {
  switch (proto) {
    case L4Proto::tcp: return "tcp";
    case L4Proto::udp: return "udp";
    case L4Proto::icmp: return "icmp";
    case L4Proto::raw: return "raw";
    default: return "<NA>";
  }
}

void append_fd(const state::Fd& fd, TextBuilder& out) {
  out << '<' << type_letter(fd.type);
  if (fd.is_inet() && fd.l4 >= L4Proto::tcp) out << l4_word(fd.l4)[0];
  out << '>' << fd.name;
}

}  // namespace saker::fields
