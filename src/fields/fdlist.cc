// Fields of the fds that poll and its kin wait for. The parameter holds a u16 count, then for each
// fd its number (i64) and the flags (i16).
#include "base/text_builder.h"
#include "fields/extract.h"
#include "fields/render_address.h"

namespace saker::fields {

namespace {

using event::FdType;
using state::Fd;

// Appends what it has to say of one fd (null when unknown); false when it has nothing to say.
using Append = bool (*)(int64_t number, const Fd* fd, TextBuilder& out);

bool append_number(int64_t number, const Fd*, TextBuilder& out) {
  out.decimal(number);
  return true;
}

bool append_name(int64_t, const Fd* fd, TextBuilder& out) {
  out << (fd != nullptr && !fd->name.empty() ? std::string_view(fd->name) : kUnknown);
  return true;
}

bool append_address(const Fd& fd, const std::array<uint8_t, 16>& ip, TextBuilder& out) {
  append_ip(Bytes(ip.data(), fd.is_ipv4() ? 4 : 16), out);
  return true;
}

bool append_client_ip(int64_t, const Fd* fd, TextBuilder& out) {
  return fd != nullptr && fd->is_inet() && !fd->is_inet_server() &&
         append_address(*fd, fd->source_ip, out);
}

bool append_server_ip(int64_t, const Fd* fd, TextBuilder& out) {
  return fd != nullptr && fd->is_inet() && append_address(*fd, fd->dest_ip, out);
}

bool append_client_port(int64_t, const Fd* fd, TextBuilder& out) {
  if (fd == nullptr || !fd->is_inet() || fd->is_inet_server()) return false;
  out.decimal(uint64_t{fd->source_port});
  return true;
}

bool append_server_port(int64_t, const Fd* fd, TextBuilder& out) {
  if (fd == nullptr || !fd->is_inet()) return false;
  out.decimal(uint64_t{fd->dest_port});
  return true;
}

template <Append append>
bool list(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr || context.thread == nullptr || context.state == nullptr)
    return false;
  const int index = context.event->info().param_index("fds");
  if (index < 0) return false;
  ByteReader reader(context.event->param(static_cast<size_t>(index)));
  const auto count = reader.read<uint16_t>();
  TextBuilder text(*context.scratch);
  for (uint16_t i = 0; i < count && reader.remaining() >= 10; ++i) {
    const auto number = reader.read<int64_t>();
    reader.skip(2);
    TextBuilder part(*context.scratch, 48);
    if (!append(number, context.state->fd(*context.thread, number), part)) continue;
    if (!text.empty()) text << ',';
    text << part.view();
  }
  return !text.empty() && give(out, text.view());
}

constexpr FieldInfo kFields[] = {
    {.name = "fdlist.nums",
     .summary = "Numbers of the fds that are waited for, separated by commas.",
     .extract = list<append_number>},
    {.name = "fdlist.names",
     .summary = "Their names, separated by commas.",
     .extract = list<append_name>},
    {.name = "fdlist.cips",
     .summary = "Client addresses of those that are sockets, separated by commas.",
     .extract = list<append_client_ip>},
    {.name = "fdlist.sips",
     .summary = "Server addresses of those that are sockets, separated by commas.",
     .extract = list<append_server_ip>},
    {.name = "fdlist.cports",
     .summary = "Client ports of those that are sockets, separated by commas.",
     .extract = list<append_client_port>},
    {.name = "fdlist.sports",
     .summary = "Server ports of those that are sockets, separated by commas.",
     .extract = list<append_server_port>},
};

}  // namespace

std::span<const FieldInfo> fdlist_fields() {
  return kFields;
}

}  // namespace saker::fields
