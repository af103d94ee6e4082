// Fields of the socket that an event is about: addresses, ports, protocol. Source is the client
// and destination the server; a listening socket has one address, its own, as destination.
#include "base/text_builder.h"
#include "fields/container.h"
#include "fields/fd_common.h"
#include "fields/fd_kinds.h"
#include "fields/render_address.h"

namespace saker::fields {

namespace {

using event::FdType;
using state::Fd;

struct End {
  const std::array<uint8_t, 16>* ip = nullptr;
  uint16_t port = 0;
};

End source(const Fd& fd) {
  return {&fd.source_ip, fd.source_port};
}
End destination(const Fd& fd) {
  return {&fd.dest_ip, fd.dest_port};
}

const Fd* inet(const EvalContext& context) {
  if (!about_fd(context) || context.fd == nullptr || !context.fd->is_inet()) return nullptr;
  return context.fd;
}

// A socket with two ends whose roles are known.
const Fd* connection(const EvalContext& context) {
  const Fd* fd = inet(context);
  if (fd == nullptr || fd->is_inet_server() || fd->role == state::SocketRole::none) return nullptr;
  return fd;
}

// A container has an address of its own, which its runtime knows. When nobody told, no address is
// taken for its own, as in the reference: outputs then show the destination as the local end.
bool is_local(const EvalContext& context, const Fd& fd, const End& end) {
  if (context.thread->in_container()) {
    const k8s::ContainerInfo* info = container_info(context);
    if (info == nullptr) return false;
    if (!info->host_network) {
      TextBuilder text(*context.scratch, 48);
      append_ip(Bytes(end.ip->data(), fd.is_ipv6() ? 16 : 4), text);
      return text.view() == info->ip;
    }
  }
  return context.state->is_local_address(*end.ip, fd.is_ipv6());
}

bool client(const EvalContext& context, End& end) {
  const Fd* fd = connection(context);
  if (fd == nullptr) return false;
  end = source(*fd);
  return true;
}

bool server(const EvalContext& context, End& end) {
  const Fd* fd = inet(context);
  if (fd == nullptr || (!fd->is_inet_server() && connection(context) == nullptr)) return false;
  end = destination(*fd);
  return true;
}

bool local(const EvalContext& context, End& end) {
  const Fd* fd = connection(context);
  if (fd == nullptr) return false;
  end = is_local(context, *fd, source(*fd)) ? source(*fd) : destination(*fd);
  return true;
}

bool remote(const EvalContext& context, End& end) {
  const Fd* fd = connection(context);
  if (fd == nullptr) return false;
  end = is_local(context, *fd, source(*fd)) ? destination(*fd) : source(*fd);
  return true;
}

using FindEnd = bool (*)(const EvalContext&, End&);

template <FindEnd find>
bool address(const EvalContext& context, const FieldArg&, Values& out) {
  End end;
  return find(context, end) && give_ip(context, out, *end.ip, context.fd->is_ipv6());
}

template <FindEnd find>
bool port(const EvalContext& context, const FieldArg&, Values& out) {
  End end;
  return find(context, end) && give_uint(out, end.port);
}

template <FindEnd find>
bool port_text(const EvalContext& context, const FieldArg&, Values& out) {
  End end;
  if (!find(context, end)) return false;
  TextBuilder text(*context.scratch, 24);
  return give(out, text.decimal(uint64_t{end.port}).view());
}

bool either_address(const EvalContext& context, const FieldArg&, Values& out) {
  const Fd* fd = inet(context);
  if (fd == nullptr) return false;
  if (!fd->is_inet_server()) give_ip(context, out, fd->source_ip, fd->is_ipv6());
  return give_ip(context, out, fd->dest_ip, fd->is_ipv6());
}

bool either_port(const EvalContext& context, const FieldArg&, Values& out) {
  const Fd* fd = inet(context);
  if (fd == nullptr) return false;
  if (!fd->is_inet_server()) give_uint(out, fd->source_port);
  return give_uint(out, fd->dest_port);
}

bool family(const EvalContext& context, const FieldArg&, Values& out) {
  if (!about_fd(context) || context.fd == nullptr) return false;
  if (context.fd->is_inet()) return give(out, "ip");
  return context.fd->type == FdType::unix_socket && give(out, "unix");
}

bool is_server(const EvalContext& context, const FieldArg&, Values& out) {
  if (!about_fd(context) || context.fd == nullptr) return false;
  const Fd& fd = *context.fd;
  const bool here = fd.type == FdType::ipv4_socket && is_local(context, fd, destination(fd));
  return give_bool(out, fd.is_inet_server() || here);
}

constexpr uint16_t kCompared = filter::kFilterOnly | filter::kNoRhs | filter::kNoTransformer;
constexpr uint16_t kNamed = filter::kNoRhs | filter::kNoTransformer;

constexpr FieldInfo kFields[] = {
    {.name = "fd.ip",
     .type = Type::ip,
     .many = Many::either,
     .flags = kCompared,
     .summary = "Address of either end.",
     .extract = either_address},
    {.name = "fd.cip", .type = Type::ip, .summary = "Client address.", .extract = address<client>},
    {.name = "fd.sip", .type = Type::ip, .summary = "Server address.", .extract = address<server>},
    {.name = "fd.lip",
     .type = Type::ip,
     .summary = "Address of this host's end.",
     .extract = address<local>},
    {.name = "fd.rip",
     .type = Type::ip,
     .summary = "Address of the other end.",
     .extract = address<remote>},
    {.name = "fd.port",
     .type = Type::port,
     .many = Many::either,
     .flags = kCompared,
     .summary = "Port of either end.",
     .extract = either_port},
    {.name = "fd.cport", .type = Type::port, .summary = "Client port.", .extract = port<client>},
    {.name = "fd.sport", .type = Type::port, .summary = "Server port.", .extract = port<server>},
    {.name = "fd.lport",
     .type = Type::port,
     .summary = "Port of this host's end.",
     .extract = port<local>},
    {.name = "fd.rport",
     .type = Type::port,
     .summary = "Port of the other end.",
     .extract = port<remote>},
    {.name = "fd.l4proto",
     .summary = "Protocol above IP: tcp, udp, icmp, raw; <NA> when there is none.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return about_fd(context) && context.fd != nullptr && give(out, l4_word(context.fd->l4));
         }},
    {.name = "fd.sockfamily", .summary = "ip or unix.", .extract = family},
    {.name = "fd.is_server",
     .type = Type::boolean,
     .summary = "True for a listening socket, and when the server address is this host's.",
     .extract = is_server},
    {.name = "fd.proto",
     .type = Type::port,
     .many = Many::either,
     .flags = kCompared,
     .summary = "Port of either end, compared by service name.",
     .extract = either_port},
    {.name = "fd.cproto", .summary = "Client port as text.", .extract = port_text<client>},
    {.name = "fd.sproto", .summary = "Server port as text.", .extract = port_text<server>},
    {.name = "fd.lproto",
     .summary = "Port of this host's end as text.",
     .extract = port_text<local>},
    {.name = "fd.rproto",
     .summary = "Port of the other end as text.",
     .extract = port_text<remote>},
    {.name = "fd.net",
     .type = Type::net,
     .many = Many::either,
     .flags = kCompared,
     .summary = "Address of either end, compared with networks.",
     .extract = either_address},
    {.name = "fd.cnet",
     .type = Type::net,
     .flags = kCompared,
     .summary = "Client address, compared with networks.",
     .extract = address<client>},
    {.name = "fd.snet",
     .type = Type::net,
     .flags = kCompared,
     .summary = "Server address, compared with networks.",
     .extract = address<server>},
    {.name = "fd.lnet",
     .type = Type::net,
     .flags = kCompared,
     .summary = "Address of this host's end, compared with networks.",
     .extract = address<local>},
    {.name = "fd.rnet",
     .type = Type::net,
     .flags = kCompared,
     .summary = "Address of the other end, compared with networks.",
     .extract = address<remote>},
    {.name = "fd.cip.name",
     .type = Type::hostname,
     .flags = kNamed,
     .summary = "Client address, compared with the addresses of host names.",
     .extract = address<client>,
     .display = never},
    {.name = "fd.sip.name",
     .type = Type::hostname,
     .flags = kNamed,
     .summary = "Server address, compared with the addresses of host names.",
     .extract = address<server>,
     .display = never},
    {.name = "fd.lip.name",
     .type = Type::hostname,
     .flags = kNamed,
     .summary = "Address of this host's end, compared with the addresses of host names.",
     .extract = address<local>,
     .display = never},
    {.name = "fd.rip.name",
     .type = Type::hostname,
     .flags = kNamed,
     .summary = "Address of the other end, compared with the addresses of host names.",
     .extract = address<remote>,
     .display = never},
};

}  // namespace

std::span<const FieldInfo> socket_fields() {
  return kFields;
}

}  // namespace saker::fields
